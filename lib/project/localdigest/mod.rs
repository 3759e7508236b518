//! The digests of what a project has on disk: sources of the kinds local and patch, and workspaces (spec:
//! keys 3.8).
//!
//! A file is read once, and its hash remembered from run to run ([`memory`]). What many elements share is
//! looked at once in a session.

mod memory;
mod tree;

use crate::values::{Digest, Error, Result, digest::Hasher};
use memory::{Memory, Stamp};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Finds digests, each once in a session.
#[derive(Debug, Default)]
pub struct Digests {
    memory: Memory,
    threads: usize,
    known: Mutex<HashMap<(PathBuf, Form), Digest>>,
}

/// What a digest is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Form {
    Content,
    Tree,
    /// With the times of the files.
    Workspace,
}

impl Digests {
    /// Digests that are remembered below `scratch`, if that is given. `threads`: how many may read the files of
    /// one big directory.
    pub fn new(scratch: Option<&Path>, threads: usize) -> Digests {
        let memory = scratch.map_or_else(Memory::default, |scratch| Memory::open(scratch.join("local-digests")));
        Digests { memory, threads: threads.max(1), known: Mutex::default() }
    }

    /// The digest of the Directory message of a directory, or of a file in a directory of its own.
    pub fn tree(&self, path: &Path) -> Result<Digest> {
        self.once(path, Form::Tree, || tree::digest(self, path, false))
    }

    /// The same for a directory that is a workspace: the files' times are part of it.
    pub fn workspace(&self, path: &Path) -> Result<Digest> {
        self.once(path, Form::Workspace, || tree::digest(self, path, true))
    }

    /// The digest of a file's content.
    pub fn file(&self, path: &Path) -> Result<Digest> {
        let now = SystemTime::now();
        let found = || {
            let metadata = path.metadata().map_err(|error| Error::io("cannot read", path, error))?;
            self.content(path, &Stamp::of(&metadata, now), metadata.len())
        };
        self.once(path, Form::Content, found)
    }

    /// Remembers what was found for the next run.
    pub fn save(&self) {
        self.memory.save();
    }

    fn once(&self, path: &Path, form: Form, find: impl FnOnce() -> Result<Digest>) -> Result<Digest> {
        let name = (path.to_owned(), form);
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&digest) = known().get(&name) {
            return Ok(digest);
        }
        let digest = find()?;
        known().insert(name, digest);
        Ok(digest)
    }

    /// The digest of a file that was found in a state.
    fn content(&self, path: &Path, stamp: &Stamp, size: u64) -> Result<Digest> {
        if let Some(hash) = self.memory.get(stamp) {
            return Ok(Digest::new(hash, size));
        }
        let failed = |error| Error::io("cannot read", path, error);
        let now = SystemTime::now();
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let before = Stamp::of(&file.metadata().map_err(failed)?, now);
        let digest = read(&mut file).map_err(failed)?;
        // Remembered only if it held still while it was read.
        if Stamp::of(&file.metadata().map_err(failed)?, now) == before {
            self.memory.set(&before, *digest.hash());
        }
        Ok(digest)
    }
}

fn read(file: &mut std::fs::File) -> std::io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
