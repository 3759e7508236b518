//! Kinds that run commands: the build family and scripts.

use super::scene::{self, ALWAYS, Scene, make_directories};
use super::script::Step;
use super::{Failure, Run, Stop, place};
use crate::doing::sandbox::Bind;
use crate::doing::source;
use crate::doing::staging::collect::make_opaque;
use crate::doing::staging::disk;
use crate::doing::staging::tree::{Directory, components};
use crate::values::record::{Commands, SandboxState};
use crate::values::result::FailureClass;
use crate::values::{Code, Error, Result, proto};
use std::collections::BTreeMap;
use std::path::Path;

/// Where the changes of the build go.
const CHANGES: &str = "changes";

impl Run<'_> {
    pub(super) fn commands(&mut self, commands: &Commands) -> Result<(), Stop> {
        let apart = self.apart(&commands.layout)?;
        let mut environment = self.job.build.environment.clone();
        environment.extend(apart.iter().map(|(variable, digest)| (variable.clone(), digest.to_string())));
        self.work.sandbox = Some(SandboxState {
            cwd: commands.cwd.clone(),
            environment: environment.clone(),
            subsandboxes: apart.into_values().collect(),
            writable: commands.writable.clone(),
        });
        self.log.say("LOG", &format!("Build environment for element {}", self.log.element()))?;
        let listed: Vec<String> = environment.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        self.log.detail(&listed.join("\n"))?;
        let tree = self.stage(&commands.layout)?;
        let mut wanted: Vec<&str> = commands.writable.iter().map(String::as_str).collect();
        wanted.push(&commands.cwd);
        if commands.collect_on_failure {
            wanted.push(&commands.collect);
        }
        let mut scene = self.scene(tree, &wanted)?;
        let mut outcome = self.in_scene(&mut scene, commands, environment);
        if outcome.is_ok() && !self.is_collectable(&mut scene, commands)? {
            outcome = Err(not_collected(commands).into());
        }
        match outcome {
            Ok(()) if !self.builder.keep && self.leave_files(commands)? => Ok(()),
            Ok(()) => Ok(self.leave_all(&mut scene, commands, true)?),
            Err(Stop::Failed(mut failure)) => {
                let left = self.leave_all(&mut scene, commands, commands.collect_on_failure);
                if let Err(error) = left {
                    // The trees are lost, but not what is known of the command.
                    failure.lost(error)?;
                    self.work.changes = None;
                    self.work.replaced.clear();
                }
                Err(failure.into())
            }
            Err(broken) => Err(broken),
        }
    }

    fn in_scene(
        &mut self,
        scene: &mut Scene,
        commands: &Commands,
        environment: BTreeMap<String, String>,
    ) -> Result<(), Stop> {
        if let Some(at_root) = self.locations(&commands.layout)?.remove("/") {
            let steps = self.integration_steps(at_root)?;
            self.integrate(scene, &steps)?;
        }
        if let Some(target) = &commands.sources {
            self.sources(scene, target)?;
        }
        let steps: Vec<Step> = commands
            .commands
            .iter()
            .map(|command| Step::build(&command.command, &command.phase, &commands.cwd, &environment))
            .collect();
        if let Some(elsewhere) = self.builder.elsewhere.clone() {
            return self.batch_elsewhere(&elsewhere, &steps, scene, Some(commands), FailureClass::Command);
        }
        let binds = self.lay_out(scene, commands)?;
        let changes = (!commands.root_read_only).then_some(CHANGES);
        self.batch(&steps, scene, changes, &binds, FailureClass::Command)
    }

    fn sources(&mut self, scene: &mut Scene, target: &str) -> Result<(), Stop> {
        let since = self.log.begin("Staging sources")?;
        let store = &self.builder.store;
        let digest = source::stage(&self.job.sources, store)?;
        self.work.sources = Some(digest);
        let cas = store.cas();
        let place = scene.tree.make(&cas, target)?;
        if !place.is_empty() {
            return Err(Error::new(Code::Staging, format!("Staging directory '{target}' is not empty")).into());
        }
        *place = Directory::load(&cas, &digest, 0)?;
        self.log.end(since, true, "Staging sources")?;
        Ok(())
    }

    /// Lays out copies of what the build may write to. Where only that can be written to, it is bound over the
    /// root; else it is there from the start in the layer that the changes go to.
    fn lay_out(&mut self, scene: &mut Scene, commands: &Commands) -> Result<Vec<Bind>> {
        self.place.directory(CHANGES)?;
        let changes = self.place.path().join(CHANGES);
        if !commands.root_read_only {
            self.builder.overlays.set(self.builder.overlays.get() && scene::can_be_upper(&changes)?);
            if !self.builder.overlays.get() {
                return Ok(Vec::new());
            }
        }
        let cas = self.builder.store.cas();
        let mut binds = Vec::new();
        for path in outermost(commands) {
            let from = make_directories(&changes, &path)?;
            if let Some(content) = scene.tree.get(&cas, &path)? {
                disk::write(content, &cas, &from, &disk::Files::Copies)?;
            }
            if commands.root_read_only {
                binds.push(Bind { from, to: path.clone() });
            } else {
                make_opaque(&from)?;
            }
            self.work.replaced.push(path);
        }
        self.work.changes = Some(place::text(&changes)?);
        Ok(binds)
    }

    /// Whether the build ran in a copy of the root that it could write to.
    fn ran_in_copy(&self, commands: &Commands) -> bool {
        !commands.root_read_only && !self.builder.overlays.get() && self.copy_path().exists()
    }

    /// Whether the directory of the files is there after the build.
    fn is_collectable(&self, scene: &mut Scene, commands: &Commands) -> Result<bool> {
        let is_directory = |path: &Path| path.symlink_metadata().map(|meta| meta.is_dir());
        if self.ran_in_copy(commands) {
            return Ok(is_directory(&disk::inside(&self.copy_path(), &commands.collect)).unwrap_or(false));
        }
        if let Some(changes) = &self.work.changes {
            match is_directory(&disk::inside(Path::new(changes), &commands.collect)) {
                Ok(is_directory) => return Ok(is_directory),
                Err(_) if self.is_replaced(&commands.collect) => return Ok(false),
                Err(_) => {}
            }
        }
        Ok(scene.tree.get(&self.builder.store.cas(), &commands.collect)?.is_some())
    }

    fn is_replaced(&self, path: &str) -> bool {
        let inside = components(path);
        self.work.replaced.iter().any(|replaced| inside.starts_with(&components(replaced)))
    }

    /// Leaves nothing but the files, which is what a success is asked for, if they lie together on disk.
    fn leave_files(&mut self, commands: &Commands) -> Result<bool> {
        let root = match &self.work.changes {
            _ if self.ran_in_copy(commands) => self.copy_path(),
            Some(changes) if self.is_replaced(&commands.collect) => Path::new(changes).to_owned(),
            _ => return Ok(false),
        };
        self.work.files = Some(place::text(&disk::inside(&root, &commands.collect))?);
        self.work.changes = None;
        self.work.replaced.clear();
        Ok(true)
    }

    /// Leaves everything: the tree of the root, and what the build changed in it.
    fn leave_all(&mut self, scene: &mut Scene, commands: &Commands, files: bool) -> Result<()> {
        if self.ran_in_copy(commands) {
            let copy = self.copy_path();
            let there = |path: &str| {
                let path = disk::inside(&copy, path);
                path.symlink_metadata().is_ok_and(|meta| meta.is_dir()).then(|| place::text(&path)).transpose()
            };
            self.work.buildroot = there("/")?;
            self.work.buildtree = there(&self.job.build.build_root)?;
            self.work.files = if files { there(&commands.collect)? } else { None };
            return Ok(());
        }
        if commands.root_read_only {
            for path in ALWAYS {
                let directory = scene.tree.make(&self.builder.store.cas(), path)?;
                directory.properties = Some(proto::NodeProperties {
                    properties: vec![proto::NodeProperty { name: "SubtreeReadOnly".into(), value: "false".into() }],
                    ..proto::NodeProperties::default()
                });
            }
        }
        self.work.base = Some(self.put_tree(&scene.tree)?);
        self.work.buildroot = Some("/".to_owned());
        self.work.buildtree = Some(self.job.build.build_root.clone());
        self.work.files = files.then(|| commands.collect.clone());
        Ok(())
    }
}

fn not_collected(commands: &Commands) -> Failure {
    let words = format!(
        "Directory '{}' was not found inside the sandbox, unable to collect artifact contents",
        commands.collect
    );
    Failure::new(FailureClass::Collect, "collect", words)
}

/// The directories that are put into the sandbox as copies: those that can be written to and that of the
/// sources, without those that lie in another.
fn outermost(commands: &Commands) -> Vec<String> {
    let paths = commands.writable.iter().chain(&commands.sources);
    let mut paths: Vec<String> = paths.map(|path| format!("/{}", components(path).join("/"))).collect();
    paths.sort();
    paths.dedup();
    let all = paths.clone();
    paths.retain(|path| {
        let inner = components(path);
        !all.iter().any(|other| other != path && inner.starts_with(&components(other)))
    });
    paths
}
