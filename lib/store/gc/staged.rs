//! Roots that builds staged, and directories in which builds were left: expendable, and large.

use crate::store::{Store, fs};
use crate::values::{Error, Result};
use rustix::fs::FlockOperation;
use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A root that no build used for so long is staged again if one wants it.
const UNUSED: Duration = Duration::from_secs(7 * 24 * 3600);
/// What a build left to be committed and nobody committed for so long.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// Removes staged roots and work of builds that nobody uses; returns how many. Whoever uses one holds its
/// directory locked.
pub fn remove(store: &Store, dry_run: bool) -> Result<u64> {
    let scratch = store.root().join("plumbing");
    let mut removed = 0;
    let of_boots = children(&scratch.join("roots")).into_iter().flat_map(|boot| children(&boot));
    let roots = of_boots.map(|root| (root, UNUSED));
    let work = children(&scratch.join("work")).into_iter().map(|work| (work, FORGOTTEN));
    for (path, limit) in roots.chain(work) {
        if is_unused(&path, limit) {
            removed += 1;
            if !dry_run {
                remove_all(&path)?;
            }
        }
    }
    if !dry_run {
        // A file that no root has any more has one link left.
        for file in walkdir::WalkDir::new(scratch.join("files")).min_depth(3).into_iter().flatten() {
            if file.metadata().is_ok_and(|meta| meta.is_file() && meta.nlink() == 1) {
                fs::remove_if_there(file.path())?;
            }
        }
    }
    Ok(removed)
}

fn children(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Whether nobody holds a directory, and nobody did for a time: it is marked when it is used.
fn is_unused(path: &Path, limit: Duration) -> bool {
    let Ok(directory) = File::open(path) else { return false };
    let age = directory.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > limit)
        && rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Removes a directory with whatever modes a build left in it. It gets another name first, so that nobody
/// takes half of it for the whole.
fn remove_all(path: &Path) -> Result<()> {
    let failed = |error| Error::io("cannot remove", path, error);
    let gone = path.with_extension("gone");
    std::fs::rename(path, &gone).map_err(failed)?;
    for entry in walkdir::WalkDir::new(&gone).into_iter().flatten() {
        if entry.file_type().is_dir() {
            _ = std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o700));
        }
    }
    std::fs::remove_dir_all(&gone).map_err(failed)
}
