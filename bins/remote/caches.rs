//! The servers of one cache, in the order in which they are asked.

use crate::wire::Server;
use crate::wire::server::Compress;
use bst_plumbing::project::remotes::Remote;
use bst_plumbing::values::{Code, Error, Result};
use std::sync::Arc;

/// The servers of a project's artifacts or sources.
#[derive(Clone, Default)]
pub struct Caches {
    servers: Vec<Arc<Server>>,
}

impl Caches {
    /// Prepares to speak to servers. One that cannot be used, because a certificate is missing for instance,
    /// is left out; what is wrong with it is said to `warn`.
    pub fn new(remotes: &[Remote], compress: Compress, mut warn: impl FnMut(&Error)) -> Caches {
        let mut servers = Vec::with_capacity(remotes.len());
        for remote in remotes {
            match Server::new(remote, compress) {
                Ok(server) => servers.push(Arc::new(server)),
                Err(error) => warn(&error),
            }
        }
        Caches { servers }
    }

    /// How they were configured.
    pub fn remotes(&self) -> impl Iterator<Item = &Remote> {
        self.servers.iter().map(|server| server.remote())
    }

    /// Those that know what a name stands for.
    pub fn indexes(&self, push: bool) -> Vec<Arc<Server>> {
        self.select(push, |remote| remote.holds.index())
    }

    /// Those that have blobs.
    pub fn storages(&self, push: bool) -> Vec<Arc<Server>> {
        self.select(push, |remote| remote.holds.storage())
    }

    /// Whether something can be got from them, or pushed to them.
    pub fn check(&self, push: bool) -> Result<()> {
        let missing = match (self.indexes(push).is_empty(), self.storages(push).is_empty()) {
            (false, false) => return Ok(()),
            (true, true) => "no server",
            (true, false) => "no index server",
            (false, true) => "no storage server",
        };
        let which = if push { " to push to" } else { "" };
        let what = "name one under artifacts or source-caches of the configuration, or on the command line";
        Err(Error::new(Code::Network, format!("there is {missing}{which}; {what}")))
    }

    fn select(&self, push: bool, holds: impl Fn(&Remote) -> bool) -> Vec<Arc<Server>> {
        let fits = |server: &&Arc<Server>| holds(server.remote()) && (!push || server.remote().push);
        self.servers.iter().filter(fits).cloned().collect()
    }
}
