//! What killed writers left: temporary files and directories that nobody will ever give a name.

use crate::store::objects::{Objects, is_leftover};
use crate::store::{Store, fs};
use crate::values::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A batch that takes longer than this to be written would be the first.
const SURELY_DEAD: Duration = Duration::from_secs(24 * 3600);

/// Removes what is old enough; returns how many there were.
pub fn remove(store: &Store, objects: &Objects, grace: Duration, dry_run: bool) -> Result<u64> {
    let mut found: Vec<PathBuf> = objects.strange.iter().filter(|path| is_leftover(path)).cloned().collect();
    found.extend(batches(store));
    let root = store.root();
    for place in ["artifacts/refs", "artifacts/results", "source_protos", "elementsources", "plumbing/keys"] {
        let files = walkdir::WalkDir::new(root.join(place)).into_iter().flatten();
        let files = files.filter(|entry| entry.file_type().is_file() && fs::is_temporary(entry.file_name()));
        found.extend(files.map(walkdir::DirEntry::into_path));
    }
    let mut removed = 0;
    for path in found.iter().filter(|path| age(path).is_some_and(|age| age > grace.max(SURELY_DEAD))) {
        if !dry_run {
            remove_all(path)?;
        }
        removed += 1;
    }
    Ok(removed)
}

fn batches(store: &Store) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(store.cas().incoming()).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"plumbing-"));
    ours.map(|entry| entry.path()).collect()
}

fn age(path: &Path) -> Option<Duration> {
    std::fs::symlink_metadata(path).ok()?.modified().ok()?.elapsed().ok()
}

fn remove_all(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if !fs::is_absent(&error) => Err(Error::io("cannot remove", path, error)),
        _ => Ok(()),
    }
}
