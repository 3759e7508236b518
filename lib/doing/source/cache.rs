//! The trees of sources that the store has already.

use super::config;
use crate::project::canonical;
use crate::store::Store;
use crate::store::completeness::Completeness;
use crate::values::{Code, Digest, Key, Result, record::Source};
use serde_json::{Value, json};

/// The key of an element's sources together (spec: keys 3.8).
pub fn element_key(sources: &[Source]) -> Result<Key> {
    let entry = |source: &Source| -> Result<Value> {
        let mut entry = json!({"key": config::unique(source)?, "name": source.kind});
        if let Some(directory) = source.directory.as_deref().filter(|directory| !directory.is_empty()) {
            entry["directory"] = directory.into();
        }
        Ok(entry)
    };
    Ok(canonical::key(&Value::Array(sources.iter().map(entry).collect::<Result<_>>()?)))
}

/// The key of one source: what its record says, or what follows from it.
pub fn source_key(source: &Source) -> Result<Key> {
    match source.key {
        Some(key) => Ok(key),
        None => Ok(canonical::key(config::unique(source)?)),
    }
}

/// The tree of an element's sources, if the store has it with everything in it.
pub fn element(store: &Store, key: &Key) -> Result<Option<Digest>> {
    whole(store, store.sources().read_element(key)?)
}

/// The tree of one source, if the store has it with everything in it.
pub fn single(store: &Store, source: &Source) -> Result<Option<Digest>> {
    whole(store, store.sources().read(&source.kind, &source_key(source)?)?)
}

/// An incomplete or damaged tree is as good as none: it is made again.
fn whole(store: &Store, tree: Option<Digest>) -> Result<Option<Digest>> {
    let Some(digest) = tree else { return Ok(None) };
    match Completeness::new(store.cas()).tree(&digest) {
        Ok(()) => Ok(Some(digest)),
        Err(error) if error.code() == Code::Damaged => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_buildstream() {
        // The key of an element without sources, in every cache directory of BuildStream.
        let none = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";
        assert_eq!(element_key(&[]).unwrap().to_string(), none);
    }
}
