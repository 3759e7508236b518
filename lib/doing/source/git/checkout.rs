//! A commit's files as git checks them out: line ends and whatever else attributes ask for.

use super::{Mirror, git_in};
use crate::doing::source::tool;
use crate::doing::source::tree::Tree;
use crate::store::{Store, import::Import};
use crate::values::{Digest, Error, Result};
use std::path::Path;

impl Mirror {
    /// The tree of a commit as a checkout makes it. Only a commit with attributes needs one.
    pub(in crate::doing::source) fn checked_out(&self, commit: &str, store: &Store) -> Result<Tree> {
        if !self.has_attributes(commit)? {
            let batch = store.cas().batch()?;
            let tree = self.tree(commit, &batch)?;
            batch.finish()?;
            return Ok(tree);
        }
        let scratch = scratch(store)?;
        self.check_out(commit, scratch.path())?;
        let git = scratch.path().join(".git");
        std::fs::remove_dir_all(&git).map_err(|error| Error::io("cannot remove", &git, error))?;
        let digest = import(scratch.path(), store)?;
        Tree::load(&store.cas(), &digest)
    }

    /// Makes a clone that shares the mirror's objects, and checks a commit out in it.
    fn check_out(&self, commit: &str, directory: &Path) -> Result<()> {
        let mut clone = git_in(self.place());
        clone.env_remove("GIT_DIR").args(["clone", "--quiet", "--no-checkout", "--shared", "--"]);
        clone.arg(self.place()).arg(directory);
        tool::run(&mut clone, "git cannot clone a mirror")?;
        let mut checkout = git_in(directory);
        checkout.env_remove("GIT_DIR").args(["checkout", "--quiet", "--force", commit]);
        tool::run(&mut checkout, "git cannot check a commit out").map(drop)
    }

    /// Whether any file of a commit says how files are to be checked out.
    fn has_attributes(&self, commit: &str) -> Result<bool> {
        if self.place().join("info/attributes").exists() {
            return Ok(true);
        }
        let mut command = self.git();
        command.args(["ls-tree", "-r", "-z", "--full-tree", "--name-only", commit]);
        let names = tool::run(&mut command, "git cannot list the files of a commit")?;
        Ok(names.split(|b| *b == 0).any(|path| path == b".gitattributes" || path.ends_with(b"/.gitattributes")))
    }
}

/// A directory for a short time, on the store's own file system.
pub(in crate::doing::source) fn scratch(store: &Store) -> Result<tempfile::TempDir> {
    let place = store.scratch("sources")?;
    tempfile::Builder::new()
        .prefix("stage-")
        .tempdir_in(&place)
        .map_err(|error| Error::io("cannot make a directory in", &place, error))
}

/// Stores a directory that nobody needs afterwards.
pub(in crate::doing::source) fn import(directory: &Path, store: &Store) -> Result<Digest> {
    store.cas().import_tree(directory, Import { take: true, ..Import::default() })
}
