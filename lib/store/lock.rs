//! Locks between processes: flock(2) on files below `plumbing/locks`. The system drops them with the process.

use super::{Store, fs};
use crate::values::{Digest, Error, Result, name::ArtifactName};
use rustix::fs::FlockOperation;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until nobody else holds the lock.
    pub fn exclusive(path: &Path) -> Result<Lock> {
        Lock::wait(path, FlockOperation::LockExclusive)
    }

    /// Waits until nobody holds the lock for himself alone.
    pub fn shared(path: &Path) -> Result<Lock> {
        Lock::wait(path, FlockOperation::LockShared)
    }

    /// Takes the lock if nobody else holds it.
    pub fn try_exclusive(path: &Path) -> Result<Option<Lock>> {
        let file = open(path)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(Error::io("cannot lock", path, error)),
        }
    }

    fn wait(path: &Path, operation: FlockOperation) -> Result<Lock> {
        let file = open(path)?;
        loop {
            match rustix::fs::flock(&file, operation) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Error::io("cannot lock", path, error)),
            }
        }
    }
}

fn open(path: &Path) -> Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| Error::io("cannot open", path, error))
}

/// The lock under which refs and metadata of an element are changed: one of 256, so that they leave no
/// litter.
pub fn element_path(store: &Store, name: &ArtifactName) -> PathBuf {
    let hash = Digest::of(format!("{}/{}", name.project(), name.element()).as_bytes());
    store.locks().join("elements").join(format!("{:02x}", hash.hash()[0]))
}

/// The lock that bst-gc holds while it deletes, and the others while they say what they use.
pub fn sweep_path(store: &Store) -> PathBuf {
    store.locks().join("sweep")
}
