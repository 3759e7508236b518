//! Artifacts by the words of a command line: a key, or `PROJECT/ELEMENT/KEY`.

use super::Store;
use super::inventory::Inventory;
use crate::values::{Code, Error, Key, Record, Result, name::ArtifactName, record};

/// The names that a word stands for: of a key, every element that has it. At least the first digits of a key
/// are not enough, because another artifact may begin with them tomorrow.
pub fn names(store: &Store, word: &str) -> Result<Vec<ArtifactName>> {
    if word.contains('/') {
        return Ok(vec![word.parse()?]);
    }
    Inventory::new(store).with_key(word.parse::<Key>().map_err(|_| wanted(word))?)
}

/// The one name that a word stands for.
pub fn name(store: &Store, word: &str) -> Result<ArtifactName> {
    let mut names = names(store, word)?;
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        (Some(_), false) => {
            Err(Error::malformed(format!("several elements have the key {word}: write PROJECT/ELEMENT/KEY")))
        }
        (None, _) => Err(Error::not_found(format!("the store knows nothing of the key {word}"))),
    }
}

/// The same where the key may be one of which only the pre-image is known.
pub fn name_or_key(store: &Store, word: &str) -> Result<ArtifactName> {
    let from_store = name(store, word);
    let image = match (&from_store, word.parse::<Key>()) {
        (Err(error), Ok(key)) if error.code() == Code::NotFound => store.preimages().read(&key)?,
        _ => None,
    };
    match image {
        Some(image) => image.artifact_name(image.require("key")?),
        None => from_store,
    }
}

/// Records that name what a word stands for, as if bst-key had written them. A key that nobody has stands for
/// a record without names, so that the answer can be no.
pub fn records(store: &Store, word: &str) -> Result<Vec<Record>> {
    let names = names(store, word)?;
    if names.is_empty() {
        let mut record = Record::default();
        record.set("v", &record::VERSION)?;
        record.set("key", &word)?;
        return Ok(vec![record]);
    }
    let inventory = Inventory::new(store);
    names.iter().map(|name| inventory.record(name)).collect()
}

fn wanted(word: &str) -> Error {
    let word = word.escape_default();
    Error::usage(format!("\"{word}\" is neither a key (64 hexadecimal digits) nor PROJECT/ELEMENT/KEY"))
}
