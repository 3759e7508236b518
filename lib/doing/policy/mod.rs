//! What a failure means for the rest: the words of bst-policy(7) and what follows from them.

mod answer;
mod classes;

pub use answer::{Answer, parse_answer};
pub use classes::Classes;

use crate::values::record::PolicyField;
use crate::values::result::{BuildResult, FailureClass};
use crate::values::{Error, Result};
use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

/// What is done after a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Try again.
    Retry,
    /// Build all that does not depend on it.
    Continue,
    /// Start nothing new, let what runs finish.
    Quit,
    /// Stop what runs.
    Terminate,
}

impl Action {
    /// The word in records, answers and switches.
    pub fn word(self) -> &'static str {
        match self {
            Action::Retry => "retry",
            Action::Continue => "continue",
            Action::Quit => "quit",
            Action::Terminate => "terminate",
        }
    }

    /// The action of a word.
    pub fn from_word(word: &str) -> Option<Action> {
        [Action::Retry, Action::Continue, Action::Quit, Action::Terminate].into_iter().find(|a| a.word() == word)
    }
}

/// Who decides after a failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OnError {
    /// It is decided already.
    Do(Action),
    /// A program is asked.
    Ask(PathBuf),
}

impl OnError {
    /// What `--on-error` and `--on-error-default` take, apart from `exec:`.
    pub fn fixed(word: &str) -> Result<Action> {
        Action::from_word(word).filter(|action| *action != Action::Retry).ok_or_else(|| {
            Error::usage(format!(
                "\"{}\" is nothing that can be done on an error; write continue, quit or terminate",
                word.escape_default()
            ))
        })
    }
}

/// What a cached failure is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnCachedFailure {
    /// It is the answer.
    Replay,
    /// It is built again.
    Retry,
    /// It is the answer, and no reason to stop or to exit with a failure.
    Warn,
}

impl OnCachedFailure {
    /// What `--on-cached-failure` takes.
    pub fn from_word(word: &str) -> Result<OnCachedFailure> {
        match word {
            "replay" => Ok(OnCachedFailure::Replay),
            "retry" => Ok(OnCachedFailure::Retry),
            "warn" => Ok(OnCachedFailure::Warn),
            _ => Err(Error::usage(format!(
                "\"{}\" is nothing to do with a cached failure; write replay, retry or warn",
                word.escape_default()
            ))),
        }
    }
}

/// The policy for one element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    pub on_error: OnError,
    pub on_cached_failure: OnCachedFailure,
    /// Which failures are built again. `None`: no stored one, and of this run's the retryable ones.
    pub retry: Option<Classes>,
    /// Which stored failures are an answer.
    pub replay: Classes,
    /// How long a stored failure is an answer.
    pub failure_ttl: Option<Duration>,
    /// How often an element is tried in one run. `None`: once, or as often as a hook asks for up to
    /// [`HOOK_ATTEMPTS`].
    pub max_attempts: Option<u32>,
}

/// How often a hook may ask for a retry of one element where no other limit is given: a hook that always
/// says `retry` comes to an end.
pub const HOOK_ATTEMPTS: u32 = 100;

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            on_error: OnError::Do(Action::Quit),
            on_cached_failure: OnCachedFailure::Replay,
            retry: None,
            replay: Classes::ALL,
            failure_ttl: None,
            max_attempts: None,
        }
    }
}

/// What a stored failure is worth under a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    /// It is the answer. `warn`: it counts as a warning only.
    Answers { warn: bool },
    /// The element is built again, for this reason.
    Again(&'static str),
}

impl Policy {
    /// The policy for a record that may carry a `policy` of its own.
    pub fn with(&self, field: Option<&PolicyField>) -> Result<Cow<'_, Policy>> {
        let Some(field) = field else { return Ok(Cow::Borrowed(self)) };
        let mut policy = self.clone();
        policy.apply(field).map_err(|error| Error::malformed(format!("field \"policy\": {error}")))?;
        Ok(Cow::Owned(policy))
    }

    fn apply(&mut self, field: &PolicyField) -> Result<()> {
        if let Some(word) = &field.on_error {
            self.on_error = OnError::Do(OnError::fixed(word)?);
        }
        if let Some(word) = &field.on_cached_failure {
            self.on_cached_failure = OnCachedFailure::from_word(word)?;
        }
        if let Some(words) = &field.retry {
            self.retry = Some(Classes::parse(words)?);
        }
        if let Some(words) = &field.replay {
            self.replay = Classes::parse(words)?;
        }
        if let Some(text) = &field.failure_ttl {
            self.failure_ttl = Some(parse_duration(text)?);
        }
        self.max_attempts = field.max_attempts.or(self.max_attempts);
        Ok(())
    }

    /// What a failure in the store is worth.
    pub fn on_stored(&self, result: &BuildResult) -> Stored {
        let class = class_of(result);
        let expired = |ttl| result.finished.is_some_and(|finished| finished.age() >= ttl);
        if self.on_cached_failure == OnCachedFailure::Retry || self.retry.is_some_and(|classes| classes.has(class)) {
            Stored::Again("retry")
        } else if !self.replay.has(class) {
            Stored::Again("no-replay")
        } else if self.failure_ttl.is_some_and(expired) {
            Stored::Again("expired")
        } else {
            Stored::Answers { warn: self.on_cached_failure == OnCachedFailure::Warn }
        }
    }

    /// Whether a failure of this run is tried again without asking anybody. `attempts`: how often it was
    /// tried.
    pub fn retries(&self, class: FailureClass, attempts: u32) -> bool {
        let asks = matches!(self.on_error, OnError::Ask(_));
        !asks && attempts < self.max_attempts.unwrap_or(1) && self.retry.unwrap_or(Classes::RETRYABLE).has(class)
    }

    /// Whether a hook may have another try.
    pub fn allows_retry(&self, attempts: u32) -> bool {
        attempts < self.max_attempts.unwrap_or(HOOK_ATTEMPTS)
    }
}

/// The class of a failure; [`FailureClass::Unknown`] where nobody said.
pub fn class_of(result: &BuildResult) -> FailureClass {
    result.class.unwrap_or(FailureClass::Unknown)
}

/// A duration as people write it: `90s`, `2h 30m`, `1d`; a plain number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(seconds) = text.parse() {
            return Ok(Duration::from_secs(seconds));
        }
    }
    humantime::parse_duration(text).map_err(|error| {
        Error::usage(format!("\"{}\" is no duration ({error}); write 90s, 30m, 2h or 1d", text.escape_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Time;

    fn failure(class: FailureClass, age: u64) -> BuildResult {
        let finished = Some(Time::from_seconds(Time::now().seconds() - age));
        BuildResult { class: Some(class), finished, ..BuildResult::default() }
    }

    #[test]
    fn a_stored_failure_answers_unless_the_policy_says_otherwise() {
        let old = failure(FailureClass::Command, 3600);
        let policy = Policy::default();
        assert_eq!(policy.on_stored(&old), Stored::Answers { warn: false });
        let ttl = Policy { failure_ttl: Some(Duration::from_secs(1800)), ..Policy::default() };
        assert_eq!(ttl.on_stored(&old), Stored::Again("expired"));
        assert_eq!(ttl.on_stored(&failure(FailureClass::Command, 60)), Stored::Answers { warn: false });
        let none = Policy { replay: Classes::NONE, ..Policy::default() };
        assert_eq!(none.on_stored(&old), Stored::Again("no-replay"));
        let weather = Policy { retry: Some(Classes::RETRYABLE), ..Policy::default() };
        assert_eq!(weather.on_stored(&old), Stored::Answers { warn: false });
        assert_eq!(weather.on_stored(&failure(FailureClass::Timeout, 0)), Stored::Again("retry"));
    }

    #[test]
    fn a_record_overrides_the_command_line_but_runs_no_program() {
        let base = Policy::default();
        let field = PolicyField { retry: Some("failed".into()), ..PolicyField::default() };
        let policy = base.with(Some(&field)).unwrap();
        assert_eq!(policy.on_stored(&failure(FailureClass::Command, 0)), Stored::Again("retry"));
        let field = PolicyField { on_error: Some("exec:/bin/sh".into()), ..PolicyField::default() };
        assert!(base.with(Some(&field)).is_err());
    }

    #[test]
    fn retries_are_counted() {
        let policy = Policy { max_attempts: Some(3), ..Policy::default() };
        assert!(policy.retries(FailureClass::Timeout, 1) && policy.retries(FailureClass::Timeout, 2));
        assert!(!policy.retries(FailureClass::Timeout, 3));
        assert!(!policy.retries(FailureClass::Command, 1));
        assert!(!Policy::default().retries(FailureClass::Timeout, 1));
    }

    #[test]
    fn durations_as_people_write_them() {
        assert_eq!(parse_duration("90").unwrap(), Duration::from_secs(90));
        assert_eq!(parse_duration("1d").unwrap(), Duration::from_secs(86400));
        assert!(parse_duration("soon").is_err() && parse_duration("").is_err());
    }
}
