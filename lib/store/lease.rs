//! Leases: what running programs use, bst-gc leaves alone.
//!
//! A program that works on the store holds a file in `plumbing/leases`, locked with flock(2) as long as it
//! runs. Two things follow from it:
//!
//! - blobs that were used since [`TOUCH_AFTER`] seconds before the file was made stay: what a program stores
//!   or finds, before the ref that keeps it is written;
//! - the trees and blobs that the file lists, one digest a line, stay with all below them: what a program
//!   stages or reads for a long time. Listed first, looked at then: what is there afterwards remains.
//!
//! A file that nobody holds locked is a dead program's and is removed.

use super::cas::TOUCH_AFTER;
use super::lock::{Lock, sweep_path};
use super::{Store, fs};
use crate::values::{Digest, Error, Result, time::Time};
use rustix::fs::FlockOperation;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A running program's word that it uses the store. It ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    file: tempfile::NamedTempFile,
}

impl Lease {
    /// Says that this program works on the store from now on.
    pub fn take(store: &Store) -> Result<Lease> {
        let place = directory(store);
        fs::create_dir_all(&place)?;
        let failed = |error| Error::io("cannot write to", &place, error);
        // Not while bst-gc is looking who is there.
        let _sweep = Lock::shared(&sweep_path(store))?;
        let file = tempfile::Builder::new().prefix("lease-").tempfile_in(&place).map_err(failed)?;
        rustix::fs::flock(file.as_file(), FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        Ok(Lease { store: store.clone(), file })
    }

    /// Says that this program uses a tree or blob with all below it. What is whole after this stays whole.
    pub fn protect(&self, digest: &Digest) -> Result<()> {
        let _sweep = Lock::shared(&sweep_path(&self.store))?;
        (self.file.as_file())
            .write_all(format!("{digest}\n").as_bytes())
            .map_err(|error| Error::io("cannot write to", self.file.path(), error))
    }
}

fn directory(store: &Store) -> PathBuf {
    store.root().join("plumbing").join("leases")
}

/// What running programs use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InUse {
    /// Blobs that were used at or after this second stay.
    pub since: Option<u64>,
    /// Trees and blobs that stay with all below them.
    pub digests: Vec<Digest>,
}

/// Reads the leases, and removes those of dead programs. The sweep lock must be held exclusively.
pub fn in_use(store: &Store) -> Result<InUse> {
    let place = directory(store);
    let entries = match std::fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if fs::is_absent(&error) => return Ok(InUse::default()),
        Err(error) => return Err(Error::io("cannot list", &place, error)),
    };
    let mut found = InUse::default();
    for entry in entries {
        let path = entry.map_err(|error| Error::io("cannot list", &place, error))?.path();
        read(&path, &mut found)?;
    }
    Ok(found)
}

fn read(path: &Path, found: &mut InUse) -> Result<()> {
    let failed = |error| Error::io("cannot read", path, error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if fs::is_absent(&error) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        fs::remove_if_there(path)?;
        return Ok(());
    }
    let made = file.metadata().and_then(|meta| meta.created().or_else(|_| meta.modified())).map_err(failed)?;
    let since = Time::from(made).seconds().saturating_sub(TOUCH_AFTER);
    found.since = Some(found.since.map_or(since, |other| other.min(since)));
    let text = std::fs::read_to_string(path).map_err(failed)?;
    found.digests.extend(text.lines().filter_map(|line| line.parse::<Digest>().ok()));
    Ok(())
}
