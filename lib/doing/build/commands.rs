//! Kinds that run commands: the build family and scripts.

use super::script::{self, Step};
use super::{Failure, Run, Stop, place};
use crate::doing::sandbox::{Bind, Ended, Overlay, Root, Sandbox, Upper};
use crate::doing::source;
use crate::doing::staging::collect::{Collector, make_opaque};
use crate::doing::staging::disk;
use crate::doing::staging::roots::{Roots, StagedRoot};
use crate::doing::staging::tree::{Directory, components};
use crate::store::import::Import;
use crate::values::record::{Commands, SandboxState};
use crate::values::result::FailureClass;
use crate::values::{Code, Error, Result, proto};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The root of a sandbox: as a tree, and on disk.
struct Scene {
    tree: Directory,
    /// Layers on disk, the topmost first.
    layers: Vec<String>,
    _staged: StagedRoot,
}

/// The directories that every sandbox has.
const ALWAYS: [&str; 3] = ["/dev", "/proc", "/tmp"];

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
        self.log.say("LOG", "Build environment")?;
        let listed: Vec<String> = environment.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        self.log.detail(&listed.join("\n"))?;
        let tree = self.stage(&commands.layout)?;
        let mut scene = self.scene(tree, commands)?;
        let mut outcome = self.in_scene(&mut scene, commands, environment);
        if outcome.is_ok() && !self.is_collectable(&mut scene, commands)? {
            outcome = Err(not_collected(commands).into());
        }
        match outcome {
            Ok(()) if !self.builder.keep && self.leave_files(commands)? => Ok(()),
            Ok(()) => Ok(self.leave_all(&mut scene, commands, true)?),
            Err(Stop::Failed(failure)) => {
                self.leave_all(&mut scene, commands, commands.collect_on_failure)?;
                Err(failure.into())
            }
            Err(broken) => Err(broken),
        }
    }

    /// Puts the root on disk, and the directories that the sandbox needs over it.
    fn scene(&mut self, mut tree: Directory, commands: &Commands) -> Result<Scene> {
        let store = &self.builder.store;
        let digest = tree.digest()?;
        let staged = Roots::new(store).stage(&mut tree, &digest)?;
        let extra = self.place.directory("extra")?;
        let mut wanted: Vec<&str> = ALWAYS.to_vec();
        wanted.push(&commands.cwd);
        wanted.extend(commands.writable.iter().map(String::as_str));
        if commands.collect_on_failure {
            wanted.push(&commands.collect);
        }
        let base = self.place.base().join(&extra);
        for path in wanted {
            tree.make(&store.cas(), path)?;
            make_directories(&base, path)?;
        }
        settle_all(&base)?;
        Ok(Scene { tree, layers: vec![extra, staged.relative.clone()], _staged: staged })
    }

    fn in_scene(
        &mut self,
        scene: &mut Scene,
        commands: &Commands,
        environment: BTreeMap<String, String>,
    ) -> Result<(), Stop> {
        self.integrate(scene, commands)?;
        if let Some(target) = &commands.sources {
            self.sources(scene, target)?;
        }
        let replaced = outermost(commands);
        let changes = self.place.path().join("changes");
        self.place.directory("changes")?;
        let cas = self.builder.store.cas();
        for path in &replaced {
            let target = make_directories(&changes, path)?;
            if let Some(content) = scene.tree.get(&cas, path)? {
                disk::write(content, &cas, &target, &disk::Files::Copies)?;
            }
            if !commands.root_read_only {
                make_opaque(&target)?;
            }
        }
        self.work.replaced = replaced.clone();
        self.work.changes = Some(place::text(&changes)?);
        let steps: Vec<Step> = commands
            .commands
            .iter()
            .map(|command| Step::build(&command.command, &command.phase, &commands.cwd, &environment))
            .collect();
        let binds = replaced.iter().map(|path| Bind { from: disk::inside(&changes, path), to: path.clone() }).collect();
        if commands.root_read_only {
            return self.batch(&steps, scene, None, binds, FailureClass::Command);
        }
        let upper = self.upper("changes")?;
        self.batch(&steps, scene, Some(upper), Vec::new(), FailureClass::Command)
    }

    /// Runs the integration commands of what is staged at `/`.
    fn integrate(&mut self, scene: &mut Scene, commands: &Commands) -> Result<(), Stop> {
        let Some(at_root) = self.locations(&commands.layout)?.remove("/") else { return Ok(()) };
        let store = &self.builder.store;
        let mut steps = Vec::new();
        for at in at_root {
            let dependency = &self.dependencies[at];
            let texts = dependency.public_list(store, "integration-commands")?;
            if texts.is_empty() {
                continue;
            }
            let environment = dependency.environment(store)?;
            steps.extend(texts.iter().map(|text| Step::integration(text, &environment)));
        }
        if steps.is_empty() {
            return Ok(());
        }
        let since = self.log.begin("Integrating sandbox")?;
        let upper = self.upper("integrated")?;
        let outcome = self.batch(&steps, scene, Some(upper), Vec::new(), FailureClass::Integration);
        let cas = store.cas();
        let batch = cas.batch()?;
        let how = Import::default();
        let mut collector = Collector { cas: &cas, batch: &batch, how, normalise: true, skip: Vec::new() };
        collector.apply(&mut scene.tree, &self.place.path().join("integrated"))?;
        batch.finish()?;
        let layer = self.place.directory("integrated")?;
        scene.layers.insert(0, layer);
        self.log.end(since, outcome.is_ok(), "Integrating sandbox")?;
        outcome
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

    fn upper(&self, name: &str) -> Result<Upper> {
        Ok(Upper { directory: self.place.directory(name)?, work: self.place.directory(&format!("{name}.scratch"))? })
    }

    /// Runs commands in one sandbox.
    fn batch(
        &mut self,
        steps: &[Step],
        scene: &mut Scene,
        upper: Option<Upper>,
        binds: Vec<Bind>,
        class: FailureClass,
    ) -> Result<(), Stop> {
        let Some(first) = steps.first() else { return Ok(()) };
        let cas = self.builder.store.cas();
        let path = first.environment.get("PATH").map_or("/usr/bin:/bin", String::as_str);
        let mut has_shell = false;
        for directory in path.split(':') {
            has_shell = has_shell || scene.tree.leads_somewhere(&cas, &format!("{directory}/sh"))?;
        }
        if !has_shell {
            let words = "Staged artifacts do not provide command 'sh'";
            return Err(Failure::new(FailureClass::MissingShell, &first.phase, words).into());
        }
        let since = self.log.begin("Running commands")?;
        let labels: Vec<&str> = steps.iter().map(|step| step.label.as_str()).collect();
        self.log.detail(&labels.join("\n"))?;
        let outcome = self.run_script(steps, first, scene, upper, binds, class);
        self.log.end(since, outcome.is_ok(), "Running commands")?;
        outcome
    }

    fn run_script(
        &mut self,
        steps: &[Step],
        first: &Step,
        scene: &Scene,
        upper: Option<Upper>,
        binds: Vec<Bind>,
        class: FailureClass,
    ) -> Result<(), Stop> {
        let builder = self.builder;
        let bwrap = builder.bwrap.clone().ok_or_else(|| {
            Error::new(Code::Sandbox, "the sandbox needs bubblewrap, and there is no \"bwrap\" on the search path")
        })?;
        let config = &self.job.build.sandbox;
        let mut environment: Vec<(String, String)> = first.environment.clone().into_iter().collect();
        environment.push(("PWD".to_owned(), first.cwd.clone()));
        let sandbox = Sandbox {
            bwrap,
            read_only: upper.is_none(),
            root: Root::Overlay(Overlay {
                base: self.place.base().to_owned(),
                lower: scene.layers.clone(),
                upper,
                mount: self.place.directory("root")?,
            }),
            binds,
            cwd: first.cwd.clone(),
            environment,
            uid: config.build_uid.unwrap_or(0),
            gid: config.build_gid.unwrap_or(0),
            network: false,
        };
        let words = ["sh", "-c", "-e"].map(str::to_owned).into_iter().chain([script::of(steps)]);
        let words: Vec<String> = words.collect();
        let (mut running, mut status) = (None, None);
        let outcome = sandbox.run(&words, self.log.file(), &self.limits, builder.cancel, &mut |line| {
            let mut numbers = line.split(' ').map(str::parse::<usize>);
            running = numbers.next().and_then(Result::ok).or(running);
            if let Some(Ok(code)) = numbers.next() {
                status = i32::try_from(code).ok();
            }
        })?;
        let code = match outcome.ended {
            Ended::Exit(0) => return Ok(()),
            Ended::Exit(code) => status.unwrap_or(code),
            Ended::Timeout => {
                return Err(self.failure(FailureClass::Timeout, "Build timed out", steps, running).into());
            }
            Ended::Cancelled => {
                return Err(self.failure(FailureClass::Cancelled, "Build cancelled", steps, running).into());
            }
        };
        let signal = ended_by_signal(code);
        let class = match code {
            75 => FailureClass::Temporary,
            _ if signal.is_some() => FailureClass::Signal,
            _ => class,
        };
        let mut failure = self.failure(class, "Command failed", steps, running);
        if signal.is_some() {
            failure.signal = signal
        } else {
            failure.exit = Some(code)
        }
        Err(failure.into())
    }

    fn failure(&self, class: FailureClass, words: &str, steps: &[Step], running: Option<usize>) -> Failure {
        let step = running.and_then(|at| steps.get(at)).or(steps.first());
        let mut failure = Failure::new(class, step.map_or("build", |step| &step.phase), words);
        failure.command = running.and_then(|at| steps.get(at)).map(|step| step.label.clone());
        failure
    }

    /// Whether the directory of the files is there after the build.
    fn is_collectable(&self, scene: &mut Scene, commands: &Commands) -> Result<bool> {
        if let Some(changes) = &self.work.changes {
            let changed = disk::inside(Path::new(changes), &commands.collect);
            match std::fs::symlink_metadata(&changed) {
                Ok(meta) => return Ok(meta.is_dir()),
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
        let Some(changes) = self.work.changes.clone().filter(|_| self.is_replaced(&commands.collect)) else {
            return Ok(false);
        };
        self.work.files = Some(place::text(&disk::inside(Path::new(&changes), &commands.collect))?);
        self.work.changes = None;
        self.work.replaced.clear();
        self.work.sandbox = None;
        Ok(true)
    }

    /// Leaves everything: the tree of the root, and what the build changed in it.
    fn leave_all(&mut self, scene: &mut Scene, commands: &Commands, files: bool) -> Result<()> {
        let cas = self.builder.store.cas();
        if commands.root_read_only {
            for path in ALWAYS {
                let directory = scene.tree.make(&cas, path)?;
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
    let mut paths: Vec<String> = commands
        .writable
        .iter()
        .chain(&commands.sources)
        .map(|path| format!("/{}", components(path).join("/")))
        .collect();
    paths.sort();
    paths.dedup();
    let all = paths.clone();
    paths.retain(|path| {
        let inner = components(path);
        !all.iter().any(|other| other != path && inner.starts_with(&components(other)))
    });
    paths
}

/// The signal that a shell's exit status speaks of.
fn ended_by_signal(code: i32) -> Option<i32> {
    const DEADLY: [i32; 10] = [
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGILL,
        libc::SIGABRT,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGKILL,
        libc::SIGSEGV,
        libc::SIGPIPE,
        libc::SIGTERM,
    ];
    DEADLY.into_iter().find(|signal| code == 128 + signal)
}

/// Makes the directories of a path below `base`; the last one.
fn make_directories(base: &Path, path: &str) -> Result<PathBuf> {
    let mut target = base.to_owned();
    for name in components(path) {
        target.push(name);
        crate::store::fs::create_dir_all(&target)?;
    }
    Ok(target)
}

fn settle_all(path: &Path) -> Result<()> {
    let failed = |error| Error::io("cannot read", path, error);
    for entry in std::fs::read_dir(path).map_err(failed)? {
        settle_all(&entry.map_err(failed)?.path())?;
    }
    disk::settle(path, 0o755)
}
