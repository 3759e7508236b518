//! Pre-images: what each key that was built or asked for was made of, in `plumbing/keys/HH/REST.json`.
//!
//! It is the part of the record that bst-key wrote; bst-diff compares two of them. They are expendable, so
//! they are not synced.

use super::{Store, fs};
use crate::values::{Error, Key, Record, Result};
use std::io::Write;
use std::path::PathBuf;

/// What of a record tells how its key came about.
const FIELDS: [&str; 9] = ["build", "depends", "element", "key", "kind", "project", "sources", "stage", "weak_key"];

/// The pre-images of a store.
#[derive(Clone, Debug)]
pub struct Preimages {
    keys: PathBuf,
}

impl Preimages {
    pub(super) fn new(store: &Store) -> Preimages {
        Preimages { keys: store.root().join("plumbing").join("keys") }
    }

    /// Where the pre-image of a key lies, whether it is there or not.
    pub fn path(&self, key: &Key) -> PathBuf {
        let hex = key.to_string();
        self.keys.join(&hex[..2]).join(format!("{}.json", &hex[2..]))
    }

    /// Keeps what the record's key was made of, unless it is kept already. A record that does not say (made
    /// by hand, or after a pull) leaves none.
    pub fn keep(&self, record: &Record) -> Result<()> {
        if !record.has("build") {
            return Ok(());
        }
        let Some(key) = record.get::<Key>("key")? else { return Ok(()) };
        let path = self.path(&key);
        if rustix::fs::access(&path, rustix::fs::Access::EXISTS).is_ok() {
            return Ok(());
        }
        let mut image = Record::default();
        for field in FIELDS {
            if let Some(raw) = record.raw_value(field) {
                image.set_raw(field, raw.to_owned());
            }
        }
        let mut line = Vec::new();
        image.write_line(&mut line)?;
        let directory = path.parent().unwrap_or(&self.keys);
        fs::create_dir_all(directory)?;
        let failed = |error| Error::io("cannot write", &path, error);
        let mut file = tempfile::Builder::new().prefix(".tmp-").tempfile_in(directory).map_err(failed)?;
        file.write_all(&line).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// The pre-image of a key, if it is kept. One that a power cut left without its end is none.
    pub fn read(&self, key: &Key) -> Result<Option<Record>> {
        let image = fs::read_if_there(&self.path(key))?.and_then(|bytes| Record::parse(&bytes).ok());
        Ok(image.filter(|image| image.get::<Key>("key").ok().flatten() == Some(*key)))
    }
}
