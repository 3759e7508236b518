//! Building one element: its dependencies and sources are staged, its commands run in the sandbox, and what
//! they left is ready to be committed. The store's artifacts are not touched.

mod assembly;
mod batch;
mod classify;
mod commands;
mod compose;
mod dependency;
mod elsewhere;
mod job;
mod log;
mod place;
mod plain;
mod scene;
mod script;
mod stage;

pub use classify::Rules;
pub use elsewhere::Elsewhere;
pub use job::{Job, Seen};

use super::sandbox::{Cancel, Limits};
use super::staging::tree::Directory;
use crate::store::Store;
use crate::values::record::{Instructions, Work};
use crate::values::result::{BuildResult, FailureClass};
use crate::values::{Code, Digest, Error, Result, time::Time};
use dependency::Dependency;
use log::Log;
pub use place::Place;
use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What building needs beside the record.
pub struct Builder<'a> {
    pub store: Store,
    /// bubblewrap.
    pub bwrap: Option<PathBuf>,
    /// `PROGRAM VERSION`, for the result.
    pub name: String,
    /// The name of this machine.
    pub host: String,
    /// How long a build may take.
    pub timeout: Option<Duration>,
    /// How many bytes of memory.
    pub memory: Option<u64>,
    /// How many processes at once.
    pub processes: Option<u64>,
    /// Whether the build tree and root are kept after a success too.
    pub keep: bool,
    pub cancel: &'a dyn Cancel,
    /// The user's word on classes.
    pub rules: Rules,
    /// Where commands run instead of in the sandbox here.
    pub elsewhere: Option<Elsewhere>,
    /// Whether overlays can be had here, as far as is known.
    pub overlays: Cell<bool>,
}

/// A build that was made, well or not.
pub struct Built {
    pub result: BuildResult,
    pub work: Work,
}

/// Why a build failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub class: FailureClass,
    pub description: String,
    pub detail: Option<String>,
    pub phase: String,
    pub command: Option<String>,
    pub exit: Option<i32>,
    pub signal: Option<i32>,
}

impl Failure {
    pub(crate) fn new(class: FailureClass, phase: &str, description: impl Into<String>) -> Failure {
        Failure {
            class,
            description: description.into(),
            detail: None,
            phase: phase.to_owned(),
            command: None,
            exit: None,
            signal: None,
        }
    }
}

impl Failure {
    /// Takes into account that what the build left cannot be kept because the disk is full.
    fn lost(&mut self, error: Error) -> Result<()> {
        if !is_full(&error) {
            return Err(error);
        }
        self.class = FailureClass::Resource;
        self.detail = Some(error.message().to_owned());
        Ok(())
    }
}

/// Whether an error says that something is used up.
fn is_full(error: &Error) -> bool {
    [libc::ENOSPC, libc::EDQUOT, libc::ENOMEM].iter().any(|&number| error.os_error() == Some(number))
}

/// How far a build came.
pub(crate) enum Stop {
    /// It failed.
    Failed(Failure),
    /// Something around it did not work.
    Broken(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Broken(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl Builder<'_> {
    /// Builds the element of a job. An error means that there was nothing to build: the record is wrong, or
    /// a dependency is not there. Everything that went wrong with the build itself is in the result.
    pub fn build(&self, job: &Job) -> Result<Built> {
        let started = Time::now();
        let clock = Instant::now();
        let dependencies: Vec<Dependency> =
            job.stage.iter().map(|staged| Dependency::find(&self.store, staged)).collect::<Result<_>>()?;
        let mut place = Place::make(&self.store)?;
        let mut log = Log::start(place.path(), &self.name, &job.identity.element, job.key)?;
        let since = log.begin("Build")?;
        let mut run = Run {
            builder: self,
            job,
            dependencies: &dependencies,
            place: &mut place,
            log: &mut log,
            limits: Limits {
                deadline: self.timeout.map(|timeout| clock + timeout),
                memory: self.memory,
                processes: self.processes,
                disk: Some(self.store.root().to_owned()),
            },
            work: Work::default(),
        };
        let outcome = run.kind();
        let mut work = std::mem::take(&mut run.work);
        let failure = match outcome {
            Ok(()) => None,
            Err(Stop::Failed(failure)) => Some(failure),
            Err(Stop::Broken(error)) => Some(of_error(error)?),
        };
        let mut result = BuildResult {
            builder: Some(self.name.clone()),
            host: Some(self.host.clone()),
            started: Some(started),
            success: failure.is_none(),
            description: "succeeded".to_owned(),
            ..BuildResult::default()
        };
        match failure {
            None => log.end(since, true, "Build")?,
            Some(failure) => {
                log.end(since, false, &failure.description)?;
                if let Some(detail) = &failure.detail {
                    log.detail(detail)?;
                }
                describe(&mut result, failure);
            }
        }
        result.log_tail = (!result.success).then(|| log.tail());
        result.finished = Some(Time::now());
        result.duration_ms = Some(u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX));
        work.log = Some(place::text(log.path())?);
        work.dir = place::text(place.path())?;
        place.keep();
        Ok(Built { result, work })
    }
}

fn describe(result: &mut BuildResult, failure: Failure) {
    result.class = Some(failure.class);
    result.retryable = Some(failure.class.retryable());
    result.description = failure.description;
    result.detail = failure.detail;
    result.phase = Some(failure.phase);
    result.command = failure.command;
    result.exit = failure.exit;
    result.signal = failure.signal;
}

/// The class of an error that stopped a build; those that say that the record or the store is wrong stay
/// errors.
fn of_error(error: Error) -> Result<Failure> {
    let full = is_full(&error);
    let (class, phase) = match error.code() {
        _ if full => (FailureClass::Resource, "stage"),
        Code::Staging => (FailureClass::Staging, "stage"),
        Code::Source => (FailureClass::Source, "source"),
        Code::Network => (FailureClass::Network, "source"),
        Code::Sandbox => (FailureClass::Sandbox, "sandbox"),
        Code::Cancelled => (FailureClass::Cancelled, "build"),
        _ => return Err(error),
    };
    Ok(Failure::new(class, phase, error.message()))
}

/// One build under way.
pub(crate) struct Run<'a> {
    builder: &'a Builder<'a>,
    job: &'a Job,
    dependencies: &'a [Dependency],
    place: &'a mut Place,
    log: &'a mut Log,
    limits: Limits,
    work: Work,
}

impl Run<'_> {
    /// Stores the directories of a tree whose files are in the store already.
    fn put_tree(&self, tree: &Directory) -> Result<Digest> {
        let batch = self.builder.store.cas().batch()?;
        let digest = tree.store(&mut |bytes| batch.put(bytes).map(drop))?;
        batch.finish()?;
        Ok(digest)
    }

    fn kind(&mut self) -> Result<(), Stop> {
        match &self.job.build.instructions {
            Instructions::Commands(commands) => self.commands(commands),
            Instructions::Import { source, target } => self.import(source, target),
            Instructions::Stack => self.stack(),
            Instructions::Compose(split) => self.compose(split),
            Instructions::Filter(split) => self.filter(split),
            Instructions::CheckForbidden(check) => self.check_forbidden(check),
            Instructions::CollectIntegration(collect) => self.collect_integration(collect),
            Instructions::SnapImage(snap) => self.snap_image(snap),
            _ => Err(Error::new(
                Code::Unsupported,
                format!("an element of kind {} cannot be built", self.job.kind.escape_default()),
            )
            .into()),
        }
    }
}
