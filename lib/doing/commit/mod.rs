//! Storing what a build left: trees, log, metadata and result, success or failure, whoever built it.

mod message;
mod trees;

use super::build::Seen;
use crate::store::Store;
use crate::values::record::{ArtifactField, Build, Record, Work};
use crate::values::result::{BuildResult, Standing};
use crate::values::{Digest, Error, Key, Result, proto};
use std::path::Path;

/// Which build trees are stored, in BuildStream's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CacheBuildtrees {
    /// Those of failures and of workspaces.
    #[default]
    Auto,
    Always,
    Never,
}

/// How to commit.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub buildtrees: CacheBuildtrees,
    /// Whether every failure answers for its key.
    pub keep_all: bool,
    /// Whether a failure may take the place of a success.
    pub replace: bool,
}

/// Commits the build of a record: `work` goes, `artifact` comes.
pub fn commit(record: &mut Record, seen: &Seen, store: &Store, options: &Options) -> Result<()> {
    let mut result: BuildResult = record.require("result")?;
    let work: Work = record.require("work")?;
    let key: Key = record.require("key")?;
    let build: Option<Build> = record.get("build")?;
    let name = record.artifact_name(key)?;
    let weak: Key = record.get("weak_key")?.unwrap_or(key);
    let workspaced = build.as_ref().is_some_and(|build| build.workspaced);
    let trees = match options.buildtrees {
        CacheBuildtrees::Always => true,
        CacheBuildtrees::Auto => !result.success || workspaced,
        CacheBuildtrees::Never => false,
    };
    let standing = result.class.map_or(Standing::Answers, |class| class.standing());
    let mut field = ArtifactField::default();
    let mut message = message::basic(&seen.stage_of(record)?, key, weak, store)?;
    message.was_workspaced = workspaced;
    if let Some(log) = &work.log {
        let digest = store_log(store, Path::new(log))?;
        result.log = Some(digest);
        field.log = Some(digest);
        message.logs.push(proto::LogFile { name: log_name(log), digest: Some(digest.to_proto()) });
    }
    if result.success || standing != Standing::Logged || options.keep_all {
        let stored = trees::store(&work, build.as_ref(), store, trees)?;
        (field.files, field.buildtree) = (stored.files, stored.buildtree);
        (field.buildroot, field.sources) = (stored.buildroot, stored.sources);
        message::add_trees(&mut message, &stored, &work, trees);
        message::add_metadata(&mut message, build.as_ref(), &work, &result, store)?;
        message::add_result(&mut message, &result);
        let answers = result.success || standing == Standing::Answers || options.keep_all;
        if answers && may_stand(store, &name, &result, options)? {
            store.artifacts().write(&name, &message)?;
            if weak != key && may_stand(store, &name.with_key(weak), &result, options)? {
                store.artifacts().write(&name.with_key(weak), &message)?;
            }
            field.reference = Some(name);
        }
    }
    record.set("artifact", &field)?;
    record.set("result", &result)?;
    record.remove("work");
    crate::doing::staging::disk::remove(Path::new(&work.dir))
}

/// A success is never displaced by a failure.
fn may_stand(
    store: &Store,
    name: &crate::values::name::ArtifactName,
    result: &BuildResult,
    options: &Options,
) -> Result<bool> {
    if result.success || options.replace {
        return Ok(true);
    }
    // What cannot be read is no success.
    Ok(!store.artifacts().read(name).ok().flatten().is_some_and(|there| there.build_success))
}

fn store_log(store: &Store, path: &Path) -> Result<Digest> {
    let bytes = std::fs::read(path).map_err(|error| Error::io("cannot read", path, error))?;
    store.cas().put(&bytes)
}

fn log_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
