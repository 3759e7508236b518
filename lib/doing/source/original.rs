//! What sources are made from: downloads, which the store keeps in `sources/KIND/`.

use super::git::Mirror;
use super::tool;
use crate::store::fs;
use crate::values::{Digest, Error, Result};
use std::fs::File;
use std::path::PathBuf;

/// One thing to download.
#[derive(Clone, Debug)]
pub enum Original {
    File(Download),
    Git(Mirror),
    Packages(Packages),
    Branch(Branch),
}

/// A file that is known by its hash.
#[derive(Clone, Debug)]
pub struct Download {
    /// Where to get it, best first.
    pub urls: Vec<String>,
    /// SHA-256 of its content, 64 digits.
    pub sha256: String,
    /// Where it is kept.
    pub path: PathBuf,
    /// What forms of it the server may send, where it has several.
    pub accept: Option<&'static str>,
}

/// Packages of Python, as pip downloads them.
#[derive(Clone, Debug)]
pub struct Packages {
    /// The URL of the index.
    pub index: String,
    /// `NAME==VERSION` each.
    pub wanted: Vec<String>,
    /// The directory that has them.
    pub path: PathBuf,
}

impl Packages {
    /// Whether they are in the store.
    pub fn is_there(&self) -> bool {
        std::fs::read_dir(&self.path).is_ok_and(|mut entries| entries.next().is_some())
    }
}

/// A branch of bzr.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Where to get it, best first.
    pub urls: Vec<String>,
    /// The number of the revision.
    pub reference: String,
    /// Where it is kept, in a repository that all branches of a URL share.
    pub path: PathBuf,
    pub repository: PathBuf,
}

impl Branch {
    /// Whether the revision is in the store.
    pub fn is_there(&self) -> bool {
        let mut command = tool::command("bzr");
        command.arg("revno").arg(format!("--revision=revno:{}", self.reference)).arg(&self.path);
        self.path.is_dir() && tool::output(&mut command).is_ok_and(|output| output.status.success())
    }
}

impl std::fmt::Display for Original {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Original::File(download) => f.write_str(download.urls.first().map_or(&download.sha256, |url| url)),
            Original::Git(mirror) => {
                write!(f, "{} {}", mirror.urls.first().map_or(&mirror.url, |url| url), mirror.reference)
            }
            Original::Packages(packages) => write!(f, "{} {}", packages.index, packages.wanted.join(" ")),
            Original::Branch(branch) => {
                write!(f, "{} {}", branch.urls.first().map_or("", |url| url), branch.reference)
            }
        }
    }
}

impl Original {
    /// Whether it is in the store.
    pub fn is_there(&self) -> bool {
        match self {
            Original::File(download) => download.path.is_file(),
            Original::Git(mirror) => mirror.is_there(),
            Original::Packages(packages) => packages.is_there(),
            Original::Branch(branch) => branch.is_there(),
        }
    }
}

impl Download {
    /// Opens the file.
    pub(super) fn open(&self) -> Result<File> {
        File::open(&self.path).map_err(|error| match fs::is_absent(&error) {
            true => {
                Error::not_found(format!("the store has no download with SHA-256 {}; bst-fetch brings it", self.sha256))
            }
            false => Error::io("cannot read", &self.path, error),
        })
    }

    /// Refuses a file that is not what its name says, and removes it, so that it is downloaded again.
    pub(super) fn verify(&self, found: &Digest) -> Result<()> {
        if found.hex() == self.sha256 {
            return Ok(());
        }
        fs::remove_if_there(&self.path)?;
        Err(Error::not_found(format!(
            "the download {} was damaged: its SHA-256 is {}; it is removed, and bst-fetch brings it again",
            self.path.display(),
            found.hex()
        )))
    }
}
