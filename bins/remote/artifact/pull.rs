//! From artifact servers to the store.

use super::message::Message;
use super::query::{self, Found};
use crate::caches::Caches;
use crate::transfer::Volume;
use crate::transfer::receive::{self, Order};
use bst_plumbing::store::Store;
use bst_plumbing::values::Result;
use bst_plumbing::values::name::ArtifactName;

/// What became of an artifact.
#[derive(Clone, Debug)]
pub struct Pulled {
    pub message: Message,
    /// The URL of the server that had it.
    pub place: String,
    pub volume: Volume,
}

/// Brings the artifact of a name into the store, with what a shell in its build root needs if `build`.
/// Nothing of the artifact is seen before all of it is there.
pub async fn pull(caches: &Caches, store: &Store, name: &ArtifactName, build: bool) -> Result<Option<Pulled>> {
    let Some(found) = query::find(caches, name).await? else { return Ok(None) };
    take(caches, store, name, found, build).await.map(Some)
}

/// Brings an artifact that was found into the store.
pub async fn take(caches: &Caches, store: &Store, name: &ArtifactName, found: Found, build: bool) -> Result<Pulled> {
    let Found { message, place } = found;
    let parts = message.parts().map_err(|error| query::broken_promise(name, error))?;
    let mut order = Order { trees: parts.trees, blobs: parts.blobs };
    if build {
        order.trees.extend(parts.build);
    }
    let volume = receive::receive(&caches.storages(false), store, &order).await.map_err(|error| {
        if error.code() == bst_plumbing::values::Code::NotFound { query::broken_promise(name, error) } else { error }
    })?;
    Ok(Pulled { message, place, volume })
}
