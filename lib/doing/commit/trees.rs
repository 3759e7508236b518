//! From the directories of a build to trees of the store.

use crate::doing::staging::collect::Collector;
use crate::doing::staging::disk;
use crate::doing::staging::tree::Directory;
use crate::store::Store;
use crate::values::record::{Build, Work};
use crate::values::{Digest, Error, Result};
use std::path::Path;

/// The trees that were stored.
#[derive(Debug, Default)]
pub struct Stored {
    pub files: Option<Digest>,
    pub buildtree: Option<Digest>,
    pub buildroot: Option<Digest>,
    pub sources: Option<Digest>,
}

/// Stores what there is; build tree, build root and sources only if `all` is wanted.
pub fn store(work: &Work, build: Option<&Build>, store: &Store, all: bool) -> Result<Stored> {
    let cas = store.cas();
    let mut collector = Collector::new(&cas);
    collector.dates = build.is_some_and(|build| build.workspaced);
    let mut stored = Stored::default();
    let put = |tree: &Directory| tree.store(&mut |bytes| cas.put(bytes).map(drop));
    if let Some(base) = &work.base {
        let mut root = Directory::load(&cas, base, 0)?;
        if let Some(changes) = &work.changes {
            for path in &work.replaced {
                let place = disk::inside(Path::new(changes), path);
                let content = collector.read(&place)?;
                root.replace(&cas, path, content)?;
                collector.skip.push(place);
            }
            collector.apply(&mut root, Path::new(changes))?;
        }
        let mut part = |path: &Option<String>| -> Result<Option<Digest>> {
            let Some(path) = path else { return Ok(None) };
            root.get(&cas, path)?.map(|directory| put(directory)).transpose()
        };
        stored.files = part(&work.files)?;
        if all {
            stored.buildtree = part(&work.buildtree)?;
            stored.buildroot = part(&work.buildroot)?;
        }
    } else {
        let mut part = |path: &Option<String>| -> Result<Option<Digest>> {
            let Some(path) = path else { return Ok(None) };
            put(&collector.read(Path::new(path))?).map(Some)
        };
        stored.files = part(&work.files)?;
        if all {
            stored.buildtree = part(&work.buildtree)?;
            stored.buildroot = part(&work.buildroot)?;
        }
    }
    if all {
        stored.sources = Some(work.sources.unwrap_or(Digest::EMPTY));
    }
    if let Some(name) = collector.unnameable.first() {
        return Err(Error::malformed(format!("the build left a name that is no UTF-8: {}", name.escape_default())));
    }
    Ok(stored)
}
