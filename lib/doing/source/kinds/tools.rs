//! Kinds `pip` and `bzr`: what other programs keep in directories of their own.

use super::super::config;
use super::super::git::{import, scratch};
use super::super::original::{Branch, Original, Packages};
use super::super::tool;
use super::super::tree::{Entry, Tree};
use super::{Kind, publish};
use crate::store::{Store, import::Import};
use crate::values::{Digest, Error, Result, record::Source};

/// Kind `pip`: packages as pip downloads them.
pub(super) struct Pip;

impl Pip {
    fn packages(source: &Source, store: &Store) -> Result<Packages> {
        let (url, reference) = (config::url(source)?, config::reference(source)?);
        let place = Digest::of(reference.as_bytes()).hex();
        let wanted = reference.trim().split('\n').map(str::to_owned).collect();
        Ok(Packages {
            index: source.urls.last().map_or(url, |url| url).to_owned(),
            wanted,
            path: store.sources().mirror(&source.kind, url)?.join(place),
        })
    }
}

impl Kind for Pip {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        Ok(vec![Original::Packages(Self::packages(source, store)?)])
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let packages = Self::packages(source, store)?;
        if !packages.is_there() {
            return Err(Error::not_found(format!(
                "the store has no packages of {}; bst-fetch brings them",
                packages.index
            )));
        }
        let files = store.cas().import_tree(&packages.path, Import::default())?;
        let mut tree = Tree::default();
        tree.insert(".bst_pip_downloads".to_owned(), Entry::Stored(files));
        publish(&tree, store)
    }
}

/// Kind `bzr`: a revision of a branch.
pub(super) struct Bzr;

impl Bzr {
    fn branch(source: &Source, store: &Store) -> Result<Branch> {
        let url = config::url(source)?;
        let track = config::need(source, "track")?;
        let repository = store.sources().mirror(&source.kind, url)?;
        if track.starts_with('-') || track.split('/').any(|name| matches!(name, "" | "..")) {
            return Err(Error::malformed(format!("\"{}\" is no branch of bzr", track.escape_default())));
        }
        Ok(Branch {
            urls: source.urls.iter().map(|url| format!("{url}/{track}")).collect(),
            reference: config::reference(source)?.to_owned(),
            path: repository.join(track),
            repository,
        })
    }
}

impl Kind for Bzr {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        Ok(vec![Original::Branch(Self::branch(source, store)?)])
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let branch = Self::branch(source, store)?;
        if !branch.path.is_dir() {
            return Err(Error::not_found(format!(
                "the store has no branch {}; bst-fetch brings it",
                branch.path.display()
            )));
        }
        let scratch = scratch(store)?;
        let mut command = tool::command("bzr");
        command.args(["checkout", "--lightweight"]).arg(format!("--revision=revno:{}", branch.reference));
        command.arg(&branch.path).arg(scratch.path());
        tool::run(&mut command, "bzr cannot check a revision out")?;
        let metadata = scratch.path().join(".bzr");
        std::fs::remove_dir_all(&metadata).map_err(|error| Error::io("cannot remove", &metadata, error))?;
        import(scratch.path(), store)
    }
}
