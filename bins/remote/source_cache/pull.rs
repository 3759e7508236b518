//! From source caches to the store.

use super::Entry;
use crate::caches::Caches;
use crate::transfer::Volume;
use crate::transfer::receive::{self, Order};
use crate::wire::Server;
use crate::wire::asset::Asset;
use bst_plumbing::store::Store;
use bst_plumbing::values::{Code, Digest, Error, Result, proto};
use prost::Message;
use std::sync::Arc;

/// Brings an entry into the store; `None` if no server has it. It is seen there when all of it is there. A
/// server that cannot be asked is an error only if no other has the entry.
pub async fn pull(caches: &Caches, store: &Store, entry: &Entry) -> Result<Option<Volume>> {
    caches.check(false)?;
    let storages = caches.storages(false);
    let mut failure = None;
    for index in caches.indexes(false) {
        match pull_from(&index, &storages, store, entry).await {
            Ok(None) => {}
            Ok(Some(volume)) => return Ok(Some(volume)),
            Err(error) if error.code() == Code::Network => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    failure.map_or(Ok(None), Err)
}

async fn pull_from(index: &Server, storages: &[Arc<Server>], store: &Store, entry: &Entry) -> Result<Option<Volume>> {
    let uri = entry.uri();
    let kind = match entry {
        Entry::Element(_) => Asset::Blob,
        Entry::Single(..) => Asset::Directory,
    };
    let Some(digest) = index.fetch_asset(kind, &uri).await? else { return Ok(None) };
    let broken = |error: Error| match error.code() {
        Code::NotFound | Code::Damaged => index.network(format_args!("{uri}: {}", error.message())),
        _ => error,
    };
    let tree = match entry {
        Entry::Single(..) => digest,
        Entry::Element(_) => tree_of(storages, digest).await.map_err(broken)?,
    };
    let order = Order { trees: vec![tree], blobs: Vec::new() };
    let volume = receive::receive(storages, store, &order).await.map_err(broken)?;
    entry.write(store, &tree)?;
    Ok(Some(volume))
}

/// The tree that the message of an element's sources names.
async fn tree_of(storages: &[Arc<Server>], digest: Digest) -> Result<Digest> {
    let blobs = receive::read_all(storages, vec![digest]).await?;
    let files = blobs.first().and_then(|(_, bytes)| proto::Source::decode(&bytes[..]).ok()?.files);
    let files = files.ok_or_else(|| Error::damaged(format!("the blob {digest} should name sources and does not")))?;
    Digest::from_proto(&files)
}
