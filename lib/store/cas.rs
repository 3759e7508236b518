//! The blobs: `cas/objects/HH/REST`, each under the SHA-256 of its bytes, mode 0444.

use super::fs;
use crate::values::{Digest, Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The blobs of a store.
#[derive(Clone, Debug)]
pub struct Cas {
    objects: PathBuf,
}

impl Cas {
    pub(super) fn new(root: &Path) -> Cas {
        Cas { objects: root.join("objects") }
    }

    /// Where a blob lies, whether it is there or not.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.objects.join(&hex[..2]).join(&hex[2..])
    }

    /// Whether a blob is there with the size that its digest says. The empty blob always is.
    pub fn has(&self, digest: &Digest) -> bool {
        *digest == Digest::EMPTY
            || std::fs::metadata(self.path(digest)).is_ok_and(|meta| meta.is_file() && meta.len() == digest.size())
    }

    /// Opens a blob. The reader verifies nothing; see [`Cas::read`].
    pub fn open(&self, digest: &Digest) -> Result<File> {
        let path = self.path(digest);
        File::open(&path).map_err(|error| {
            if fs::is_absent(&error) {
                Error::not_found(format!("the store has no blob {digest}"))
            } else {
                Error::io("cannot read", &path, error)
            }
        })
    }

    /// Reads a blob that fits into memory, and verifies it.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>> {
        if *digest == Digest::EMPTY {
            return Ok(Vec::new());
        }
        let path = self.path(digest);
        let mut bytes = Vec::with_capacity(usize::try_from(digest.size().min(1 << 20)).unwrap_or(0));
        let more = digest.size().saturating_add(1);
        self.open(digest)?
            .take(more)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::io("cannot read", &path, error))?;
        if Digest::of(&bytes) != *digest {
            return Err(Error::damaged(format!(
                "the blob {digest} does not hold the bytes of its digest; bst-fsck --repair puts it aside"
            )));
        }
        Ok(bytes)
    }

    /// Stores bytes, unless they are there already.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if !self.has(&digest) {
            fs::write_atomic(&self.path(&digest), bytes, 0o444)?;
        }
        Ok(digest)
    }
}
