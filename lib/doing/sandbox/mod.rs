//! The sandbox: bubblewrap, with the view of spec: artifacts 3.1.
//!
//! The root is either a plain directory or an overlay, which is mounted in a user and mount namespace of
//! its own, so that no privilege is needed and nothing is left when the last process ends. bubblewrap is
//! started inside that namespace.

mod bubblewrap;
mod limits;
mod namespace;
mod run;

pub use limits::{Facts, Limits};
pub use run::{Cancel, Ended, Outcome, STATUS};

use crate::values::Result;
use std::fs::File;
use std::path::PathBuf;

/// Everything that a process in the sandbox sees.
pub struct Sandbox {
    /// The program that makes the sandbox.
    pub bwrap: PathBuf,
    pub root: Root,
    /// Whether the root can only be read, but for what is bound.
    pub read_only: bool,
    /// Directories that are put into the root and can be written to.
    pub binds: Vec<Bind>,
    /// Working directory; it is there.
    pub cwd: String,
    /// All of the environment.
    pub environment: Vec<(String, String)>,
    pub uid: u32,
    pub gid: u32,
    /// Whether the host's network is there.
    pub network: bool,
}

/// What `/` is.
pub enum Root {
    /// A directory as it is.
    Plain(PathBuf),
    /// Directories over one another.
    Overlay(Overlay),
}

/// Directories over one another. Paths are relative to `base`: the kernel takes them apart at colons.
#[derive(Clone, Debug)]
pub struct Overlay {
    pub base: PathBuf,
    /// At least two, the topmost first, unless there is an `upper`.
    pub lower: Vec<String>,
    /// Where changes go.
    pub upper: Option<Upper>,
    /// An empty directory to mount it at.
    pub mount: String,
}

/// The writable layer of an overlay.
#[derive(Clone, Debug)]
pub struct Upper {
    pub directory: String,
    /// Scratch of the kernel's, on the same file system.
    pub work: String,
}

/// A directory of the host at a place in the sandbox.
#[derive(Clone, Debug)]
pub struct Bind {
    pub from: PathBuf,
    pub to: String,
}

impl Sandbox {
    /// Runs a command until it ends or a limit is reached. Its output goes to `log`, its input is empty.
    /// What it writes to descriptor 3, line by line, goes to `status`.
    pub fn run(
        &self,
        command: &[String],
        log: &File,
        limits: &Limits,
        cancel: &dyn Cancel,
        status: &mut dyn FnMut(&str),
    ) -> Result<Outcome> {
        run::run(self, command, log, limits, cancel, status)
    }

    /// Runs a command with the caller's own input and output; its exit status. `None` where the root is an
    /// overlay that the system does not mount.
    pub fn interact(&self, command: &[String]) -> Result<Option<i32>> {
        run::interact(self, command)
    }
}
