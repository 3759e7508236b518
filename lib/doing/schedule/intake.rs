//! Records come in: what each asks for, and what the end of the stream means.

use super::event::Event;
use super::graph::{Fate, Index};
use super::lookup;
use super::outcome::Failure;
use super::state::{Scheduler, Slot, Stopping, Task};
use crate::doing::policy::{Stored, class_of};
use crate::values::record::{Action, By, Cache, Dependency, Identity, PolicyField, State};
use crate::values::result::BuildResult;
use crate::values::{Code, Error, Exit, Key, Record, Result};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::rc::Rc;

/// What a record asks for.
enum Verdict {
    Cached,
    /// It is to be built; the reason, if the store has something.
    Run(Option<&'static str>),
    Replay {
        warn: bool,
    },
    /// There is nothing to be built.
    Nothing,
    /// Another program could not treat it.
    Broken,
}

impl Scheduler<'_> {
    /// Takes a record, or a line that is none.
    pub fn accept(&mut self, record: Result<Record>) -> Result<()> {
        let number = self.emitted + self.slots.len();
        let (record, outcome) = match record {
            Ok(mut record) => {
                let outcome = self.place(number, &mut record);
                (record, outcome)
            }
            Err(error) => (Record::default(), Err(error)),
        };
        match outcome {
            Ok((index, verdict)) => {
                self.slots.push_back(Slot { index: Some(index), record });
                verdict.map_or(Ok(()), |verdict| self.obey(index, verdict))
            }
            Err(error) => {
                let mut record = record;
                self.tell(&Event::Warn { message: &format!("{}: {error}", record.label()) });
                record.set_error(&error)?;
                self.exit = self.exit.and(error.code().exit());
                self.counts.errors += 1;
                self.slots.push_back(Slot { index: None, record });
                Ok(())
            }
        }
    }

    /// Finds out what a record is about and, if it is the first about its element, what it asks for.
    fn place(&mut self, number: usize, record: &mut Record) -> Result<(Index, Option<Verdict>)> {
        let Identity { project, element } = record.identity()?;
        let key: Option<Key> = record.get("key")?;
        let depends: Vec<Dependency> = record.get("depends")?.unwrap_or_default();
        let field: Option<PolicyField> = record.get("policy")?;
        let policy = match self.options.policy.with(field.as_ref())? {
            Cow::Borrowed(_) => None,
            Cow::Owned(policy) => Some(Rc::new(policy)),
        };
        let index = self.graph.node(&project, &element, key);
        self.tasks.resize_with(self.graph.len(), Task::default);
        if self.graph[index].known {
            return Ok((index, None));
        }
        let mut task = Task { first: number, policy, ..Task::default() };
        let verdict = self.judge(index, record, &mut task)?;
        self.tasks[index] = task;
        self.connect(index, &depends);
        self.counts.total += 1;
        Ok((index, Some(verdict)))
    }

    fn connect(&mut self, index: Index, depends: &[Dependency]) {
        let (mut build, mut run) = (Vec::new(), Vec::new());
        for dependency in depends {
            let node = self.graph.node(&dependency.project, &dependency.element, dependency.key);
            if dependency.when.builds() {
                build.push(node);
            }
            if dependency.when.runs() {
                run.push(node);
            }
        }
        self.tasks.resize_with(self.graph.len(), Task::default);
        self.graph.connect(index, build, run);
    }

    /// What a record asks for. Where nobody asked the store yet, this does.
    fn judge(&mut self, index: Index, record: &mut Record, task: &mut Task) -> Result<Verdict> {
        if let Some(error) = record.raw("error") {
            // The text of an error is for people; its code is all that counts here.
            #[derive(serde::Deserialize)]
            struct Field {
                code: Code,
            }
            let exit = serde_json::from_str::<Field>(error).map_or(Exit::Usage, |field| field.code.exit());
            let class = crate::values::result::FailureClass::Unknown;
            task.failure = Some(Failure { class, exit });
            return Ok(Verdict::Broken);
        }
        if matches!(record.get::<Cow<'_, str>>("kind")?.as_deref(), Some("junction" | "link")) {
            return Ok(Verdict::Nothing);
        }
        let cache = match record.get::<Cache>("cache")? {
            Some(cache) => cache,
            None => lookup::ask(&mut self.query, record)?,
        };
        let key = self.key(index);
        self.graph[index].effective = cache.key.or(key);
        match cache.state {
            State::Cached => Ok(Verdict::Cached),
            State::Absent => Ok(Verdict::Run(None)),
            State::Damaged => Ok(Verdict::Run(Some("damaged"))),
            // Found by the weak key, and made from other dependencies: these may have been to blame.
            State::Failed if cache.by == Some(By::Weak) && cache.key != key => Ok(Verdict::Run(Some("stale"))),
            State::Failed => {
                let result: BuildResult = record.get("result")?.unwrap_or_default();
                let policy = task.policy.as_deref().unwrap_or(&self.options.policy);
                let stored = policy.on_stored(&result);
                let class = class_of(&result);
                task.result = Some(result);
                match stored {
                    // Whoever asked the store may have had a policy of his own.
                    Stored::Answers { .. } if cache.replay == Some(false) => Ok(Verdict::Run(Some("no-replay"))),
                    Stored::Again(reason) => Ok(Verdict::Run(Some(reason))),
                    Stored::Answers { warn } => {
                        task.failure = Some(Failure { class, exit: Exit::CachedFailure });
                        Ok(Verdict::Replay { warn })
                    }
                }
            }
        }
    }

    fn obey(&mut self, index: Index, verdict: Verdict) -> Result<()> {
        match verdict {
            Verdict::Cached => self.finish(index, Some(Action::Cached), Fate::Good, None),
            Verdict::Nothing => self.finish(index, Some(Action::Skipped), Fate::Good, None),
            Verdict::Broken => {
                let exit = self.tasks[index].failure.map_or(Exit::Usage, |failure| failure.exit);
                self.exit = self.exit.and(exit);
                self.counts.errors += 1;
                self.give_up(index);
            }
            Verdict::Run(reason) => {
                self.tasks[index].reason = reason;
                self.hold(index);
            }
            Verdict::Replay { warn } => {
                self.tasks[index].warn = warn;
                self.hold(index);
            }
        }
        self.settle_released();
        Ok(())
    }

    /// Goes on with an element that is to be built or replayed, at once or when it is known what is needed.
    fn hold(&mut self, index: Index) {
        if self.options.needed {
            self.held.push(index);
        } else {
            self.go_on(index);
        }
    }

    fn go_on(&mut self, index: Index) {
        if self.tasks[index].failure.is_some() {
            self.failed(index);
        } else {
            self.graph.want(index);
        }
    }

    /// Decides about those that wait no longer: they are ready, or they can never be.
    pub fn settle_released(&mut self) {
        loop {
            let released = self.graph.released();
            if released.is_empty() {
                return;
            }
            for index in released {
                if self.graph[index].own().is_some() {
                    continue;
                }
                match self.graph.prospect(index) {
                    Fate::Good if self.stopping == Stopping::No => {
                        self.ready.push(Reverse((self.tasks[index].first, index)));
                    }
                    Fate::Good => self.finish_unstarted(index),
                    Fate::Bad(roots) if roots.is_empty() => {
                        self.finish(index, Some(Action::Cancelled), Fate::Bad(roots), None);
                    }
                    fate => self.finish(index, Some(Action::Blocked), fate, None),
                }
            }
        }
    }

    /// There are no more records: what is still missing is asked of the store.
    pub fn end_of_input(&mut self) {
        self.ended = true;
        if self.options.needed {
            self.release_needed();
        }
        for index in 0..self.graph.len() {
            let node = &self.graph[index];
            if node.known || node.own().is_some() {
                continue;
            }
            let found = lookup::is_cached(&mut self.query, &node.identity, node.key);
            let fate = if found { Fate::Good } else { Fate::failed(index) };
            self.graph.settle(index, fate);
            self.settle_released();
        }
    }

    /// The run ends although there may be more records: what was promised by those that came is cancelled.
    pub fn abandon_input(&mut self) {
        self.ended = true;
        for index in std::mem::take(&mut self.held) {
            self.finish(index, Some(Action::Cancelled), Fate::cancelled(), None);
        }
        for index in 0..self.graph.len() {
            if !self.graph[index].known && self.graph[index].own().is_none() {
                self.graph.settle(index, Fate::cancelled());
            }
        }
        self.settle_released();
    }

    /// With `--needed`: of what is held, all that the targets need is built, the rest is left alone. Targets
    /// are the elements that no other depends on.
    fn release_needed(&mut self) {
        let held: BTreeSet<Index> = std::mem::take(&mut self.held).into_iter().collect();
        let mut is_target = vec![true; self.graph.len()];
        for index in 0..self.graph.len() {
            let node = &self.graph[index];
            node.build.iter().chain(&node.run).for_each(|&dependency| is_target[dependency] = false);
        }
        let mut pending: Vec<Index> = (0..self.graph.len()).filter(|&index| is_target[index]).collect();
        let mut needed = vec![false; self.graph.len()];
        while let Some(index) = pending.pop() {
            if std::mem::replace(&mut needed[index], true) {
                continue;
            }
            let node = &self.graph[index];
            pending.extend(&node.run);
            if held.contains(&index) && self.tasks[index].failure.is_none() {
                pending.extend(&node.build);
            }
        }
        for index in held {
            if needed[index] {
                self.go_on(index);
            } else {
                self.tasks[index].failure = None;
                self.finish(index, Some(Action::Skipped), Fate::Good, None);
            }
            self.settle_released();
        }
    }

    /// Nothing runs and nothing can start, but elements are left: they wait for each other.
    pub fn resolve_circle(&mut self) -> bool {
        let Some(circle) = self.graph.circle() else { return false };
        let names: Vec<_> = circle.iter().map(|&index| self.graph[index].identity.element.as_str()).collect();
        let message = format!("{} depend on each other: {}", self.those(&names), names.join(" -> "));
        let mut found = false;
        for &index in &circle {
            if self.graph[index].own().is_none() {
                found = true;
                self.warn(&message);
                self.finish(index, None, Fate::failed(index), Some(Error::malformed(message.clone())));
            }
        }
        if !found {
            self.graph.break_circle(&circle);
        }
        self.settle_released();
        true
    }

    fn those(&self, names: &[&str]) -> &'static str {
        if names.len() == 1 { "the element's dependencies" } else { "elements" }
    }
}
