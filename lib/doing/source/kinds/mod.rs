//! What each kind of source downloads, and how its downloads become a tree.

mod archive;
mod cargo;
mod cratefile;
mod docker;
mod git;
mod golang;
mod local;
mod lockfile;
mod patch;
mod remote;
mod tools;

pub use docker::MANIFESTS;

use super::original::Original;
use super::tree::Tree;
use crate::store::Store;
use crate::values::{Code, Digest, Error, Result, record::Source};
use std::path::PathBuf;

/// A kind of source.
pub(super) trait Kind: Sync {
    /// What has to be in the store before the source can be staged.
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        let _ = (source, store);
        Ok(Vec::new())
    }

    /// Whether the source changes what the sources before it left, so that it has no tree of its own.
    fn changes_previous(&self) -> bool {
        false
    }

    /// Makes the source's tree. `before` is that of the sources before it in the same directory, and is
    /// empty where the kind does not change it.
    fn stage(&self, source: &Source, store: &Store, before: &Digest) -> Result<Digest>;
}

/// The kinds, by name.
pub(super) fn kind(name: &str) -> Result<&'static dyn Kind> {
    Ok(match name {
        "local" => &local::Local,
        "remote" => &remote::Remote,
        "tar" => &archive::Archive::Tar,
        "zip" => &archive::Archive::Zip,
        "pypi" => &archive::Archive::Pypi,
        "cpan" => &archive::Archive::Cpan,
        "bzr" => &tools::Bzr,
        "deb" => &archive::Archive::Deb,
        "docker" => &docker::Docker,
        "gnu" => &archive::Archive::Gnu,
        "pip" => &tools::Pip,
        "workspace" => &local::Workspace,
        "cargo" => &cargo::Cargo::First,
        "cargo2" => &cargo::Cargo::Second,
        "gen_cargo_lock" => &lockfile::CargoLock,
        "git" => &git::Git::Plain,
        "git_module" => &git::Git::Module,
        "git_repo" => &git::Git::Repo,
        "git_tag" => &git::Git::Tag,
        "go_module" => &golang::GoModule,
        "patch" => &patch::Patch::Single,
        "patch_queue" => &patch::Patch::Queue,
        "quilt" => &patch::Patch::Quilt,
        _ => {
            return Err(Error::new(
                Code::Unsupported,
                format!("sources of kind \"{}\" cannot be fetched or staged here", name.escape_default()),
            ));
        }
    })
}

/// Stores a tree that was put together.
fn publish(tree: &Tree, store: &Store) -> Result<Digest> {
    let batch = store.cas().batch()?;
    let digest = tree.store(&batch)?;
    batch.finish()?;
    Ok(digest)
}

/// Where a mirror of style exact lies: one for a URL with and without `.git`.
fn exact_mirror(store: &Store, kind: &str, url: &str) -> Result<PathBuf> {
    let place = store.sources().mirror(kind, url.strip_suffix(".git").unwrap_or(url))?;
    let mut name = place.into_os_string();
    name.push(".git");
    Ok(name.into())
}
