//! What sources are made from: downloads, which the store keeps in `sources/KIND/`.

use super::git::Mirror;
use crate::store::fs;
use crate::values::{Digest, Error, Result};
use std::fs::File;
use std::path::PathBuf;

/// One thing to download.
#[derive(Clone, Debug)]
pub enum Original {
    File(Download),
    Git(Mirror),
}

/// A file that is known by its hash.
#[derive(Clone, Debug)]
pub struct Download {
    /// Where to get it, best first.
    pub urls: Vec<String>,
    /// SHA-256 of its content, 64 digits.
    pub sha256: String,
    /// Where it is kept. The last name is the hash.
    pub path: PathBuf,
}

impl std::fmt::Display for Original {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Original::File(download) => f.write_str(download.urls.first().map_or(&download.sha256, |url| url)),
            Original::Git(mirror) => {
                write!(f, "{} {}", mirror.urls.first().map_or(&mirror.url, |url| url), mirror.reference)
            }
        }
    }
}

impl Original {
    /// Whether it is in the store.
    pub fn is_there(&self) -> bool {
        match self {
            Original::File(download) => download.path.is_file(),
            Original::Git(mirror) => mirror.is_there(),
        }
    }
}

impl Download {
    /// Opens the file.
    pub(super) fn open(&self) -> Result<File> {
        File::open(&self.path).map_err(|error| match fs::is_absent(&error) {
            true => {
                Error::not_found(format!("the store has no download with SHA-256 {}; bst-fetch brings it", self.sha256))
            }
            false => Error::io("cannot read", &self.path, error),
        })
    }

    /// Refuses a file that is not what its name says, and removes it, so that it is downloaded again.
    pub(super) fn verify(&self, found: &Digest) -> Result<()> {
        if found.hex() == self.sha256 {
            return Ok(());
        }
        fs::remove_if_there(&self.path)?;
        Err(Error::not_found(format!(
            "the download {} was damaged: its SHA-256 is {}; it is removed, and bst-fetch brings it again",
            self.path.display(),
            found.hex()
        )))
    }
}
