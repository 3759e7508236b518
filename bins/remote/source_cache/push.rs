//! From the store to source caches.

use super::Entry;
use crate::caches::Caches;
use crate::transfer::send::{self, Cargo};
use crate::transfer::{Volume, walk};
use crate::wire::asset::{Asset, Association};
use bst_plumbing::store::Store;
use bst_plumbing::values::{Digest, Error, Result, proto};
use prost::Message;
use prost::bytes::Bytes;

/// Sends an entry to the servers that may be pushed to. `None`: the store does not have it, or not all of it.
/// Otherwise what went over the wire; and whether a server learned a new name.
pub async fn push(caches: &Caches, store: &Store, entry: &Entry) -> Result<Option<(Volume, bool)>> {
    caches.check(true)?;
    let Some(tree) = entry.read(store)? else { return Ok(None) };
    if !walk::is_complete(&store.cas(), tree)? {
        return Ok(None);
    }
    let message = Bytes::from(proto::Source { version: 0, files: Some(tree.to_proto()) }.encode_to_vec());
    let (kind, digest, extra) = match entry {
        Entry::Element(_) => (Asset::Blob, Digest::of(&message), vec![message]),
        Entry::Single(..) => (Asset::Directory, tree, Vec::new()),
    };
    let mut volume = Volume::default();
    for storage in caches.storages(true) {
        let cargo = Cargo { trees: vec![tree], blobs: Vec::new(), extra: extra.clone() };
        let sent = send::send(&storage, &store.cas(), cargo).await?;
        if let Some(lost) = sent.absent.first() {
            return Err(Error::not_found(format!("blob {lost} of the sources went away while they were pushed")));
        }
        volume += sent.volume;
    }
    let mut named = false;
    for index in caches.indexes(true) {
        if index.fetch_asset(kind, &entry.uri()).await? != Some(digest) {
            let association = Association {
                kind,
                uris: vec![entry.uri()],
                digest,
                blobs: Vec::new(),
                directories: if kind == Asset::Blob { vec![tree] } else { Vec::new() },
            };
            index.push_asset(&association).await?;
            named = true;
        }
    }
    Ok(Some((volume, named)))
}
