//! From the directories of a build to trees of the store.

use crate::doing::staging::collect::{self, Collector};
use crate::doing::staging::disk;
use crate::doing::staging::tree::{Directory, Node, Subtree, components};
use crate::store::{Store, batch::Batch, cas::Cas, import::Import};
use crate::values::record::Work;
use crate::values::{Code, Digest, Result};
use std::path::Path;

/// The trees that were stored.
#[derive(Debug, Default)]
pub struct Stored {
    pub files: Option<Digest>,
    pub buildtree: Option<Digest>,
    pub buildroot: Option<Digest>,
    pub sources: Option<Digest>,
    /// What was left out, because trees cannot hold names that are no UTF-8.
    pub unnameable: Vec<String>,
}

/// Stores what there is; build tree, build root and sources only if `all` is wanted. The directories are
/// the build's own and go away after this, so their files are moved.
pub fn store(work: &Work, workspaced: bool, store: &Store, all: bool) -> Result<Stored> {
    let how = Import { mtimes: workspaced, take: true };
    let mut stored = match &work.base {
        Some(base) => in_root(work, base, how, store, all)?,
        None => on_disk(work, how, store, all)?,
    };
    if all {
        stored.sources = Some(work.sources.unwrap_or(Digest::EMPTY));
    }
    Ok(stored)
}

/// Every tree is a directory on disk.
fn on_disk(work: &Work, how: Import, store: &Store, all: bool) -> Result<Stored> {
    let mut stored = Stored::default();
    let batch = store.cas().batch()?;
    let wanted = if all { [&work.files, &work.buildtree, &work.buildroot] } else { [&work.files, &None, &None] };
    // They may lie in one another: what is moved for one is missing in the next.
    let alone = wanted.iter().filter(|path| path.is_some()).count() == 1;
    let mut digests = wanted.map(|_| None);
    for (digest, path) in digests.iter_mut().zip(wanted) {
        let Some(path) = path.as_deref().map(Path::new) else { continue };
        let how = Import { take: how.take && alone && path.starts_with(&work.dir), ..how };
        *digest = Some(directory(&batch, path, how, &mut stored.unnameable)?);
    }
    batch.finish()?;
    [stored.files, stored.buildtree, stored.buildroot] = digests;
    Ok(stored)
}

/// The trees are parts of a root, which is a tree of the store and what the build changed in it.
fn in_root(work: &Work, base: &Digest, how: Import, store: &Store, all: bool) -> Result<Stored> {
    let cas = store.cas();
    let mut stored = Stored::default();
    let mut root = Directory::load(&cas, base, 0)?;
    if let Some(changes) = work.changes.as_deref().map(Path::new) {
        let batch = cas.batch()?;
        let mut skip = Vec::new();
        for path in &work.replaced {
            let place = disk::inside(changes, path);
            if !place.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
                // The build removed it, or put something else there.
                put(&mut root, &cas, path, None)?;
                continue;
            }
            let digest = directory(&batch, &place, how, &mut stored.unnameable)?;
            put(&mut root, &cas, path, Some(digest))?;
            skip.push(place);
        }
        let mut collector = Collector { cas: &cas, batch: &batch, how, normalise: false, skip };
        collector.apply(&mut root, changes)?;
        batch.finish()?;
    }
    let batch = cas.batch()?;
    let digest = |root: &mut Directory, path: &Option<String>| -> Result<Option<Digest>> {
        let Some(path) = path else { return Ok(None) };
        let Some(directory) = root.get(&cas, path)? else { return Ok(None) };
        directory.store(&mut |bytes| batch.put(bytes).map(drop)).map(Some)
    };
    stored.files = digest(&mut root, &work.files)?;
    if all {
        stored.buildtree = digest(&mut root, &work.buildtree)?;
        stored.buildroot = digest(&mut root, &work.buildroot)?;
    }
    batch.finish()?;
    Ok(stored)
}

/// Puts a stored directory at a path of a root, or nothing.
fn put(root: &mut Directory, cas: &Cas, path: &str, digest: Option<Digest>) -> Result<()> {
    let mut names = components(path);
    let Some(name) = names.pop() else {
        *root = digest.map(|digest| Directory::load(cas, &digest, 0)).transpose()?.unwrap_or_default();
        return Ok(());
    };
    let entries = root.make(cas, &names.join("/"))?.entries_mut();
    match digest {
        Some(digest) => entries.insert(name.to_owned(), Node::Directory(Subtree::stored(digest, 0))),
        None => entries.remove(name),
    };
    Ok(())
}

/// Stores a directory; what no tree can hold is left out.
fn directory(batch: &Batch, path: &Path, how: Import, unnameable: &mut Vec<String>) -> Result<Digest> {
    match batch.import_tree(path, how) {
        Err(error) if error.code() == Code::Malformed => {
            let dropped = collect::drop_unnameable(path)?;
            if dropped.is_empty() {
                return Err(error);
            }
            unnameable.extend(dropped);
            batch.import_tree(path, how)
        }
        other => other,
    }
}
