//! Directories of a tree that is on its way. They enter the store after what is below them, so that a crash
//! never leaves a directory without its content; until then they lie in a file without a name.

use bst_plumbing::values::{Digest, Error, Result};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Blobs in a temporary file.
pub struct Spool {
    file: File,
    end: u64,
    places: HashMap<Digest, u64>,
}

impl Spool {
    /// An empty one, on the file system of `directory`.
    pub fn new(directory: &Path) -> Result<Spool> {
        let file =
            tempfile::tempfile_in(directory).map_err(|error| Error::io("cannot make a file in", directory, error))?;
        Ok(Spool { file, end: 0, places: HashMap::new() })
    }

    /// Keeps the bytes of a digest.
    pub fn put(&mut self, digest: Digest, bytes: &[u8]) -> Result<()> {
        self.file.write_all_at(bytes, self.end).map_err(failed)?;
        self.places.insert(digest, self.end);
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// The bytes of a digest, if they are kept.
    pub fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let Some(place) = self.places.get(digest) else { return Ok(None) };
        let mut bytes = vec![0; usize::try_from(digest.size()).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut bytes, *place).map_err(failed)?;
        Ok(Some(bytes))
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io("cannot keep directories in", Path::new("a temporary file of the store"), error)
}
