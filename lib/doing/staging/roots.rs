//! Trees that are staged once and used by many builds: `plumbing/roots/BOOT/HASH-SIZE` of the store.
//!
//! They are read through an overlay and never written to. Nothing of them is synced, so each start of the
//! system begins with none: a power cut may have emptied files of those that were there.

use super::{disk, tree::Directory};
use crate::store::{Store, fs, lease::Lease};
use crate::values::{Digest, Error, Result};
use rustix::fs::FlockOperation;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The staged roots of a store.
pub struct Roots {
    store: Store,
    /// Below the store's scratch.
    place: String,
}

/// A staged root; as long as this lives, nobody removes it.
pub struct StagedRoot {
    /// Where it lies, below [`Roots::base`].
    pub relative: String,
    _lock: File,
}

impl Roots {
    /// Those of a store.
    pub fn new(store: &Store) -> Roots {
        Roots { store: store.clone(), place: format!("roots/{}", boot()) }
    }

    /// The directory that the paths of staged roots start from.
    pub fn base(&self) -> PathBuf {
        self.store.root().join("plumbing")
    }

    /// The root with a tree's content: staged now, unless it is there.
    /// `parts` are the trees of the store that it is made of; they are kept from being expired meanwhile.
    pub fn stage<'a>(
        &self,
        tree: &mut Directory,
        digest: &Digest,
        parts: impl Iterator<Item = &'a Digest> + Clone,
    ) -> Result<StagedRoot> {
        let relative = format!("{}/{}-{}", self.place, digest.hex(), digest.size());
        let target = self.base().join(&relative);
        loop {
            if let Some(lock) = in_use(&target)? {
                return Ok(StagedRoot { relative, _lock: lock });
            }
            let lease = Lease::take(&self.store)?;
            for part in parts.clone() {
                lease.protect(part)?;
            }
            self.make(tree, &target)?;
        }
    }

    fn make(&self, tree: &mut Directory, target: &Path) -> Result<()> {
        let directory = self.base().join(&self.place);
        fs::create_dir_all(&directory)?;
        let scratch = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempdir_in(&directory)
            .map_err(|error| Error::io("cannot write to", &directory, error))?;
        let fresh = scratch.path().join("root");
        std::fs::create_dir(&fresh).map_err(|error| Error::io("cannot make the directory", &fresh, error))?;
        let pool = disk::Pool::new(self.base().join("files").join(boot()));
        disk::write(tree, &self.store.cas(), &fresh, &disk::Files::Shared(&pool))?;
        match std::fs::rename(&fresh, target) {
            Ok(()) => Ok(()),
            // Another program staged the same tree meanwhile.
            Err(_) if target.is_dir() => Ok(()),
            Err(error) => Err(Error::io("cannot make the directory", target, error)),
        }
    }
}

/// Takes a root that is there for use: a shared lock on its directory, which whoever removes it wants for
/// himself.
fn in_use(path: &Path) -> Result<Option<File>> {
    let failed = |error: std::io::Error| Error::io("cannot open", path, error);
    let directory = match File::open(path) {
        Ok(directory) => directory,
        Err(error) if fs::is_absent(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    rustix::fs::flock(&directory, FlockOperation::LockShared).map_err(|error| failed(error.into()))?;
    let ours = directory.metadata().map_err(failed)?;
    match std::fs::metadata(path) {
        Ok(there) if there.ino() == ours.ino() && there.dev() == ours.dev() => {
            // Marked as used: bst-gc goes by it. Builds see the date of the layer above.
            _ = directory.set_modified(std::time::SystemTime::now());
            Ok(Some(directory))
        }
        _ => Ok(None),
    }
}

/// A word for this start of the system.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let word: String = id.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    if word.is_empty() { "unknown".to_owned() } else { word }
}
