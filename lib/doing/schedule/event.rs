//! What happens during a run, for those who watch it: the lines of `--events` and the display.

use crate::values::record::{Blocker, Decision, Identity};
use crate::values::result::{BuildResult, FailureClass};
use crate::values::{Exit, Key, record::Action};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// Which element an event speaks of.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Subject<'a> {
    #[serde(flatten)]
    pub identity: &'a Identity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
}

/// When something happened, and to which element.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Since the begin of the run.
    pub since: Duration,
    pub counts: &'a Counts,
    pub subject: Option<Subject<'a>>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event<'a> {
    /// The first event.
    Begin { command: &'a str, jobs: usize, pid: u32 },
    /// CMD starts for an element.
    Start {
        attempt: u32,
        /// From 0 to the number of jobs - 1: no two elements at a time have one slot.
        slot: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// CMD ended.
    End {
        attempt: u32,
        slot: usize,
        success: bool,
        duration_ms: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<FailureClass>,
        description: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        log: Option<&'a Path>,
        #[serde(skip)]
        result: Option<&'a BuildResult>,
    },
    /// A line that CMD or a hook wrote to stderr. Not in the file of events: it may be anything.
    #[serde(skip)]
    Output { text: &'a [u8] },
    /// Another bst-schedule builds the same key: this one waits for it.
    Wait,
    /// A hook starts.
    Ask { hook: &'a str },
    /// What follows from a failure.
    Decide {
        #[serde(flatten)]
        decision: &'a Decision,
    },
    /// The element's record is complete.
    Settle {
        action: Action,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        failed: bool,
        #[serde(skip_serializing_if = "<[Blocker]>::is_empty")]
        blocked_by: &'a [Blocker],
        #[serde(skip_serializing_if = "Option::is_none")]
        log: Option<&'a Path>,
        #[serde(skip)]
        result: Option<&'a BuildResult>,
        /// The failure counts as a warning only.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        warn: bool,
        /// Why there is an error instead of a result.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
    /// A signal came, or the policy stops the run.
    Stop { action: &'static str, why: &'a str },
    /// Something that a person should know.
    Warn { message: &'a str },
    /// The last event.
    Finish { counts: Counts, exit: u8 },
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Elements that came.
    pub total: usize,
    pub built: usize,
    pub cached: usize,
    pub failed: usize,
    pub replayed: usize,
    pub blocked: usize,
    pub cancelled: usize,
    pub skipped: usize,
    /// Records that could not be treated.
    pub errors: usize,
    #[serde(skip)]
    pub running: usize,
}

impl Counts {
    /// Elements whose record is complete.
    pub fn done(&self) -> usize {
        self.built
            + self.cached
            + self.failed
            + self.replayed
            + self.blocked
            + self.cancelled
            + self.skipped
            + self.errors
    }
}

/// Somebody who is told what happens, and takes the records.
pub trait Watcher {
    /// Something happened.
    fn event(&mut self, moment: &Moment<'_>, event: &Event<'_>);

    /// A record is complete: in input order.
    fn record(&mut self, record: &crate::values::Record) -> crate::values::Result<()>;

    /// Nothing happens for the time being: what was held back goes out.
    fn flush(&mut self) -> crate::values::Result<()>;

    /// How long from now the watcher wants to be flushed at the latest, for a display that moves.
    fn tick(&self) -> Option<Duration>;
}

/// The number that a run ends with, for [`Event::Finish`].
pub fn finish(counts: Counts, exit: Exit) -> Event<'static> {
    Event::Finish { counts, exit: exit.code() }
}
