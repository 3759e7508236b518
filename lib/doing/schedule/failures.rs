//! What follows from a failure.

use super::event::Event;
use super::graph::{Fate, Index};
use super::hook::Hook;
use super::outcome::log_of;
use super::state::{Scheduler, Stopping};
use crate::doing::policy::{self, Answer, OnError};
use crate::values::record::{Action, Decision};
use crate::values::result::BuildResult;
use crate::values::time::Time;
use std::cmp::Reverse;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

impl Scheduler<'_> {
    /// An element failed, now or earlier: decides what follows, or asks.
    pub fn failed(&mut self, index: Index) {
        let (attempts, warn) = (self.tasks[index].attempts, self.tasks[index].warn);
        let Some(failure) = self.tasks[index].failure else { return };
        if warn || self.stopping == Stopping::Terminate {
            return self.conclude(index);
        }
        let policy = self.policy(index);
        if attempts > 0 && self.stopping == Stopping::No && policy.retries(failure.class, attempts) {
            return self.decide(index, Answer { action: policy::Action::Retry, delay: None, note: None }, "policy");
        }
        match &policy.on_error {
            OnError::Do(action) => {
                let action = *action;
                self.decide(index, Answer { action, delay: None, note: None }, "policy");
            }
            OnError::Ask(_) => self.asking.push_back(index),
        }
    }

    /// Carries a decision out.
    pub fn decide(&mut self, index: Index, answer: Answer, by: &'static str) {
        let mut answer = answer;
        let mut by = by;
        if answer.action == policy::Action::Retry {
            if let Some(problem) = self.no_retry(index) {
                let name = &self.graph[index].identity.element;
                let fallback = self.options.on_error_default;
                let message = format!("{name} is not tried again: {problem}; {} instead", fallback.word());
                self.warn(&message);
                answer = Answer { action: fallback, delay: None, note: answer.note };
                by = "limit";
            }
        }
        let delay = answer.delay.filter(|_| answer.action == policy::Action::Retry);
        let decision = Decision {
            action: answer.action.word().to_owned(),
            attempt: self.tasks[index].attempts,
            by: by.to_owned(),
            delay_ms: delay.map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
            note: answer.note,
            time: Time::now(),
        };
        self.tell_of(index, &Event::Decide { decision: &decision });
        self.tasks[index].decisions.push(decision);
        let why = self.graph[index].identity.element.clone() + " failed";
        match answer.action {
            policy::Action::Retry => self.again(index, delay),
            policy::Action::Continue => self.conclude(index),
            policy::Action::Quit => {
                self.conclude(index);
                self.stop(Stopping::Quit, &why);
            }
            policy::Action::Terminate => {
                self.conclude(index);
                self.stop(Stopping::Terminate, &why);
            }
        }
    }

    /// Why an element may not be tried again.
    fn no_retry(&self, index: Index) -> Option<String> {
        let attempts = self.tasks[index].attempts;
        if self.stopping != Stopping::No {
            return Some("the run is stopping".to_owned());
        }
        (!self.policy(index).allows_retry(attempts)).then(|| format!("it was tried {attempts} times"))
    }

    /// Tries an element again, whatever the store says, now or later.
    fn again(&mut self, index: Index, delay: Option<Duration>) {
        if self.tasks[index].attempts == 0 {
            self.tasks[index].reason = Some("retry");
            // It never waited for its dependencies: a replay needs none.
            self.tasks[index].failure = None;
            self.graph.want(index);
            return self.settle_released();
        }
        match delay.and_then(|delay| Instant::now().checked_add(delay)) {
            Some(time) => self.delayed.push((time, index)),
            None => self.ready.push(Reverse((self.tasks[index].first, index))),
        }
    }

    /// The failure stands: those who wait for the element are blocked.
    pub fn conclude(&mut self, index: Index) {
        let action = if self.tasks[index].attempts == 0 { Action::Replayed } else { Action::Built };
        if !self.tasks[index].warn {
            self.failures += 1;
        }
        self.finish(index, Some(action), Fate::failed(index), None);
        if self.options.max_failures.is_some_and(|most| self.failures >= most) {
            let why = format!("{} elements failed", self.failures);
            self.stop(Stopping::Quit, &why);
        }
        self.settle_released();
    }

    /// The element never had a chance: its record says why already.
    pub fn give_up(&mut self, index: Index) {
        self.finish(index, None, Fate::failed(index), None);
    }

    /// Starts the hook for the next failure, unless one is running: one at a time.
    pub fn ask_next(&mut self) {
        while self.hook.is_none() {
            let Some(index) = self.asking.pop_front() else { return };
            if self.stopping == Stopping::Terminate {
                self.conclude(index);
                continue;
            }
            let OnError::Ask(program) = self.policy(index).on_error.clone() else { continue };
            let mut line = Vec::new();
            let written = self.composed(index).and_then(|record| record.write_line(&mut line));
            let environment = self.environment(index);
            let hook = match written {
                Ok(()) => Hook::start(&program, index, environment, &line, self.options.hook_timeout),
                Err(error) => Err(error.message().to_owned()),
            };
            match hook {
                Ok(hook) => {
                    let hook_name = program.to_string_lossy();
                    self.tell_of(index, &Event::Ask { hook: &hook_name });
                    self.hook = Some(hook);
                }
                Err(problem) => self.fall_back(index, &program, &problem),
            }
        }
    }

    /// Whether nothing new is started because a hook is about to say what follows.
    pub fn waits_for_hook(&self) -> bool {
        self.hook.as_ref().is_some_and(|hook| hook.grace().is_some())
    }

    /// What a hook finds in its environment.
    fn environment(&self, index: Index) -> Vec<(&'static str, OsString)> {
        let task = &self.tasks[index];
        let plain = BuildResult::default();
        let result = task.result.as_ref().unwrap_or(&plain);
        let node = &self.graph[index];
        let class = task.failure.map_or("unknown", |failure| failure.class.word());
        let retryable = task.failure.is_some_and(|failure| failure.class.retryable());
        let attempt = result.attempt.unwrap_or(task.attempts);
        let log = self.log_file(index).unwrap_or_default();
        vec![
            ("BST_ELEMENT", node.identity.element.clone().into()),
            ("BST_PROJECT", node.identity.project.clone().into()),
            ("BST_KEY", node.key.map(|key| key.to_string()).unwrap_or_default().into()),
            ("BST_CLASS", class.into()),
            ("BST_RETRYABLE", retryable.to_string().into()),
            ("BST_ATTEMPT", attempt.to_string().into()),
            ("BST_REPLAY", (task.attempts == 0).to_string().into()),
            ("BST_LOG_FILE", log.into_os_string()),
            ("BST_STORE", self.options.store.root().as_os_str().to_owned()),
        ]
    }

    /// Where the log of an element's last failure lies.
    pub fn log_file(&self, index: Index) -> Option<PathBuf> {
        let task = &self.tasks[index];
        let result = task.result.as_ref()?;
        let answer = task.answer.as_deref().or_else(|| self.record(index))?;
        log_of(answer, result).map(|digest| self.options.store.cas().path(&digest))
    }

    /// Takes what the hook says, and its answer once there is one.
    pub fn hear(&mut self) {
        let Some(hook) = &mut self.hook else { return };
        hook.read();
        hook.check(Instant::now());
        let Some(answer) = hook.answer() else { return };
        let index = hook.index;
        self.hook = None;
        match answer {
            Ok(answer) => self.decide(index, answer, "hook"),
            Err(problem) => {
                let program = match &self.policy(index).on_error {
                    OnError::Ask(program) => program.clone(),
                    OnError::Do(_) => PathBuf::new(),
                };
                self.fall_back(index, &program, &problem);
            }
        }
    }

    fn fall_back(&mut self, index: Index, program: &std::path::Path, problem: &str) {
        let action = self.options.on_error_default;
        let name = &self.graph[index].identity.element;
        let message =
            format!("{} did not decide about {name}: {problem}; {} instead", program.display(), action.word());
        self.warn(&message);
        self.decide(index, Answer { action, delay: None, note: None }, "fallback");
    }
}
