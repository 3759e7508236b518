//! Sources: from what a record says of them to one tree in the store. Nothing here needs the network;
//! what has to be downloaded first is an error of code not-found, and bst-fetch brings it.
//!
//! The store keeps sources in three forms, and BuildStream shares all of them (spec: artifacts 1): the
//! download mirrors in `sources`, the staged tree of one source in `source_protos`, and that of all
//! sources of an element together in `elementsources`.

mod archive;
pub mod cache;
mod config;
pub mod git;
mod kinds;
pub mod original;
mod toml;
pub mod tool;
mod tree;

use crate::store::Store;
use crate::values::{Digest, Result, record::Source};
pub use kinds::MANIFESTS;
use original::Original;
use tree::Tree;

/// The tree of an element's sources, each in its directory, later ones over earlier ones.
///
/// Takes it from the cache if it is there, else puts it together from the trees of the single sources or
/// from the downloads, and remembers it. An error of code not-found says what has to be fetched.
pub fn stage(sources: &[Source], store: &Store) -> Result<Digest> {
    let key = cache::element_key(sources)?;
    if let Some(digest) = cache::element(store, &key)? {
        return Ok(digest);
    }
    let digest = stage_first(sources, store)?;
    store.sources().write_element(&key, &digest)?;
    Ok(digest)
}

/// The tree that a further source would find: that of the sources before it, below its directory.
pub fn stage_before(before: &[Source], directory: Option<&str>, store: &Store) -> Result<Digest> {
    let cas = store.cas();
    let mut tree = Tree::load(&cas, &stage_first(before, store)?)?;
    publish(tree.open(&cas, directory.unwrap_or(""))?, store)
}

/// Puts sources together.
fn stage_first(sources: &[Source], store: &Store) -> Result<Digest> {
    let cas = store.cas();
    let mut tree = Tree::default();
    for source in sources {
        let directory = tree.open(&cas, source.directory.as_deref().unwrap_or(""))?;
        let kind = kinds::kind(&source.kind)?;
        if kind.changes_previous() {
            let before = publish(directory, store)?;
            *directory = Tree::load(&cas, &kind.stage(source, store, &before)?)?;
        } else {
            directory.import(&cas, &stage_single(source, store)?)?;
        }
    }
    publish(&tree, store)
}

fn publish(tree: &Tree, store: &Store) -> Result<Digest> {
    let batch = store.cas().batch()?;
    let digest = tree.store(&batch)?;
    batch.finish()?;
    Ok(digest)
}

/// The tree of one source that has one of its own.
fn stage_single(source: &Source, store: &Store) -> Result<Digest> {
    if let Some(digest) = cache::single(store, source)? {
        return Ok(digest);
    }
    let digest = kinds::kind(&source.kind)?.stage(source, store, &Digest::EMPTY)?;
    store.sources().write(&source.kind, &cache::source_key(source)?, &digest)?;
    Ok(digest)
}

/// What has to be downloaded before these sources can be staged.
pub fn missing(sources: &[Source], store: &Store) -> Result<Vec<Original>> {
    if cache::element(store, &cache::element_key(sources)?)?.is_some() {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    for source in sources {
        let kind = kinds::kind(&source.kind)?;
        if kind.changes_previous() || cache::single(store, source)?.is_none() {
            missing.extend(kind.originals(source, store)?.into_iter().filter(|original| !original.is_there()));
        }
    }
    Ok(missing)
}
