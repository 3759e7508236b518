//! Commands that run in one sandbox, and what is known when one fails.

use super::scene::Scene;
use super::script::{self, Step};
use super::{Failure, Run, Stop, classify};
use crate::doing::sandbox::{Bind, Ended, Outcome, Sandbox};
use crate::values::result::FailureClass;
use crate::values::{Code, Error, Result};

/// The kernel takes no longer word of a command line.
const LONGEST_SCRIPT: usize = (1 << 17) - 1;

/// How far a script came, by what it said.
#[derive(Default)]
pub(super) struct Progress {
    /// The position of the command that started last.
    pub running: Option<usize>,
    /// The status of the command that failed.
    pub status: Option<i32>,
}

impl Progress {
    /// Takes a line: the position of a command that starts, with a status if it failed.
    fn take(&mut self, line: &str) {
        let mut numbers = line.split(' ').map(str::parse::<usize>);
        self.running = numbers.next().and_then(Result::ok).or(self.running);
        if let Some(Ok(status)) = numbers.next() {
            self.status = i32::try_from(status).ok();
        }
    }
}

impl Run<'_> {
    /// Runs commands one after another in one sandbox, until one fails. What they change in the root goes to
    /// the directory `changes` of the place; without one the root can only be read, but for `binds`.
    pub(super) fn batch(
        &mut self,
        steps: &[Step],
        scene: &mut Scene,
        changes: Option<&str>,
        binds: &[Bind],
        class: FailureClass,
    ) -> Result<(), Stop> {
        let Some(first) = steps.first() else { return Ok(()) };
        self.check_shell(scene, first)?;
        let since = self.log.begin("Running commands")?;
        let labels: Vec<&str> = steps.iter().map(|step| step.label.as_str()).collect();
        self.log.detail(&labels.join("\n"))?;
        let mut progress = Progress::default();
        let outcome = self.enter(steps, first, scene, changes, binds, &mut progress);
        let outcome = match outcome {
            Ok(outcome) => self.judge(steps, &outcome, &progress, class),
            Err(error) => Err(error.into()),
        };
        self.log.end(since, outcome.is_ok(), "Running commands")?;
        outcome
    }

    /// Without a shell no command can run.
    pub(super) fn check_shell(&self, scene: &mut Scene, step: &Step) -> Result<(), Stop> {
        if self.has_shell(scene, step)? {
            return Ok(());
        }
        let words = "Staged artifacts do not provide command 'sh'";
        Err(Failure::new(FailureClass::MissingShell, &step.phase, words).into())
    }

    fn has_shell(&self, scene: &mut Scene, step: &Step) -> Result<bool> {
        let cas = self.builder.store.cas();
        let path = step.environment.get("PATH").map_or("/usr/bin:/bin", String::as_str);
        for directory in path.split(':') {
            if scene.tree.leads_somewhere(&cas, &format!("{directory}/sh"))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn enter(
        &mut self,
        steps: &[Step],
        first: &Step,
        scene: &mut Scene,
        changes: Option<&str>,
        binds: &[Bind],
        progress: &mut Progress,
    ) -> Result<Outcome> {
        let builder = self.builder;
        let bwrap = builder.bwrap.clone().ok_or_else(|| {
            Error::new(
                Code::Sandbox,
                "the sandbox needs bubblewrap, and there is no \"bwrap\" on the search path; install it",
            )
        })?;
        let script = script::of(steps);
        if script.len() > LONGEST_SCRIPT {
            let message = format!("the commands are {} bytes long together; the system takes 128 KiB", script.len());
            return Err(Error::new(Code::Staging, message));
        }
        let words: Vec<String> = ["sh", "-c", "-e"].map(str::to_owned).into_iter().chain([script]).collect();
        let config = &self.job.build.sandbox;
        loop {
            let ground = self.ground(scene, changes)?;
            let sandbox = Sandbox {
                bwrap: bwrap.clone(),
                root: ground.root,
                read_only: ground.read_only,
                binds: binds.to_vec(),
                cwd: first.cwd.clone(),
                environment: self.environment(first),
                uid: config.build_uid.unwrap_or(0),
                gid: config.build_gid.unwrap_or(0),
                network: false,
            };
            let mut take = |line: &str| progress.take(line);
            let outcome = sandbox.run(&words, self.log.file(), &self.limits, builder.cancel, &mut take)?;
            if outcome.ended != Ended::NoOverlay {
                return Ok(outcome);
            }
            self.log.say("STATUS", "There are no overlays here: the root is copied")?;
            builder.overlays.set(false);
        }
    }

    /// The environment in BuildStream's order, with the directory.
    pub(super) fn environment(&self, step: &Step) -> Vec<(String, String)> {
        let order = &self.job.build.environment_order;
        let position = |name: &String| order.iter().position(|other| other == name).unwrap_or(order.len());
        let mut environment: Vec<(String, String)> = step.environment.clone().into_iter().collect();
        environment.sort_by_key(|(name, _)| position(name));
        environment.push(("PWD".to_owned(), step.cwd.clone()));
        environment
    }

    /// What became of the commands.
    pub(super) fn judge(
        &mut self,
        steps: &[Step],
        outcome: &Outcome,
        progress: &Progress,
        class: FailureClass,
    ) -> Result<(), Stop> {
        let step = progress.running.and_then(|at| steps.get(at));
        let phase = step.or(steps.first()).map_or("build", |step| &step.phase);
        let failure = |class, words: &str| {
            let mut failure = Failure::new(class, phase, words);
            failure.command = step.map(|step| step.label.clone());
            failure
        };
        let status = match outcome.ended {
            Ended::Exit(0) => return Ok(()),
            Ended::Exit(status) => progress.status.unwrap_or(status),
            Ended::Timeout => return Err(failure(FailureClass::Timeout, "Build timed out").into()),
            Ended::Cancelled => return Err(failure(FailureClass::Cancelled, "Build cancelled").into()),
            Ended::NoOverlay => return Err(failure(FailureClass::Sandbox, "The root cannot be mounted").into()),
        };
        if step.is_none() {
            let words = "The shell of the sandbox cannot be started";
            return Err(Failure { exit: Some(status), ..failure(FailureClass::MissingShell, words) }.into());
        }
        let mut failure = failure(class, "Command failed");
        classify::by_facts(&mut failure, &outcome.facts, status, &self.log.tail());
        self.builder.rules.apply(&mut failure, &self.job.identity.element, self.log.path())?;
        Err(failure.into())
    }
}
