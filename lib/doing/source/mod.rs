//! Sources: from what a record says of them to one tree in the store. Nothing here needs the network;
//! what has to be downloaded first is an error of code not-found, and bst-fetch brings it.
//!
//! The store keeps sources in three forms, and BuildStream shares all of them (spec: artifacts 1): the
//! download mirrors in `sources`, the staged tree of one source in `source_protos`, and that of all
//! sources of an element together in `elementsources`.

pub mod cache;
mod local;
mod tree;

use crate::store::Store;
use crate::values::{Digest, Error, Result, record::Source};
use cache::SourceCache;
use tree::Tree;

/// The tree of an element's sources, each in its directory, later ones over earlier ones.
///
/// Takes it from the cache if it is there, else puts it together from the trees of the single sources or
/// from the download mirrors, and remembers it. An error of code not-found says what has to be fetched.
pub fn stage(sources: &[Source], store: &Store) -> Result<Digest> {
    let cache = SourceCache::new(store);
    let key = cache::element_key(sources)?;
    if let Some(digest) = cache.element(key)? {
        return Ok(digest);
    }
    let cas = store.cas();
    let mut tree = Tree::default();
    for source in sources {
        let directory = tree.open(&cas, source.directory.as_deref().unwrap_or(""))?;
        directory.import(&cas, &stage_one(source, store)?)?;
    }
    let digest = tree.store(&cas)?;
    cache.set_element(key, &digest)?;
    Ok(digest)
}

/// The tree of one source that needs no other.
fn stage_one(source: &Source, store: &Store) -> Result<Digest> {
    let cache = SourceCache::new(store);
    if let Some(digest) = cache.single(source)? {
        return Ok(digest);
    }
    let digest = match source.kind.as_str() {
        "local" => local::stage(source, &store.cas())?,
        kind => {
            return Err(Error::new(crate::values::Code::Unsupported, format!("sources of kind {kind} are not known")));
        }
    };
    cache.set_single(source, &digest)?;
    Ok(digest)
}
