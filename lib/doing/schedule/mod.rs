//! Runs CMD for each element whose artifact is missing: in dependency order, several at a time, under a
//! policy. The policy's words are in bst-policy(7).
//!
//! One thread does everything here: it waits for records, for what jobs and hooks say, for their ends, for
//! signals and for time. Records come from a [`Feed`], which another thread fills.

mod command;
mod event;
mod failures;
mod graph;
mod hook;
mod intake;
mod job;
mod jobs;
mod locks;
mod lookup;
mod outcome;
mod run;
mod scope;
mod signals;
mod state;

pub use command::Pipeline;
pub use event::{Counts, Event, Moment, Subject, Watcher};
pub use run::{Feed, Feeder, feed, run};

use super::policy::{Action, Policy};
use crate::store::Store;
use std::time::Duration;

/// How a run goes.
#[derive(Clone, Debug)]
pub struct Options {
    /// CMD.
    pub pipeline: Pipeline,
    /// How many of it run at a time.
    pub jobs: usize,
    pub policy: Policy,
    /// What is done when a hook gives no answer.
    pub on_error_default: Action,
    /// How long a hook may take.
    pub hook_timeout: Duration,
    /// After so many failed elements nothing new starts.
    pub max_failures: Option<usize>,
    /// Whether an artifact that the weak key finds is good enough.
    pub non_strict: bool,
    /// Whether only what the targets need is built.
    pub needed: bool,
    pub store: Store,
}
