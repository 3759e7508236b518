//! Sources between the store and the servers of source caches, as BuildStream keeps them there: all sources
//! of an element staged together, and each single source that can be staged by itself.

pub mod blocking;
mod pull;
mod push;

pub use pull::pull;
pub use push::push;

use bst_plumbing::doing::source::cache;
use bst_plumbing::store::Store;
use bst_plumbing::values::record::Source;
use bst_plumbing::values::{Digest, Key, Result};

/// One entry of a source cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// All sources of an element together.
    Element(Key),
    /// One source: its kind and its key.
    Single(String, Key),
}

impl Entry {
    /// That of all sources of a record.
    pub fn of_element(sources: &[Source]) -> Result<Entry> {
        cache::element_key(sources).map(Entry::Element)
    }

    /// That of one source.
    pub fn of_source(source: &Source) -> Result<Entry> {
        Ok(Entry::Single(source.kind.clone(), cache::source_key(source)?))
    }

    /// The name under which servers know it.
    pub fn uri(&self) -> String {
        match self {
            Entry::Element(key) => format!("urn:fdc:buildstream.build:2020:source:{key}"),
            Entry::Single(kind, key) => format!("urn:fdc:buildstream.build:2020:source:{kind}/{key}"),
        }
    }

    /// The tree that the store has for it, whole or not.
    fn read(&self, store: &Store) -> Result<Option<Digest>> {
        match self {
            Entry::Element(key) => store.sources().read_element(key),
            Entry::Single(kind, key) => store.sources().read(kind, key),
        }
    }

    /// Remembers the tree, all of which is in the store.
    fn write(&self, store: &Store, tree: &Digest) -> Result<()> {
        match self {
            Entry::Element(key) => store.sources().write_element(key, tree),
            Entry::Single(kind, key) => store.sources().write(kind, key, tree),
        }
    }
}
