//! The root of a sandbox: as a tree, and on disk.

use super::script::Step;
use super::{Run, Stop};
use crate::doing::sandbox::{Overlay, Root, Upper};
use crate::doing::staging::collect::{self, Collector};
use crate::doing::staging::disk;
use crate::doing::staging::roots::{Roots, StagedRoot};
use crate::doing::staging::tree::{Directory, components};
use crate::store::{fs, import::Import};
use crate::values::result::FailureClass;
use crate::values::{Error, Result};
use std::path::{Path, PathBuf};

/// A root.
pub(super) struct Scene {
    pub tree: Directory,
    /// Layers on disk, the topmost first.
    layers: Vec<String>,
    _staged: Option<StagedRoot>,
}

/// The directories that every sandbox has.
pub(super) const ALWAYS: [&str; 3] = ["/dev", "/proc", "/tmp"];

/// The directory that a root without overlay is in.
const COPY: &str = "copy";

/// A root that is ready to be entered.
pub(super) struct Ground {
    pub root: Root,
    /// Whether it can only be read.
    pub read_only: bool,
}

impl Run<'_> {
    /// Puts a tree on disk, and over it the directories that the sandbox needs.
    pub(super) fn scene(&mut self, mut tree: Directory, wanted: &[&str]) -> Result<Scene> {
        let store = &self.builder.store;
        let cas = store.cas();
        if !self.builder.overlays.get() {
            for path in ALWAYS.iter().chain(wanted) {
                tree.make(&cas, path)?;
            }
            return Ok(Scene { tree, layers: Vec::new(), _staged: None });
        }
        let digest = tree.digest()?;
        let staged = Roots::new(store).stage(&mut tree, &digest, self.dependencies.iter().map(|it| &it.files))?;
        let extra = self.place.directory("extra")?;
        let base = self.place.base().join(&extra);
        for path in ALWAYS.iter().chain(wanted) {
            tree.make(&cas, path)?;
            make_directories(&base, path)?;
        }
        settle_all(&base)?;
        Ok(Scene { tree, layers: vec![extra, staged.relative.clone()], _staged: Some(staged) })
    }

    /// Makes a root ready for a command. What it changes goes to the directory `changes` of the place, if
    /// one is named; without one it cannot change anything.
    pub(super) fn ground(&mut self, scene: &mut Scene, changes: Option<&str>) -> Result<Ground> {
        let read_only = changes.is_none();
        if self.builder.overlays.get() {
            let upper = changes.map(|name| self.upper(name)).transpose()?;
            let mount = self.place.directory("root")?;
            let base = self.place.base().to_owned();
            let overlay = Overlay { base, lower: scene.layers.clone(), upper, mount };
            return Ok(Ground { root: Root::Overlay(overlay), read_only });
        }
        let copy = self.copy_path();
        disk::remove(&copy)?;
        self.place.directory(COPY)?;
        disk::write(&mut scene.tree, &self.builder.store.cas(), &copy, &disk::Files::Copies)?;
        Ok(Ground { root: Root::Plain(copy), read_only })
    }

    /// Where the root is if there is no overlay.
    pub(super) fn copy_path(&self) -> PathBuf {
        self.place.path().join(COPY)
    }

    fn upper(&self, name: &str) -> Result<Upper> {
        let work = self.place.directory(&format!("{name}.scratch"))?;
        Ok(Upper { directory: self.place.directory(name)?, work })
    }

    /// The integration commands of some dependencies.
    pub(super) fn integration_steps(&self, wanted: impl IntoIterator<Item = usize>) -> Result<Vec<Step>> {
        let store = &self.builder.store;
        let mut steps = Vec::new();
        for dependency in wanted.into_iter().map(|at| &self.dependencies[at]) {
            let texts = dependency.public_list(store, "integration-commands")?;
            if texts.is_empty() {
                continue;
            }
            let environment = dependency.environment(store)?;
            steps.extend(texts.iter().map(|text| Step::integration(text, &environment)));
        }
        Ok(steps)
    }

    /// Runs integration commands; the root is as they left it afterwards, also if they failed.
    pub(super) fn integrate(&mut self, scene: &mut Scene, steps: &[Step]) -> Result<(), Stop> {
        if steps.is_empty() {
            return Ok(());
        }
        const LAYER: &str = "integrated";
        let since = self.log.begin("Integrating sandbox")?;
        if let Some(elsewhere) = self.builder.elsewhere.clone() {
            let outcome = self.batch_elsewhere(&elsewhere, steps, scene, None, FailureClass::Integration);
            self.log.end(since, outcome.is_ok(), "Integrating sandbox")?;
            return outcome;
        }
        let outcome = self.batch(steps, scene, Some(LAYER), &[], FailureClass::Integration);
        if !matches!(outcome, Err(Stop::Broken(_))) {
            let cas = self.builder.store.cas();
            let batch = cas.batch()?;
            if self.builder.overlays.get() {
                let layer = self.place.directory(LAYER)?;
                let how = Import::default();
                let mut collector = Collector { cas: &cas, batch: &batch, how, normalise: true, skip: Vec::new() };
                collector.apply(&mut scene.tree, &self.place.base().join(&layer))?;
                scene.layers.insert(0, layer);
                batch.finish()?;
            } else if self.copy_path().exists() {
                let digest = batch.import_tree(&self.copy_path(), Import::default())?;
                batch.finish()?;
                scene.tree = Directory::load(&cas, &digest, 0)?;
            }
        }
        self.log.end(since, outcome.is_ok(), "Integrating sandbox")?;
        outcome
    }
}

/// Whether a directory of overlays can be written to in all ways: directories that hide others are marked
/// with an attribute, which not every file system has.
pub(super) fn can_be_upper(path: &Path) -> Result<bool> {
    let probe = tempfile::tempdir_in(path).map_err(|error| Error::io("cannot write to", path, error))?;
    Ok(collect::make_opaque(probe.path()).is_ok())
}

/// Makes the directories of a path below `base`; the last one.
pub(super) fn make_directories(base: &Path, path: &str) -> Result<PathBuf> {
    let target = components(path).into_iter().fold(base.to_owned(), |target, name| target.join(name));
    fs::create_dir_all(&target)?;
    Ok(target)
}

fn settle_all(path: &Path) -> Result<()> {
    let failed = |error| Error::io("cannot read", path, error);
    for entry in std::fs::read_dir(path).map_err(failed)? {
        settle_all(&entry.map_err(failed)?.path())?;
    }
    disk::settle(path, 0o755)
}
