//! Storing what a build left: trees, log, metadata and result, success or failure, whoever built it.

mod message;
mod trees;

use super::build::Seen;
use super::staging::disk;
use crate::store::commit::{Committed, Rules, standing};
use crate::store::{Store, lease::Lease};
use crate::values::record::{Build, Record, Work};
use crate::values::result::{BuildResult, FailureClass, Standing};
use crate::values::{Digest, Error, Key, Result, name::ArtifactName, proto};
use std::fs::File;
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

/// Commits builds to a store.
pub struct Committer {
    store: Store,
    buildtrees: CacheBuildtrees,
    rules: Rules,
    _lease: Lease,
}

impl Committer {
    /// As long as it lives, nothing that it stored is expired.
    pub fn new(store: Store, buildtrees: CacheBuildtrees, rules: Rules) -> Result<Committer> {
        let lease = Lease::take(&store)?;
        Ok(Committer { store, buildtrees, rules, _lease: lease })
    }

    /// Commits the build of a record: `work` goes, `artifact` comes.
    pub fn commit(&self, record: &mut Record, seen: &Seen) -> Result<()> {
        let mut result: BuildResult = record.require("result")?;
        let work: Work = record.require("work")?;
        let name = record.artifact_name(record.require("key")?)?;
        let weak: Key = record.get("weak_key")?.unwrap_or(name.key());
        let build: Option<Build> = record.get("build")?;
        let element = record.identity()?.element;
        if Path::new(&work.dir).is_relative() {
            return Err(Error::malformed(format!("\"work.dir\" is \"{}\", which is no absolute path", work.dir)));
        }
        let message = message::basic(&seen.stage_of(record)?, name.key(), weak, &self.store)?;
        let committed = self.store_build(&name, &element, message, build.as_ref(), &work, &mut result)?;
        record.set("artifact", &committed.artifact)?;
        record.set("result", &result)?;
        record.remove("work");
        disk::remove(Path::new(&work.dir))
    }

    fn store_build(
        &self,
        name: &ArtifactName,
        element: &str,
        mut message: proto::Artifact,
        build: Option<&Build>,
        work: &Work,
        result: &mut BuildResult,
    ) -> Result<Committed> {
        message.was_workspaced = build.is_some_and(|build| build.workspaced);
        let everything = match self.buildtrees {
            CacheBuildtrees::Always => true,
            CacheBuildtrees::Auto => !result.success || message.was_workspaced,
            CacheBuildtrees::Never => false,
        };
        if let Some(log) = &work.log {
            let digest = self.log(Path::new(log))?;
            result.log = Some(digest);
            let name = log.rsplit('/').next().unwrap_or(log).to_owned();
            message.logs.push(proto::LogFile { name, digest: Some(digest.to_proto()) });
        }
        if standing(result, self.rules) != Standing::Logged {
            let stored = trees::store(work, message.was_workspaced, &self.store, everything)?;
            if !stored.unnameable.is_empty() {
                unnameable(result, &stored.unnameable);
            }
            message::add_trees(&mut message, &stored, work, everything);
        }
        // From here on other commits of the element wait.
        let commit = self.store.commit(name)?;
        result.attempt = Some(commit.attempt());
        message::add_metadata(&mut message, build, work, result, &self.store)?;
        message::add_result(&mut message, result);
        commit.finish(element, &message, result, self.rules)
    }

    fn log(&self, path: &Path) -> Result<Digest> {
        let file = File::open(path).map_err(|error| Error::io("cannot read", path, error))?;
        self.store.cas().put_reader(file)
    }
}

/// A success that left names which no tree can hold is none.
fn unnameable(result: &mut BuildResult, names: &[String]) {
    let detail = format!("Names that are no UTF-8 cannot be stored:\n{}", names.join("\n"));
    if result.success {
        result.success = false;
        result.class = Some(FailureClass::Collect);
        result.retryable = Some(false);
        result.phase = Some("collect".to_owned());
        result.description = format!("{} names are no UTF-8 and cannot be collected", names.len());
        result.detail = Some(detail);
    } else {
        result.detail = Some(result.detail.take().map_or(detail.clone(), |before| format!("{before}\n{detail}")));
    }
}
