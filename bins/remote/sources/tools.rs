//! Sources that other programs bring: packages by pip, branches by bzr.

use super::download::Downloader;
use super::retry::{Failure, retrying};
use bst_plumbing::doing::source::original::{Branch, Packages};
use bst_plumbing::doing::source::tool;
use bst_plumbing::store::fs;
use bst_plumbing::store::lock::Lock;
use bst_plumbing::values::{Code, Digest, Error, Result};
use std::path::Path;
use std::process::Command;

/// Names of a Python that may have pip.
const PYTHONS: [&str; 2] = ["python3", "python"];

impl Downloader<'_> {
    /// Downloads packages for a source of kind pip.
    pub(super) fn packages(&self, packages: &Packages) -> Result<()> {
        let _lock = self.lock_of(&packages.path)?;
        if packages.is_there() {
            return Ok(());
        }
        self.progress.starts();
        let scratch = self.scratch()?;
        let place = scratch.path().join("packages");
        let wanted: Vec<&str> = packages.wanted.iter().map(String::as_str).collect();
        let attempt = || self.pip_download(&packages.index, &place, &wanted).map_err(passing);
        retrying(self.retries, attempt).map_err(|failure| failure.error)?;
        if let Some(above) = packages.path.parent() {
            fs::create_dir_all(above)?;
        }
        std::fs::rename(&place, &packages.path).map_err(|error| Error::io("cannot write", &packages.path, error))?;
        self.progress.finishes();
        Ok(())
    }

    /// Downloads source archives of packages, and of what they need, into a directory.
    pub(super) fn pip_download(&self, index: &str, place: &Path, wanted: &[&str]) -> Result<()> {
        fs::create_dir_all(place)?;
        let mut command = pip()?;
        command.args(["download", "--quiet", "--no-binary", ":all:", "--index-url", index, "--dest"]);
        command.arg(place).args(wanted);
        tool::run(&mut command, &format!("{index}: pip failed")).map(drop)
    }

    /// Brings a revision of a branch for a source of kind bzr.
    pub(super) fn branch(&self, branch: &Branch) -> Result<()> {
        let _lock = self.lock_of(&branch.repository)?;
        if branch.is_there() {
            return Ok(());
        }
        self.progress.starts();
        let mut last = None;
        for url in &branch.urls {
            let attempt = || self.update_branch(url, branch).map_err(passing);
            match retrying(self.retries, attempt).map_err(|failure| failure.error) {
                Ok(()) if branch.is_there() => {
                    self.progress.finishes();
                    return Ok(());
                }
                Ok(()) => {
                    let message = format!("{url}: the branch has no revision {}", branch.reference.escape_default());
                    last = Some(Error::new(Code::Source, message));
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::new(Code::Source, "nothing says where the branch is")))
    }

    /// Brings a branch to where it is now.
    pub(super) fn update_branch(&self, url: &str, branch: &Branch) -> Result<()> {
        if !branch.repository.join(".bzr").exists() {
            if let Some(above) = branch.repository.parent() {
                fs::create_dir_all(above)?;
            }
            let mut command = tool::command("bzr");
            command.args(["init-repo", "--quiet", "--no-trees"]).arg(&branch.repository);
            tool::run(&mut command, "bzr cannot make a repository")?;
        }
        let mut command = tool::command("bzr");
        if branch.path.exists() {
            command.args(["pull", "--quiet"]).arg(format!("--directory={}", branch.path.display())).arg(url);
        } else {
            command.args(["branch", "--quiet"]).arg(url).arg(&branch.path);
        }
        tool::run(&mut command, &format!("{url}: bzr failed")).map(drop)
    }

    fn lock_of(&self, path: &Path) -> Result<Lock> {
        let name = Digest::of(path.as_os_str().as_encoded_bytes()).hex();
        Lock::exclusive(&self.store.locks().join(format!("source-{name}")))
    }

    pub(super) fn scratch(&self) -> Result<tempfile::TempDir> {
        let place = self.store.scratch("downloads")?;
        let made = tempfile::Builder::new().prefix("tool-").tempdir_in(&place);
        made.map_err(|error| Error::io("cannot make a directory in", &place, error))
    }
}

/// What a tool failed to do may work later, unless the tool itself is missing.
fn passing(error: Error) -> Failure {
    let again = if error.message().contains("search path") { None } else { Some(None) };
    Failure { error: error.with_code(Code::Network), again }
}

/// A Python that has pip.
fn pip() -> Result<Command> {
    for python in PYTHONS {
        let mut probe = tool::command(python);
        probe.args(["-m", "pip", "--version"]);
        if probe.output().is_ok_and(|output| output.status.success()) {
            let mut command = tool::command(python);
            command.args(["-m", "pip"]);
            return Ok(command);
        }
    }
    Err(Error::new(Code::Source, "no python3 with pip is on the search path; install it"))
}
