//! What the programs do with one record, and what they write into it.

mod pull;
mod push;
mod query;

use crate::caches::Caches;
use crate::options::{Servers, What};
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::edge::environment;
use bst_plumbing::edge::selection;
use bst_plumbing::store::Store;
use bst_plumbing::store::select::Selection;
use bst_plumbing::values::record::{Cache, Identity};
use bst_plumbing::values::{Code, Error, Record, Result};
use std::sync::Arc;

/// What the programs need for every record.
#[derive(Clone)]
pub struct Context {
    pub program: &'static str,
    servers: Arc<Servers>,
    pub store: Store,
    /// Where nothing is found by the strict key, the weak key is looked for.
    non_strict: bool,
    /// Also what a shell in the build root needs.
    build: bool,
    /// A failure may take the place of a success.
    replace: bool,
    /// The store is asked before servers are, by the ref alone if `by_ref`.
    store_first: bool,
    by_ref: bool,
    selection: Arc<Selection>,
}

impl Context {
    /// From the command line of a program.
    pub fn new(program: &'static str, what: What, arguments: &Arguments) -> Result<Context> {
        Ok(Context {
            program,
            servers: Arc::new(Servers::new(program, what, arguments)?),
            store: Store::new(environment::store_root()?),
            non_strict: arguments.has("non-strict") || arguments.has("no-strict"),
            build: arguments.has("buildtree"),
            replace: arguments.has("replace"),
            store_first: arguments.has("remote"),
            by_ref: arguments.has("exists"),
            selection: Arc::new(selection::of(arguments)?),
        })
    }

    /// Whether a record that was treated is let through.
    pub fn lets_through(&self, record: &Record) -> bool {
        let state = record.get::<Cache>("cache").ok().flatten().map(|cache| cache.state);
        let named =
            record.identity().map(|Identity { project, element }| self.selection.has_element(&project, &element));
        record.has("error") || named.unwrap_or(true) && state.is_none_or(|state| self.selection.has_state(state))
    }

    fn caches_of(&self, record: &Record) -> Result<Arc<Caches>> {
        let Identity { project, element } = record.identity()?;
        Ok(self.servers.of(&project, &element))
    }

    /// Takes what is the network's fault out of an outcome and says it on stderr: a cache that cannot be
    /// reached is no reason not to go on without it.
    fn without_network<T>(&self, record: &Record, outcome: Result<T>) -> Result<Result<T, Error>> {
        match outcome {
            Err(error) if error.code() == Code::Network => {
                eprintln!("{}: {}: {error}", self.program, record.label());
                Ok(Err(error))
            }
            other => other.map(Ok),
        }
    }
}
