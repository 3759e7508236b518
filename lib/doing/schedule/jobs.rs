//! Starts CMD, and takes what it left.

use super::event::Event;
use super::graph::{Fate, Index};
use super::job::Job;
use super::locks::Locks;
use super::lookup;
use super::outcome::{Circumstances, Outcome, log_of, not_started, outcome};
use super::state::{Scheduler, Stopping};
use crate::values::record::{Action, Cache, State};
use crate::values::result::BuildResult;
use crate::values::{Record, Result, name::ArtifactName, time::Time};
use rustix::process::{Pid, Signal, WaitStatus};
use std::cmp::Reverse;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long a stopped CMD may take to clean up after itself.
const GRACE: Duration = Duration::from_secs(10);

/// Fields that CMD does not get: they speak of an earlier build.
const STALE: [&str; 6] = ["artifact", "cache", "error", "result", "schedule", "work"];

impl Scheduler<'_> {
    /// Starts as many elements as there is room for.
    pub fn start_ready(&mut self) -> Result<()> {
        self.wake_delayed();
        self.retry_locks()?;
        while self.stopping == Stopping::No {
            let Some(slot) = self.free_slot() else { return Ok(()) };
            let Some(Reverse((_, index))) = self.ready.pop() else { return Ok(()) };
            if !self.lock(index) {
                self.tell_of(index, &Event::Wait);
                self.tasks[index].waits = true;
                self.locked.push(index);
            } else if !self.is_done_meanwhile(index)? {
                self.start(slot, index)?;
            }
        }
        Ok(())
    }

    fn wake_delayed(&mut self) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.delayed.drain(..).partition(|(time, _)| *time <= now);
        self.delayed = later;
        self.ready.extend(due.into_iter().map(|(_, index)| Reverse((self.tasks[index].first, index))));
    }

    /// Looks whether other schedulers have finished what this one waits for.
    fn retry_locks(&mut self) -> Result<()> {
        if self.locked.is_empty() || self.stopping != Stopping::No || self.free_slot().is_none() {
            return Ok(());
        }
        for index in std::mem::take(&mut self.locked) {
            if !self.lock(index) {
                self.locked.push(index);
            } else if !self.is_done_meanwhile(index)? {
                self.unlock(index);
                self.ready.push(Reverse((self.tasks[index].first, index)));
            }
        }
        Ok(())
    }

    fn lock(&mut self, index: Index) -> bool {
        let Some(key) = self.key(index) else { return true };
        if self.locks.is_none() {
            match Locks::of(&self.options.store) {
                Ok(locks) => self.locks = Some(locks),
                // Whether this matters is for CMD to say: it may need no store at all.
                Err(_) => return true,
            }
        }
        self.locks.as_ref().is_none_or(|locks| locks.take(key))
    }

    fn unlock(&self, index: Index) {
        if let (Some(locks), Some(key)) = (&self.locks, self.key(index)) {
            locks.give(key);
        }
    }

    /// Whether somebody else built the element since the store was asked about it; then its result is taken.
    fn is_done_meanwhile(&mut self, index: Index) -> Result<bool> {
        let Some(key) = self.key(index).filter(|_| self.tasks[index].attempts == 0) else { return Ok(false) };
        let identity = &self.graph[index].identity;
        let Ok(name) = ArtifactName::new(&identity.project, &identity.element, key) else { return Ok(false) };
        if !self.options.store.artifacts().exists(&name) {
            return Ok(false);
        }
        let mut found = Record::default();
        let cache: Cache = lookup::ask_strictly(&mut self.query, &name, &mut found)?;
        let result: Option<BuildResult> = found.get("result")?;
        let is_new = result != self.tasks[index].result;
        let task = &mut self.tasks[index];
        match cache.state {
            State::Cached => {
                task.answer = Some(Rc::new(found));
                task.reason = None;
                task.failure = None;
                self.graph[index].effective = cache.key;
                self.unlock(index);
                self.finish(index, Some(Action::Cached), Fate::Good, None);
                self.settle_released();
                Ok(true)
            }
            // A failure that was not known yet: the other scheduler's build is as good as one of ours.
            State::Failed if is_new && (task.waits || task.reason.is_none()) => {
                let result = result.unwrap_or_default();
                let class = crate::doing::policy::class_of(&result);
                task.failure = Some(super::outcome::Failure { class, exit: crate::values::Exit::CachedFailure });
                task.answer = Some(Rc::new(found));
                task.result = Some(result);
                task.reason = None;
                self.unlock(index);
                self.failed(index);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn start(&mut self, slot: usize, index: Index) -> Result<()> {
        let input = self.input(index)?;
        let task = &mut self.tasks[index];
        task.attempts += 1;
        let (attempt, reason) = (task.attempts, task.reason);
        match self.options.pipeline.start(&input) {
            Ok(started) => {
                self.jobs[slot] = Some(Job::new(index, started));
                self.counts.running += 1;
                self.tell_of(index, &Event::Start { attempt, slot, reason });
            }
            Err(error) => {
                let about = self.circumstances(index, Time::now(), Duration::ZERO);
                let outcome = not_started(&error, &about);
                self.ended(slot, index, outcome, Duration::ZERO);
            }
        }
        Ok(())
    }

    /// The record that CMD gets: with all that the build stages, and nothing of earlier builds.
    fn input(&mut self, index: Index) -> Result<Vec<u8>> {
        let mut record = self.record(index).cloned().unwrap_or_default();
        for field in STALE {
            record.remove(field);
        }
        if let Some(stage) = self.scopes.build_scope(&self.graph, index) {
            record.set("stage", &stage)?;
        }
        let mut line = Vec::new();
        record.write_line(&mut line)?;
        Ok(line)
    }

    fn circumstances(&self, index: Index, started: Time, duration: Duration) -> Circumstances<'_> {
        Circumstances {
            identity: &self.graph[index].identity,
            shown: self.options.pipeline.shown(),
            silent: self.options.pipeline.silent,
            started,
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// A process ended: perhaps that was the last of a job.
    pub fn process_ended(&mut self, process: Pid, status: WaitStatus) {
        if self.hook.as_mut().is_some_and(|hook| hook.ended(process, status)) {
            return;
        }
        let mine = |job: &mut Option<Job>| job.as_mut().is_some_and(|job| job.ended(process, status));
        let Some(slot) = self.jobs.iter_mut().position(mine) else { return };
        let Some(job) = self.jobs[slot].take_if(|job| job.is_over()) else { return };
        self.counts.running -= 1;
        let (index, started, duration) = (job.index, job.begun_at, job.begun.elapsed());
        let remains = job.finish(&mut self.printer());
        let outcome = outcome(&remains, &self.circumstances(index, started, duration));
        if remains.killed && !outcome.stored {
            self.cancelled(slot, index, duration);
        } else {
            self.ended(slot, index, outcome, duration);
        }
    }

    /// Takes what jobs say.
    pub fn read_jobs(&mut self) {
        for slot in 0..self.jobs.len() {
            if let Some(mut job) = self.jobs[slot].take() {
                job.read(&mut self.printer());
                self.jobs[slot] = Some(job);
            }
        }
    }

    /// Hands what a job wrote to stderr to the watcher.
    fn printer(&mut self) -> impl FnMut(&[u8]) {
        |text| self.tell(&Event::Output { text })
    }

    fn ended(&mut self, slot: usize, index: Index, outcome: Outcome, duration: Duration) {
        self.unlock(index);
        let class = outcome.failure.map(|failure| failure.class);
        let log = log_of(&outcome.answer, &outcome.result).map(|digest| self.options.store.cas().path(&digest));
        let attempt = self.tasks[index].attempts;
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.tell_of(
            index,
            &Event::End {
                attempt,
                slot,
                success: class.is_none(),
                duration_ms,
                class,
                description: &outcome.result.description,
                log: log.as_deref(),
                result: Some(&outcome.result),
            },
        );
        let mut answer = outcome.answer;
        // What was staged is no news, and would make the stream grow with the square of the project.
        answer.remove("stage");
        if let Ok(Some(artifact)) = answer.get::<crate::values::record::ArtifactField>("artifact") {
            if let Some(reference) = artifact.reference {
                self.graph[index].effective = Some(reference.key());
            }
        }
        let task = &mut self.tasks[index];
        task.answer = Some(Rc::new(answer));
        task.result = Some(outcome.result);
        task.failure = outcome.failure;
        if outcome.failure.is_some() {
            self.failed(index);
        } else {
            self.finish(index, Some(Action::Built), Fate::Good, None);
        }
        self.settle_released();
    }

    fn cancelled(&mut self, slot: usize, index: Index, duration: Duration) {
        self.unlock(index);
        let attempt = self.tasks[index].attempts;
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let class = Some(crate::values::result::FailureClass::Cancelled);
        self.tell_of(
            index,
            &Event::End {
                attempt,
                slot,
                success: false,
                duration_ms,
                class,
                description: "Stopped",
                log: None,
                result: None,
            },
        );
        self.tasks[index].failure = None;
        self.finish(index, Some(Action::Cancelled), Fate::cancelled(), None);
        self.settle_released();
    }

    /// Stops all that runs; what does not stop within a while is killed.
    pub fn kill_jobs(&mut self) {
        for job in self.jobs.iter_mut().flatten() {
            job.signal(Signal::TERM);
        }
        if let Some(hook) = &self.hook {
            hook.stop();
        }
        self.kill_at = Some(Instant::now() + GRACE);
    }

    /// Kills what had its time.
    pub fn kill_stubborn(&mut self) {
        if self.kill_at.is_some_and(|time| time <= Instant::now()) {
            self.kill_at = None;
            for job in self.jobs.iter_mut().flatten() {
                job.signal(Signal::KILL);
            }
        }
    }

    /// Whether there is nothing that could change anything.
    pub fn is_idle(&self) -> bool {
        self.jobs.iter().all(Option::is_none)
            && self.ready.is_empty()
            && self.delayed.is_empty()
            && self.locked.is_empty()
            && self.asking.is_empty()
            && self.hook.is_none()
    }
}
