//! Source caches for a program without an async runtime: one is started when the first server is asked, and
//! none where no server is configured.

use super::Entry;
use crate::options::{Servers, What};
use crate::run;
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::store::Store;
use bst_plumbing::values::record::Identity;
use bst_plumbing::values::{Code, Result};
use std::sync::Mutex;
use tokio::runtime::Runtime;

/// The source caches of the configuration.
pub struct SourceCaches {
    program: &'static str,
    servers: Servers,
    runtime: Mutex<Option<Runtime>>,
}

impl SourceCaches {
    /// From the command line and the configuration.
    pub fn new(program: &'static str, arguments: &Arguments) -> Result<SourceCaches> {
        Ok(SourceCaches {
            program,
            servers: Servers::new(program, What::Sources, arguments)?,
            runtime: Mutex::default(),
        })
    }

    /// Brings an entry into the store; `false` if no server has it. A server that cannot be reached, or sends
    /// what is no use, is named on stderr: there are other ways to sources.
    pub fn pull(&self, of: &Identity, store: &Store, entry: &Entry) -> Result<bool> {
        let caches = self.servers.of(&of.project, &of.element);
        if caches.check(false).is_err() {
            return Ok(false);
        }
        let pulled = self.handle()?.block_on(super::pull(&caches, store, entry));
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
