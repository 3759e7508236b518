//! Where a build happens: `plumbing/work/NAME` of the store, on the file system that the blobs are on.

use crate::doing::staging::disk;
use crate::store::{Store, fs};
use crate::values::{Error, Result};
use rustix::fs::FlockOperation;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The directory of one build. It goes away with this, unless it is kept.
pub struct Place {
    base: PathBuf,
    relative: String,
    path: PathBuf,
    keep: bool,
    /// Locked as long as this lives: bst-gc leaves it alone.
    _lock: File,
}

impl Place {
    /// Makes one.
    pub fn make(store: &Store) -> Result<Place> {
        let directory = store.scratch("work")?;
        let path = tempfile::Builder::new()
            .prefix("b")
            .tempdir_in(&directory)
            .map_err(|error| Error::io("cannot write to", &directory, error))?
            .keep();
        let base = store.root().join("plumbing");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Absolute, because the record is read by programs that run elsewhere.
        let path = std::path::absolute(&path).map_err(|error| Error::io("cannot find", &path, error))?;
        let base = std::path::absolute(&base).map_err(|error| Error::io("cannot find", &base, error))?;
        let lock = File::open(&path).map_err(|error| Error::io("cannot open", &path, error))?;
        rustix::fs::flock(&lock, FlockOperation::LockShared).map_err(|error| Error::io("cannot lock", &path, error))?;
        Ok(Place { base, relative: format!("work/{name}"), path, keep: false, _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that relative paths of overlays start from.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// A directory in it, made if it is not there; its path from [`Place::base`].
    pub fn directory(&self, name: &str) -> Result<String> {
        fs::create_dir_all(&self.path.join(name))?;
        Ok(format!("{}/{name}", self.relative))
    }

    /// From now on it stays when this goes away.
    pub fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed is found and removed by bst-gc.
            drop(disk::remove(&self.path));
        }
    }
}

/// A path in a record.
pub fn text(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::usage(format!("the store's path {} is no UTF-8, which records need", path.display())))
}
