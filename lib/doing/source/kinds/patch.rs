//! Kinds `patch`, `patch_queue` and `quilt`: they change what the sources before them left.

use super::super::{config, git, tool};
use super::Kind;
use crate::store::{Store, checkout::Checkout};
use crate::values::{Code, Digest, Error, Result, record::Source};
use std::path::{Path, PathBuf};

pub(super) enum Patch {
    /// One file, by patch(1).
    Single,
    /// The files of a directory in the order of their names, by git-apply(1).
    Queue,
    /// A series that the sources have, by quilt(1).
    Quilt,
}

impl Kind for Patch {
    fn changes_previous(&self) -> bool {
        true
    }

    fn stage(&self, source: &Source, store: &Store, before: &Digest) -> Result<Digest> {
        if *before == Digest::EMPTY {
            return Err(Error::new(
                Code::Source,
                format!("there is nothing to patch: no source before the one of kind {} has files", source.kind),
            ));
        }
        let scratch = git::scratch(store)?;
        store.cas().checkout(before, scratch.path(), Checkout::default())?;
        match self {
            Patch::Single => single(source, scratch.path())?,
            Patch::Queue => queue(source, scratch.path())?,
            Patch::Quilt => quilt(source, scratch.path())?,
        }
        git::import(scratch.path(), store)
    }
}

/// Where the project has what the source names.
fn path(source: &Source) -> Result<PathBuf> {
    Ok(Path::new(source.base.as_deref().unwrap_or("/")).join(config::need(source, "path")?))
}

fn single(source: &Source, directory: &Path) -> Result<()> {
    let path = path(source)?;
    let level = match source.config.get("strip-level") {
        Some(serde_json::Value::Number(level)) => level.to_string(),
        Some(serde_json::Value::String(level)) => level.clone(),
        _ => "1".to_owned(),
    };
    let mut command = tool::command("patch");
    // What would make it another patch than everybody's.
    for name in ["POSIXLY_CORRECT", "PATCH_GET", "PATCH_VERSION_CONTROL", "SIMPLE_BACKUP_SUFFIX", "VERSION_CONTROL"] {
        command.env_remove(name);
    }
    command.arg(format!("-p{level}")).arg("-i").arg(&path).arg("-d").arg(directory);
    tool::run(tool::without_terminal(&mut command), &format!("the patch {} does not apply", path.display())).map(drop)
}

fn queue(source: &Source, directory: &Path) -> Result<()> {
    let path = path(source)?;
    let failed = |error| Error::io("cannot read", &path, error);
    let entries = std::fs::read_dir(&path).map_err(failed)?;
    let mut names = entries.map(|entry| Ok(entry.map_err(failed)?.file_name())).collect::<Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        let patch = path.join(name);
        let mut command = git::git_in(directory);
        command.env("GIT_DIR", directory.join(".git")).arg("--work-tree").arg(directory).arg("apply").arg(&patch);
        tool::run(&mut command, &format!("the patch {} does not apply", patch.display()))?;
    }
    Ok(())
}

fn quilt(source: &Source, directory: &Path) -> Result<()> {
    let path = config::text(source, "path").unwrap_or_default();
    let mut command = tool::command("quilt");
    command.args(["push", "-a"]).env("QUILT_PATCHES", path).current_dir(directory);
    tool::run(tool::without_terminal(&mut command), "quilt cannot apply its patches").map(drop)
}
