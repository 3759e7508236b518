//! The sources of a junction as a directory: staged before, here or by `bst`; or put together now, from the
//! project's own files or from the store.

use super::Element;
use crate::project::cachekey;
use crate::project::resolve::Junction;
use crate::store::checkout::Checkout;
use crate::store::{Store, fs};
use crate::values::record::Source;
use crate::values::{Code, Error, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

/// The directory; `None` if the sources have to be fetched first.
pub(super) fn directory(element: &Element, junction: &Junction) -> Result<Option<PathBuf>> {
    let key = junction.key.map(|key| key.to_string()).unwrap_or_default();
    let place = Path::new(".bst/staged-junctions").join(&element.name).join(&key);
    let staged = element.project.directory.join(place);
    if staged.exists() {
        return Ok(Some(staged));
    }
    let store = element.project.settings().store.as_ref().map(Store::new);
    // A project that cannot be written to has its junctions in the store.
    let aside = store.as_ref().map(|store| store.root().join("plumbing/junctions").join(&key));
    if let Some(aside) = aside.as_ref().filter(|aside| aside.exists()) {
        return Ok(Some(aside.clone()));
    }
    let local = junction.sources.iter().all(|source| source.kind == "local");
    let stored = match &store {
        Some(store) if !local => stored(store, &junction.sources)?,
        _ => None,
    };
    let fill = |target: &Path| match (&stored, &store) {
        (Some(files), Some(store)) => store.cas().checkout(files, target, Checkout::default()),
        _ => junction.sources.iter().try_for_each(|source| copy_source(element, source, target)),
    };
    if !local && stored.is_none() {
        return Ok(None);
    }
    match (make(&staged, &fill), aside) {
        (Err(error), Some(aside)) if error.code() == Code::Disk => make(&aside, &fill).map(|()| Some(aside)),
        (made, _) => made.map(|()| Some(staged)),
    }
}

/// The tree of all sources together, if the store has it.
fn stored(store: &Store, sources: &[Source]) -> Result<Option<crate::values::Digest>> {
    match cachekey::sources_key(sources) {
        Some(key) => store.sources().read_element(&key),
        None => Ok(None),
    }
}

/// Makes a directory that is there whole or not at all.
fn make(target: &Path, fill: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    let above = target.parent().unwrap_or(target);
    fs::create_dir_all(above)?;
    let failed = |error| Error::io("cannot make the directory", target, error);
    let scratch = tempfile::Builder::new().prefix(".staging-").tempdir_in(above).map_err(failed)?;
    let whole = scratch.path().join("whole");
    fs::create_dir_all(&whole)?;
    fill(&whole)?;
    match std::fs::rename(&whole, target) {
        // Somebody else was faster: what is there is the same.
        Err(_) if target.exists() => Ok(()),
        other => other.map_err(failed),
    }
}

fn copy_source(element: &Element, source: &Source, target: &Path) -> Result<()> {
    let path = source.config.get("path").and_then(|path| path.as_str()).unwrap_or_default();
    let from = element.project.directory.join(path);
    let mut to = target.to_owned();
    if let Some(directory) = &source.directory {
        for component in Path::new(directory).components() {
            match component {
                Component::Normal(name) => to.push(name),
                Component::ParentDir => {
                    let message = format!("a source of {} is to lie in \"{directory}\", outside", element.full_name);
                    return Err(Error::load("invalid-data", message).at(element.mark().place()));
                }
                _ => {}
            }
        }
    }
    fs::create_dir_all(&to)?;
    if from.is_dir() {
        return copy_tree(&from, &to);
    }
    copy_file(&from, &to.join(from.file_name().unwrap_or_default()))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(from).min_depth(1) {
        let entry = entry.map_err(|error| Error::io("cannot read the directory", from, error))?;
        let target = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
        } else if kind.is_symlink() {
            let failed = |error| Error::io("cannot copy the link", entry.path(), error);
            let link = std::fs::read_link(entry.path()).map_err(failed)?;
            // A later source stands over an earlier one.
            let _ = std::fs::remove_file(&target);
            std::os::unix::fs::symlink(link, &target).map_err(failed)?;
        } else if kind.is_file() {
            copy_file(entry.path(), &target)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let failed = |error| Error::io("cannot copy", from, error);
    if to.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        std::fs::remove_file(to).map_err(failed)?;
    }
    std::fs::copy(from, to).map_err(failed)?;
    let mode = from.metadata().map_err(failed)?.permissions().mode();
    let mode = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode)).map_err(failed)
}
