//! Running an action of the store on an execution service: what it needs goes there, what it made comes back.

mod log;

use crate::proto::execution::{ActionResult, Tree};
use crate::transfer::receive::{self, Order};
use crate::transfer::send::{self, Cargo};
use crate::wire::Server;
use crate::wire::execution::{Executed, Running};
use bst_plumbing::store::Store;
use bst_plumbing::values::proto::Action;
use bst_plumbing::values::{Code, Digest, Error, Result, directory, proto};
use log::Log;
use prost::Message;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The services of remote execution.
pub struct Services {
    /// Absent: only what the action cache knows can be had.
    pub execution: Option<Arc<Server>>,
    pub storage: Arc<Server>,
    pub action_cache: Option<Arc<Server>>,
}

/// How an action is run.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Trees that the action does not name and that must be there.
    pub also: Vec<Digest>,
    /// Run it even if its result is known.
    pub skip_cache: bool,
}

/// What an action gave.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it was not run, because its result was known.
    pub cached: bool,
    pub exit_code: i32,
    /// The trees that it made, all of them in the store now.
    pub outputs: Vec<Output>,
    /// The machine that ran it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub worker: String,
}

/// A directory that an action made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Output {
    /// Relative to the working directory.
    pub path: String,
    pub tree: Digest,
}

impl Services {
    /// Runs an action of the store. What it says goes to `log` as it comes.
    pub async fn run(
        &self,
        store: &Store,
        action: Digest,
        how: &How,
        log: &std::fs::File,
        running: &Running,
    ) -> Result<Outcome> {
        let mut log = Log::new(log, self.storage.clone());
        let (result, cached) = match self.known(action, how).await? {
            Some(result) => (result, true),
            None => self.execute(store, action, how, &mut log, running).await?,
        };
        let storages = [self.storage.clone()];
        log.finish(&storages, &result).await?;
        let outputs = self.outputs(store, &storages, &result).await?;
        if self.action_cache.as_ref().is_some_and(|cache| cache.remote().push) && !cached && result.exit_code == 0 {
            self.remember(action, &result).await;
        }
        let worker = result.execution_metadata.map(|metadata| metadata.worker).unwrap_or_default();
        Ok(Outcome { cached, exit_code: result.exit_code, outputs, worker })
    }

    async fn known(&self, action: Digest, how: &How) -> Result<Option<ActionResult>> {
        match &self.action_cache {
            Some(cache) if !how.skip_cache => cache.action_result(action).await,
            _ => Ok(None),
        }
    }

    /// A cache that does not take it is no reason to fail.
    async fn remember(&self, action: Digest, result: &ActionResult) {
        if let Some(cache) = &self.action_cache {
            let _ = cache.update_action_result(action, result).await;
        }
    }

    async fn execute(
        &self,
        store: &Store,
        action: Digest,
        how: &How,
        log: &mut Log<'_>,
        running: &Running,
    ) -> Result<(ActionResult, bool)> {
        let Some(execution) = &self.execution else {
            return Err(Error::new(Code::Network, "no execution-service is configured, and no cache knows the action"));
        };
        let mut lacked = None;
        // A server may lose what it was sent before it uses it; then it gets it once more.
        for _ in 0..2 {
            self.upload(store, action, how).await?;
            match execution.execute(action, how.skip_cache, running, |update| log.follow(&update)).await? {
                Executed::Done { result, cached } => return Ok((*result, cached)),
                Executed::Incomplete(status) => lacked = Some(status),
            }
        }
        let status = lacked.unwrap_or_else(|| tonic::Status::failed_precondition(""));
        Err(execution.error(format_args!("cannot execute action {action}"), &status))
    }

    /// Sends the action with all that it names.
    async fn upload(&self, store: &Store, action: Digest, how: &How) -> Result<()> {
        let message = Action::decode(&store.cas().read(&action)?[..])
            .map_err(|error| Error::damaged(format!("the blob {action} is no action: {error}")))?;
        let named = |field: &Option<proto::Digest>| {
            let field = field.as_ref().ok_or_else(|| Error::damaged(format!("the action {action} is not complete")))?;
            Digest::from_proto(field)
        };
        let mut cargo = Cargo { blobs: vec![action, named(&message.command_digest)?], ..Cargo::default() };
        cargo.trees.push(named(&message.input_root_digest)?);
        cargo.trees.extend(&how.also);
        let sent = send::send(&self.storage, &store.cas(), cargo).await?;
        match sent.absent.first() {
            Some(digest) => Err(Error::not_found(format!("the store does not have blob {digest} of action {action}"))),
            None => Ok(()),
        }
    }

    /// Brings what the action made into the store.
    async fn outputs(&self, store: &Store, storages: &[Arc<Server>], result: &ActionResult) -> Result<Vec<Output>> {
        if let Some(file) = result.output_files.first() {
            let words = format_args!("the action gave the file {:?}, and only directories were asked for", file.path);
            return Err(self.storage.network(words));
        }
        let mut outputs = Vec::new();
        let lost = |error: Error| match error.code() {
            Code::NotFound | Code::Damaged => self.storage.network(error.message()),
            _ => error,
        };
        for directory in &result.output_directories {
            let tree = match (&directory.root_directory_digest, &directory.tree_digest) {
                (Some(digest), _) if !digest.hash.is_empty() => Digest::from_proto(digest).map_err(lost)?,
                (_, Some(digest)) => {
                    self.unpack(store, storages, Digest::from_proto(digest).map_err(lost)?).await.map_err(lost)?
                }
                _ => return Err(self.storage.network(format_args!("the output {:?} has no digest", directory.path))),
            };
            outputs.push(Output { path: directory.path.clone(), tree });
        }
        let order = Order { trees: outputs.iter().map(|output| output.tree).collect(), blobs: Vec::new() };
        receive::receive(storages, store, &order).await.map_err(lost)?;
        Ok(outputs)
    }

    /// Stores the directories of a Tree message; servers of an older kind give outputs in that form.
    async fn unpack(&self, store: &Store, storages: &[Arc<Server>], digest: Digest) -> Result<Digest> {
        let blobs = receive::read_all(storages, vec![digest]).await?;
        let bytes = blobs.into_iter().next().map(|(_, bytes)| bytes).unwrap_or_default();
        let tree = Tree::decode(bytes).map_err(|error| Error::damaged(format!("{digest} is no tree: {error}")))?;
        let batch = store.cas().batch()?;
        for child in tree.children {
            batch.put(&directory::encode(&child))?;
        }
        let root = batch.put(&directory::encode(&tree.root.unwrap_or_default()))?;
        batch.finish()?;
        Ok(root)
    }
}

impl Services {
    /// From the user's configuration: what is said for the project, or else for all.
    pub fn of(
        configuration: &bst_plumbing::project::remotes::RemoteExecution,
        cache_storage: Option<&bst_plumbing::project::remotes::Remote>,
        compress: crate::wire::server::Compress,
    ) -> Result<Services> {
        let server = |remote| Server::new(remote, compress).map(Arc::new);
        let storage = configuration.storage.as_ref().or(cache_storage);
        let storage = storage.ok_or_else(|| Error::usage("remote-execution names no storage-service"))?;
        Ok(Services {
            execution: configuration.execution.as_ref().map(server).transpose()?,
            storage: server(storage)?,
            action_cache: configuration.action_cache.as_ref().map(server).transpose()?,
        })
    }
}
