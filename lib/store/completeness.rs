//! Whether all of a tree or an artifact is in the store.

use super::cas::Cas;
use super::glance::Whole;
use crate::values::{Digest, Error, Result, directory, proto};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

/// Looks for blobs and trees, each only once: what was found whole is remembered.
#[derive(Debug)]
pub struct Completeness {
    cas: Cas,
    blobs: Mutex<Seen>,
    trees: Mutex<Seen>,
}

/// What was found whole, up to a limit: over a store with millions of blobs it would fill the memory.
#[derive(Debug, Default)]
struct Seen(HashSet<Digest, BuildHasherDefault<FirstBytes>>);

/// A digest is a hash already: its first bytes will do.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// About 40 MiB in all.
const MOST: usize = 400_000;

impl Seen {
    fn contains(&self, digest: &Digest) -> bool {
        self.0.contains(digest)
    }

    fn insert(&mut self, digest: Digest) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(digest);
    }
}

impl Completeness {
    pub fn new(cas: Cas) -> Completeness {
        Completeness { cas, blobs: Mutex::default(), trees: Mutex::default() }
    }

    /// Whether everything is there that makes an artifact count: the tree of its files, its metadata, its
    /// public data and its logs. The error says what is missing. `bytes` are those of the message.
    pub fn artifact(&self, artifact: &Whole, bytes: &[u8]) -> Result<()> {
        for digest in artifact.metadata.iter().chain(&artifact.view.logs(bytes)) {
            self.blob(digest)?;
        }
        artifact.view.files.map_or(Ok(()), |files| self.tree(&files))
    }

    /// Whether a blob is there.
    pub fn blob(&self, digest: &Digest) -> Result<()> {
        if locked(&self.blobs).contains(digest) {
            return Ok(());
        }
        if !self.cas.has(digest) {
            return Err(missing(digest));
        }
        locked(&self.blobs).insert(*digest);
        Ok(())
    }

    /// Whether a directory and all below it is there.
    pub fn tree(&self, root: &Digest) -> Result<()> {
        if *root == Digest::EMPTY || locked(&self.trees).contains(root) {
            return Ok(());
        }
        let mut walked = HashSet::new();
        let mut waiting = vec![*root];
        while let Some(digest) = waiting.pop() {
            if digest == Digest::EMPTY || locked(&self.trees).contains(&digest) || !walked.insert(digest) {
                continue;
            }
            let message = self.directory(&digest)?;
            for node in &message.files {
                self.blob(&directory::node_digest(&node.digest, &node.name)?)?;
            }
            for node in &message.directories {
                waiting.push(directory::node_digest(&node.digest, &node.name)?);
            }
        }
        // Only now is every one of them whole.
        let mut trees = locked(&self.trees);
        walked.into_iter().for_each(|digest| trees.insert(digest));
        Ok(())
    }

    fn directory(&self, digest: &Digest) -> Result<proto::Directory> {
        let bytes = self.cas.read(digest).map_err(|error| match error.code() {
            crate::values::Code::NotFound => missing(digest),
            _ => error,
        })?;
        directory::decode(&bytes)
    }
}

fn missing(digest: &Digest) -> Error {
    Error::damaged(format!("the blob {digest} is missing"))
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
