//! Source caches for a program without an async runtime: one is started when the first server is asked, and
//! none where no server is configured.

use super::Entry;
use crate::caches::Caches;
use crate::options::{Servers, What};
use crate::run;
use bst_plumbing::doing::source::cache;
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::store::Store;
use bst_plumbing::values::record::{Identity, Source};
use bst_plumbing::values::{Code, Result};
use std::sync::{Mutex, OnceLock};
use tokio::runtime::Runtime;

/// The source caches of the configuration, which is read when the first source is asked for.
pub struct SourceCaches {
    program: &'static str,
    arguments: Arguments,
    servers: OnceLock<Result<Servers>>,
    runtime: Mutex<Option<Runtime>>,
}

impl SourceCaches {
    /// Those that the command line and the configuration name.
    pub fn new(program: &'static str, arguments: &Arguments) -> SourceCaches {
        let arguments = arguments.clone();
        SourceCaches { program, arguments, servers: OnceLock::new(), runtime: Mutex::default() }
    }

    /// Brings what there is of the sources of an element into the store: all of them together, or else each
    /// that is not there. A server that cannot be reached, or sends what is no use, is named on stderr: there
    /// are other ways to sources.
    pub fn pull(&self, of: &Identity, store: &Store, sources: &[Source]) -> Result<()> {
        let servers = self.servers.get_or_init(|| Servers::new(self.program, What::Sources, &self.arguments));
        let caches = servers.as_ref().map_err(Clone::clone)?.of(&of.project, &of.element);
        if caches.check(false).is_err() || self.pull_entry(of, &caches, store, &Entry::of_element(sources)?)? {
            return Ok(());
        }
        for source in sources {
            if cache::single(store, source)?.is_none() {
                self.pull_entry(of, &caches, store, &Entry::of_source(source)?)?;
            }
        }
        Ok(())
    }

    fn pull_entry(&self, of: &Identity, caches: &Caches, store: &Store, entry: &Entry) -> Result<bool> {
        let pulled = self.handle()?.block_on(super::pull(caches, store, entry));
        match pulled {
            Ok(pulled) => Ok(pulled.is_some()),
            Err(error) if error.code() == Code::Network => {
                eprintln!("{}: {}: {error}", self.program, of.element);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn handle(&self) -> Result<tokio::runtime::Handle> {
        let mut runtime = self.runtime.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let started = run::runtime(2)?;
        Ok(runtime.insert(started).handle().clone())
    }
}
