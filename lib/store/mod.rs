//! The cache directory that is shared with BuildStream. bst-store(5) is the reference.
//!
//! Order of writing: blobs (children before parents), metadata file, ref last; each is a temporary file,
//! synced and renamed.

pub mod adopt;
pub mod archive;
pub mod artifact;
pub mod batch;
pub mod cas;
pub mod checkout;
pub mod commit;
pub mod compare;
pub mod completeness;
pub mod fs;
pub mod fsck;
pub mod gc;
pub mod glance;
pub mod import;
mod intake;
pub mod inventory;
pub mod lease;
pub mod listing;
pub mod lock;
pub mod log;
pub mod lookup;
pub mod metadata;
pub mod naming;
pub mod objects;
pub mod parallel;
pub mod part;
pub mod preimage;
pub mod query;
mod reach;
pub mod remove;
pub mod roots;
pub mod select;
pub mod sources;
pub mod tree;

use crate::values::Result;
use std::path::{Path, PathBuf};

/// A store: a cache directory of BuildStream.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    /// Where downloads of sources are kept, if not in `root`.
    downloads: Option<PathBuf>,
}

impl Store {
    /// The store at `root`, which need not exist yet: what is written makes the directories that it needs.
    pub fn new(root: impl Into<PathBuf>) -> Store {
        Store { root: root.into(), downloads: None }
    }

    /// The same store with the downloads of sources in another directory.
    #[must_use]
    pub fn with_downloads(self, downloads: Option<PathBuf>) -> Store {
        Store { downloads, ..self }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The blobs.
    pub fn cas(&self) -> cas::Cas {
        cas::Cas::new(&self.root.join("cas"))
    }

    /// The artifacts' refs.
    pub fn artifacts(&self) -> artifact::Artifacts {
        artifact::Artifacts::new(&self.root.join("artifacts"))
    }

    /// The metadata files of the artifacts.
    pub fn metadata(&self) -> metadata::MetadataFiles {
        metadata::MetadataFiles::new(&self.root.join("artifacts"))
    }

    /// The source cache.
    pub fn sources(&self) -> sources::Sources {
        sources::Sources::new(&self.root, self.downloads.clone().unwrap_or_else(|| self.root.join("sources")))
    }

    /// What each key was made of.
    pub fn preimages(&self) -> preimage::Preimages {
        preimage::Preimages::new(self)
    }

    /// The directory of the locks.
    pub fn locks(&self) -> PathBuf {
        self.root.join("plumbing").join("locks")
    }

    /// A directory for scratch of our own: everything below it is expendable.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join("plumbing").join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests;
