//! What a load depends on beside the project's files: the machine, the command line, the user's
//! configuration.

use super::helper::Helpers;
use super::plugins::python;
use super::userconfig::UserConfig;
use std::path::PathBuf;

/// The machine, as `uname` and the scheduler describe it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// System, for instance `Linux`.
    pub os: String,
    /// Hardware, for instance `x86_64`.
    pub arch: String,
    /// Processors that this process may use.
    pub processors: usize,
}

/// All of it.
#[derive(Debug)]
pub struct Settings {
    pub machine: Machine,
    pub user: UserConfig,
    /// `-o NAME VALUE`, in order.
    pub options: Vec<(String, String)>,
    /// How many jobs a build may run; else the user's configuration says.
    pub max_jobs: Option<u64>,
    /// Where Python packages are looked for.
    pub python: python::Environments,
    /// Who is asked about kinds that are not native.
    pub helpers: Helpers,
    /// The store, for sources of junctions that were fetched before, and to remember the digests of files.
    pub store: Option<PathBuf>,
    /// How many threads load.
    pub threads: usize,
}

impl Settings {
    /// The text of the variable `max-jobs`.
    pub fn max_jobs(&self) -> String {
        let configured = self.max_jobs.unwrap_or(self.user.build.max_jobs);
        if configured == 0 { self.machine.processors.clamp(1, 8).to_string() } else { configured.to_string() }
    }
}
