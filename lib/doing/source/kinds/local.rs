//! Kinds `local` and `workspace`: files of the project, and of the user.

use super::super::config;
use super::super::tree::{Entry, Tree};
use super::Kind;
use crate::store::{Store, import::Import};
use crate::values::{Code, Digest, Error, Result, record::Source};
use std::path::Path;

pub(super) struct Local;

/// Kind `workspace`: a directory that the user works in, in place of an element's sources.
pub(super) struct Workspace;

impl Kind for Workspace {
    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let path = Path::new(source.base.as_deref().unwrap_or("/")).join(config::need(source, "path")?);
        store.cas().import_tree(&path, Import { mtimes: true, ..Import::default() })
    }
}

impl Kind for Local {
    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let path = Path::new(source.base.as_deref().unwrap_or("/")).join(config::need(source, "path")?);
        let failed = |error| Error::io("cannot read", &path, error);
        if std::fs::symlink_metadata(&path).map_err(failed)?.is_dir() {
            return store.cas().import_tree(&path, Import::default());
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::new(Code::Source, format!("{} has no UTF-8 name", path.display())))?;
        // Unlike in directories, here it counts whether the caller may execute it.
        let executable = rustix::fs::access(&path, rustix::fs::Access::EXEC_OK).is_ok();
        let batch = store.cas().batch()?;
        let digest = batch.put_reader(std::fs::File::open(&path).map_err(failed)?)?;
        let mut tree = Tree::default();
        tree.insert(name.to_owned(), Entry::file(name.to_owned(), &digest, executable));
        let tree = tree.store(&batch)?;
        batch.finish()?;
        Ok(tree)
    }
}
