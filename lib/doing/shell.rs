//! A shell in the root of a build, or in what an artifact needs to run.

use super::build::Place;
use super::sandbox::{Overlay, Root, Sandbox, Upper};
use super::staging::roots::Roots;
use super::staging::tree::Directory;
use super::staging::{disk, merge};
use crate::store::Store;
use crate::store::lookup::Lookups;
use crate::values::result::BuildResult;
use crate::values::{Code, Digest, Error, Result, name::ArtifactName, proto};
use std::path::PathBuf;

/// What a shell needs beside the store.
pub struct Shell<'a> {
    pub store: &'a Store,
    /// bubblewrap.
    pub bwrap: Option<PathBuf>,
    /// What the shell gets of the user's environment, over that of the build.
    pub extra: Vec<(String, String)>,
}

/// An artifact that can be entered, whether it answers for its key or not.
pub struct Entry {
    pub artifact: proto::Artifact,
    pub result: BuildResult,
}

impl Shell<'_> {
    /// Finds a build: the artifact of the key, or else the last build of it that was kept.
    pub fn find(&self, name: &ArtifactName) -> Result<Entry> {
        let lookups = Lookups::new(self.store);
        let (artifact, _) =
            lookups.build(name)?.ok_or_else(|| Error::not_found(format!("there is no build {name} in the store")))?;
        let strong = artifact.strong_key.parse().map_or_else(|_| name.clone(), |key| name.with_key(key));
        let known = self.store.metadata().read(&strong)?.map(|history| history.result);
        let known = known.filter(|result| result.success == artifact.build_success);
        let result = known.unwrap_or_else(|| lookups.result_inside(&artifact));
        Ok(Entry { artifact, result })
    }

    /// Runs a command, or a shell, in the root that a build left; its exit status.
    pub fn in_build_root(&self, name: &ArtifactName, entry: &Entry, command: &[String]) -> Result<i32> {
        let Some(root) = &entry.artifact.buildroot else {
            return Err(Error::not_found(format!(
                "the build {name} was stored without its build root; build it again with \
                 bst-build --keep-work and bst-commit-artifact --cache-buildtrees=always"
            )));
        };
        let root = Digest::from_proto(root)?;
        let tree = self.load(&root).map_err(|error| match error.code() {
            Code::NotFound => Error::not_found(format!(
                "the build root of {name} is not in this store; bst-pull --buildtree brings it ({})",
                error.message()
            )),
            _ => error,
        })?;
        let state = entry.artifact.buildsandbox.clone().unwrap_or_default();
        let environment =
            state.environment.into_iter().map(|variable| (variable.name, variable.value)).collect::<Vec<_>>();
        let cwd = if state.working_directory.is_empty() { "/".to_owned() } else { state.working_directory };
        self.enter(tree, &[root], environment, &cwd, command)
    }

    /// Runs a command, or a shell, in a root with the files of some artifacts, in staging order.
    pub fn at_run_time(
        &self,
        names: &[ArtifactName],
        environment: Vec<(String, String)>,
        allow_failed: bool,
        command: &[String],
    ) -> Result<i32> {
        let cas = self.store.cas();
        let mut tree = Directory::default();
        let mut parts = Vec::new();
        for name in names {
            let artifact = self.store.artifacts().read(name)?;
            let artifact = artifact.ok_or_else(|| Error::not_found(format!("{name} is not in the store")))?;
            if !artifact.build_success && !allow_failed {
                return Err(Error::new(
                    Code::FailedArtifact,
                    format!("{name} is a failed build; --allow-failed enters a root with what there is of it"),
                ));
            }
            if let Some(files) = &artifact.files {
                let files = Digest::from_proto(files)?;
                merge::merge(&mut tree, Directory::load(&cas, &files, 0)?, &cas, None)?;
                parts.push(files);
            }
        }
        self.enter(tree, &parts, environment, "/", command)
    }

    /// Loads all of a tree: what is missing is noticed before anything is started.
    fn load(&self, root: &Digest) -> Result<Directory> {
        let cas = self.store.cas();
        let mut tree = Directory::load(&cas, root, 0)?;
        let mut missing = None;
        tree.walk(&cas, "", 0, &mut |_, node| {
            if let super::staging::tree::Node::File(file) = node {
                if !cas.has(&file.digest) {
                    missing = Some(file.digest);
                }
            }
            Ok(())
        })?;
        match missing {
            Some(digest) => Err(Error::not_found(format!("the store has no blob {digest}"))),
            None => Ok(tree),
        }
    }

    fn enter(
        &self,
        mut tree: Directory,
        parts: &[Digest],
        mut environment: Vec<(String, String)>,
        cwd: &str,
        command: &[String],
    ) -> Result<i32> {
        let bwrap = self.bwrap.clone().ok_or_else(|| {
            Error::new(Code::Sandbox, "a shell needs bubblewrap, and there is no \"bwrap\"; install it")
        })?;
        let cas = self.store.cas();
        for path in ["/dev", "/proc", "/tmp", cwd] {
            tree.make(&cas, path)?;
        }
        for (name, value) in self.extra.iter().cloned().chain([("PWD".to_owned(), cwd.to_owned())]) {
            environment.retain(|(other, _)| *other != name);
            environment.push((name, value));
        }
        let digest = tree.digest()?;
        let staged = Roots::new(self.store).stage(&mut tree, &digest, parts.iter())?;
        let place = Place::make(self.store)?;
        let overlay = Overlay {
            base: place.base().to_owned(),
            lower: vec![staged.relative.clone()],
            upper: Some(Upper { directory: place.directory("changes")?, work: place.directory("scratch")? }),
            mount: place.directory("root")?,
        };
        let mut sandbox = Sandbox {
            bwrap,
            root: Root::Overlay(overlay),
            read_only: false,
            binds: Vec::new(),
            cwd: cwd.to_owned(),
            environment,
            uid: 0,
            gid: 0,
            network: false,
        };
        let shell = ["sh".to_owned(), "-i".to_owned()];
        let command = if command.is_empty() { &shell } else { command };
        if let Some(status) = sandbox.interact(command)? {
            return Ok(status);
        }
        // No overlays here: the root is copied.
        place.directory("copy")?;
        let copy = place.path().join("copy");
        disk::write(&mut tree, &cas, &copy, &disk::Files::Copies)?;
        sandbox.root = Root::Plain(copy);
        let status = sandbox.interact(command)?;
        status.ok_or_else(|| Error::new(Code::Sandbox, "the root of the shell cannot be mounted"))
    }
}
