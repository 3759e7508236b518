//! What is known of each element during a run, and the records on their way through.

use super::event::{Counts, Event, Moment, Subject, Watcher};
use super::graph::{Fate, Graph, Index};
use super::hook::Hook;
use super::job::Job;
use super::locks::Locks;
use super::outcome::Failure;
use super::scope::Scopes;
use super::{Options, signals::Stop};
use crate::doing::policy::Policy;
use crate::store::query::Query;
use crate::values::record::{Action, Blocker, Decision, Schedule};
use crate::values::result::BuildResult;
use crate::values::{Error, Exit, Key, Record, Result};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// One element, apart from what the graph knows of it.
#[derive(Debug, Default)]
pub(super) struct Task {
    /// The number of its first record; records are counted from 0.
    pub first: usize,
    /// The policy, where it is not that of the run.
    pub policy: Option<Rc<Policy>>,
    /// How often it was tried in this run.
    pub attempts: u32,
    pub decisions: Vec<Decision>,
    /// Why it is built although the store has something.
    pub reason: Option<&'static str>,
    /// What CMD answered last, to go over the record.
    pub answer: Option<Rc<Record>>,
    /// Of the last attempt, or from the store.
    pub result: Option<BuildResult>,
    /// The last attempt failed like this.
    pub failure: Option<Failure>,
    /// Its cached failure is no failure of the run.
    pub warn: bool,
    /// It waits for another scheduler that builds it.
    pub waits: bool,
    pub done: Option<Rc<Done>>,
}

/// What comes out for an element.
#[derive(Debug)]
pub(super) struct Done {
    pub schedule: Option<Schedule>,
    pub answer: Option<Rc<Record>>,
    pub error: Option<Error>,
}

/// A record between input and output.
#[derive(Debug)]
pub(super) struct Slot {
    /// `None`: the record could not be treated and goes out as it is.
    pub index: Option<Index>,
    pub record: Record,
}

/// Whether anything new is started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stopping {
    No,
    Quit,
    Terminate,
}

/// A run.
pub(super) struct Scheduler<'a> {
    pub options: &'a Options,
    pub watcher: &'a mut dyn Watcher,
    pub begun: Instant,
    pub graph: Graph,
    pub scopes: Scopes,
    pub tasks: Vec<Task>,
    pub slots: VecDeque<Slot>,
    /// How many records are out.
    pub emitted: usize,
    pub ended: bool,
    /// Elements that could be started, by input order.
    pub ready: BinaryHeap<Reverse<(usize, Index)>>,
    /// Retries that wait for their time.
    pub delayed: Vec<(Instant, Index)>,
    /// Elements that another scheduler builds.
    pub locked: Vec<Index>,
    /// Only with `--needed`: what is to be built if it is needed.
    pub held: Vec<Index>,
    pub jobs: Vec<Option<Job>>,
    /// Failures that nobody decided yet.
    pub asking: VecDeque<Index>,
    pub hook: Option<Hook>,
    pub locks: Option<Locks>,
    pub query: Query<'a>,
    pub stopping: Stopping,
    pub kill_at: Option<Instant>,
    pub failures: usize,
    pub counts: Counts,
    pub exit: Exit,
}

impl<'a> Scheduler<'a> {
    pub fn new(options: &'a Options, watcher: &'a mut dyn Watcher) -> Scheduler<'a> {
        Scheduler {
            options,
            watcher,
            begun: Instant::now(),
            graph: Graph::default(),
            scopes: Scopes::default(),
            tasks: Vec::new(),
            slots: VecDeque::new(),
            emitted: 0,
            ended: false,
            ready: BinaryHeap::new(),
            delayed: Vec::new(),
            locked: Vec::new(),
            held: Vec::new(),
            jobs: (0..options.jobs.max(1)).map(|_| None).collect(),
            asking: VecDeque::new(),
            hook: None,
            locks: None,
            query: super::lookup::query(options),
            stopping: Stopping::No,
            kill_at: None,
            failures: 0,
            counts: Counts::default(),
            exit: Exit::Done,
        }
    }

    /// Tells the watcher.
    pub fn tell(&mut self, event: &Event<'_>) {
        let moment = Moment { since: self.begun.elapsed(), counts: &self.counts, subject: None };
        self.watcher.event(&moment, event);
    }

    /// Tells the watcher something about an element.
    pub fn tell_of(&mut self, index: Index, event: &Event<'_>) {
        let node = &self.graph[index];
        let subject = Some(Subject { identity: &node.identity, key: node.key });
        let moment = Moment { since: self.begun.elapsed(), counts: &self.counts, subject };
        self.watcher.event(&moment, event);
    }

    pub fn warn(&mut self, message: &str) {
        self.tell(&Event::Warn { message });
    }

    /// The policy for an element.
    pub fn policy(&self, index: Index) -> &Policy {
        self.tasks[index].policy.as_deref().unwrap_or(&self.options.policy)
    }

    /// The element's first record as it came in.
    pub fn record(&self, index: Index) -> Option<&Record> {
        let slot = self.tasks[index].first.checked_sub(self.emitted)?;
        self.slots.get(slot).map(|slot| &slot.record)
    }

    /// How the element's record would go out now.
    pub fn composed(&self, index: Index) -> Result<Record> {
        let mut record = self.record(index).cloned().unwrap_or_default();
        let task = &self.tasks[index];
        let action = if task.attempts == 0 { Action::Replayed } else { Action::Built };
        let done = Done { schedule: Some(self.schedule(index, action)), answer: task.answer.clone(), error: None };
        done.apply(&mut record)?;
        Ok(record)
    }

    /// What `schedule` says of an element.
    pub fn schedule(&self, index: Index, action: Action) -> Schedule {
        let task = &self.tasks[index];
        Schedule {
            action,
            attempts: task.attempts,
            blocked_by: Vec::new(),
            decisions: task.decisions.clone(),
            reason: task.reason.map(str::to_owned),
            warn: task.warn,
        }
    }

    /// The element is done: its records can go out, and those who wait for it go on.
    pub fn finish(&mut self, index: Index, action: Option<Action>, fate: Fate, error: Option<Error>) {
        let mut schedule = action.map(|action| self.schedule(index, action));
        if let (Some(schedule), Some(Action::Blocked), Fate::Bad(roots)) = (&mut schedule, action, &fate) {
            schedule.blocked_by = roots.iter().map(|&root| self.blocker(root)).collect();
            schedule.blocked_by.sort();
            schedule.blocked_by.dedup();
        }
        let log = self.log_file(index);
        let task = &mut self.tasks[index];
        let answer = if action == Some(Action::Cancelled) { None } else { task.answer.take() };
        let result = task.result.take();
        let warn = task.warn;
        let failed = matches!(action, Some(Action::Built | Action::Replayed)) && task.failure.is_some();
        self.count(index, action, error.as_ref());
        let message = error.as_ref().map(ToString::to_string);
        if let Some(action) = action.or(error.is_some().then_some(Action::Skipped)) {
            let blocked_by = schedule.as_ref().map_or(&[][..], |schedule| &schedule.blocked_by);
            let error = message.as_deref();
            self.tell_of(
                index,
                &Event::Settle {
                    action,
                    failed,
                    blocked_by,
                    log: log.as_deref(),
                    result: result.as_ref(),
                    warn,
                    error,
                },
            );
        }
        self.tasks[index].done = Some(Rc::new(Done { schedule, answer, error }));
        self.graph.settle(index, fate);
    }

    fn blocker(&self, root: Index) -> Blocker {
        let node = &self.graph[root];
        Blocker { element: node.identity.element.clone(), key: node.key }
    }

    /// Counts an element, and what it means for the exit.
    fn count(&mut self, index: Index, action: Option<Action>, error: Option<&Error>) {
        let task = &self.tasks[index];
        let failure = task.failure;
        if !self.graph[index].known {
            return;
        }
        let (counter, exit) = match (action, failure) {
            (None, _) => (&mut self.counts.errors, error.map_or(Exit::Usage, |error| error.code().exit())),
            (Some(Action::Built), None) => (&mut self.counts.built, Exit::Done),
            (Some(Action::Built), Some(failure)) => (&mut self.counts.failed, failure.exit),
            (Some(Action::Cached), _) => (&mut self.counts.cached, Exit::Done),
            (Some(Action::Replayed), _) if task.warn => (&mut self.counts.replayed, Exit::Done),
            (Some(Action::Replayed), _) => (&mut self.counts.replayed, Exit::CachedFailure),
            (Some(Action::Blocked), _) => (&mut self.counts.blocked, Exit::Blocked),
            (Some(Action::Cancelled), _) => (&mut self.counts.cancelled, Exit::Stopped),
            (Some(Action::Skipped), _) => (&mut self.counts.skipped, Exit::Done),
        };
        *counter += 1;
        self.exit = self.exit.and(exit);
    }

    /// Sends out the records that are complete, as far as no earlier one is not.
    pub fn emit(&mut self) -> Result<()> {
        while let Some(slot) = self.slots.front() {
            let done = match slot.index {
                None => None,
                Some(index) => match &self.tasks[index].done {
                    None => return Ok(()),
                    Some(done) => Some(Rc::clone(done)),
                },
            };
            let Some(mut slot) = self.slots.pop_front() else { return Ok(()) };
            self.emitted += 1;
            if let Some(done) = done {
                done.apply(&mut slot.record)?;
            }
            self.watcher.record(&slot.record)?;
        }
        Ok(())
    }

    /// Starts nothing new any more; with [`Stopping::Terminate`] also stops what runs.
    pub fn stop(&mut self, how: Stopping, why: &str) {
        if how <= self.stopping {
            return;
        }
        self.stopping = how;
        let action = if how == Stopping::Quit { "quit" } else { "terminate" };
        self.tell(&Event::Stop { action, why });
        if how == Stopping::Terminate {
            self.kill_jobs();
        }
        for (_, index) in std::mem::take(&mut self.delayed) {
            self.conclude(index);
        }
        for index in std::mem::take(&mut self.locked) {
            self.finish(index, Some(Action::Cancelled), Fate::cancelled(), None);
        }
        for Reverse((_, index)) in std::mem::take(&mut self.ready) {
            self.finish_unstarted(index);
        }
        self.settle_released();
    }

    /// What is ready when a run stops: a retry ends as the failure that it was.
    pub fn finish_unstarted(&mut self, index: Index) {
        if self.tasks[index].failure.is_some() && self.tasks[index].attempts > 0 {
            self.conclude(index);
        } else {
            self.finish(index, Some(Action::Cancelled), Fate::cancelled(), None);
        }
    }

    /// A signal came: the first quits, the second terminates.
    pub fn signalled(&mut self, stop: Stop) {
        let how = if self.stopping == Stopping::No { Stopping::Quit } else { Stopping::Terminate };
        self.stop(how, stop.0);
    }

    /// How long until something has to be done that no descriptor tells.
    pub fn next_time(&self) -> Option<Duration> {
        let now = Instant::now();
        let times = self.delayed.iter().map(|(time, _)| *time).chain(self.kill_at);
        let times = times.chain(self.hook.as_ref().and_then(Hook::deadline));
        let times = times.map(|time| time.saturating_duration_since(now));
        let locked = (!self.locked.is_empty() && self.free_slot().is_some()).then_some(LOCK_INTERVAL);
        times.chain(locked).chain(self.watcher.tick()).min()
    }

    pub fn free_slot(&self) -> Option<usize> {
        self.jobs.iter().position(Option::is_none)
    }

    pub fn key(&self, index: Index) -> Option<Key> {
        self.graph[index].key
    }
}

/// How often is looked whether another scheduler has finished an element.
pub(super) const LOCK_INTERVAL: Duration = Duration::from_millis(100);

impl Done {
    /// Puts what became of an element into one of its records.
    fn apply(&self, record: &mut Record) -> Result<()> {
        if let Some(answer) = &self.answer {
            record.absorb(answer);
        }
        if let Some(schedule) = &self.schedule {
            record.set("schedule", schedule)?;
        }
        if let Some(error) = &self.error {
            record.set_error(error)?;
        }
        Ok(())
    }
}
