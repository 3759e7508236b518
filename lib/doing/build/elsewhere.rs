//! Commands that run on an execution service. They are described by the same action as BuildStream's (spec:
//! artifacts 6), so that both find each other's results; bst-remote-execute, which lies beside the program,
//! takes it there and brings back what it made.

use super::batch::Progress;
use super::scene::{ALWAYS, Scene};
use super::script::{Step, quote};
use super::{Run, Stop, place};
use crate::doing::sandbox::{Ended, Facts, Outcome};
use crate::doing::staging::tree::{Directory, components};
use crate::store::cas::Cas;
use crate::values::error::ErrorRecord;
use crate::values::record::Commands;
use crate::values::result::FailureClass;
use crate::values::{Code, Digest, Error, Result, proto};
use prost::Message;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// DIRECTORY_ONLY of the Remote Execution API.
const DIRECTORY_ONLY: i32 = 1;

/// How much of the end of a log is searched for the command that failed.
const SEARCHED: u64 = 1 << 20;

/// Where commands run instead of in the sandbox here.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// bst-remote-execute.
    pub program: PathBuf,
    /// Whether build trees are always kept: else they are removed before they are sent back.
    pub keep_buildtrees: bool,
}

/// What bst-remote-execute says.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    exit_code: i32,
    #[serde(default)]
    outputs: Vec<Output>,
    #[serde(default)]
    worker: String,
    error: Option<ErrorRecord>,
}

#[derive(Deserialize)]
struct Output {
    path: String,
    tree: Digest,
}

impl Run<'_> {
    /// Runs commands one after another on an execution service. `commands`: those of the element itself; the
    /// others may write to the whole root.
    pub(super) fn batch_elsewhere(
        &mut self,
        elsewhere: &Elsewhere,
        steps: &[Step],
        scene: &mut Scene,
        commands: Option<&Commands>,
        class: FailureClass,
    ) -> Result<(), Stop> {
        let Some(first) = steps.first() else { return Ok(()) };
        self.check_shell(scene, first)?;
        let since = self.log.begin("Running commands")?;
        let labels: Vec<&str> = steps.iter().map(|step| step.label.as_str()).collect();
        self.log.detail(&labels.join("\n"))?;
        let writable = commands.filter(|commands| commands.root_read_only).map(|commands| &commands.writable[..]);
        let cleanup = commands.and_then(|commands| self.cleanup(elsewhere, commands));
        let action = self.action(steps, first, scene, writable, cleanup.as_deref())?;
        let begin = self.log.file().metadata().map_or(0, |meta| meta.len());
        let outcome = match self.execute(elsewhere, action)? {
            Err(ended) => Outcome { ended, facts: Facts::default() },
            Ok(answer) => {
                let word = if answer.cached { "The result was known" } else { "Ran" };
                self.log.say("INFO", &format!("{word} at {}", answer.worker))?;
                self.take(scene, first, writable, &answer.outputs)?;
                Outcome { ended: Ended::Exit(answer.exit_code), facts: Facts::default() }
            }
        };
        let progress = match outcome.ended {
            Ended::Exit(status) if status != 0 => self.find_failure(steps, begin, status),
            _ => Progress::default(),
        };
        let judged = self.judge(steps, &outcome, &progress, class);
        self.log.end(since, judged.is_ok(), "Running commands")?;
        judged
    }

    /// What removes the build tree after the commands, unless it is wanted.
    fn cleanup(&self, elsewhere: &Elsewhere, commands: &Commands) -> Option<String> {
        let root = &self.job.build.build_root;
        let install = self.job.build.variables.get("install-root").filter(|path| !path.is_empty());
        let overlap = install.is_some_and(|install| root.starts_with(&**install) || install.starts_with(&**root));
        if self.job.build.workspaced || elsewhere.keep_buildtrees || self.builder.keep || overlap {
            return None;
        }
        Some(format!("rm -rf -- {} || true\nmkdir -p {} || true\n", quote(root), quote(&commands.cwd)))
    }

    /// Stores the action, its command and its input root.
    fn action(
        &mut self,
        steps: &[Step],
        first: &Step,
        scene: &mut Scene,
        writable: Option<&[String]>,
        cleanup: Option<&str>,
    ) -> Result<Digest> {
        let cas = self.builder.store.cas();
        let mut input = scene.tree.clone();
        input.make(&cas, &first.cwd)?;
        if let Some(writable) = writable {
            for path in ALWAYS.into_iter().chain(writable.iter().map(String::as_str)) {
                input.make(&cas, path)?.properties = Some(read_only(false));
            }
            input.properties = Some(read_only(true));
        }
        let root = self.put_tree(&input)?;
        let script = self.script(steps) + cleanup.unwrap_or_default();
        let outputs: Vec<String> = match writable {
            Some(writable) => writable.iter().map(|path| relative(path, &first.cwd)).collect(),
            None => vec![relative("/", &first.cwd)],
        };
        let variable = |(name, value)| proto::EnvironmentVariable { name, value };
        let workspaced = self.job.build.workspaced;
        let command = proto::Command {
            arguments: ["sh", "-c", "-e"].map(str::to_owned).into_iter().chain([script]).collect(),
            environment_variables: self.environment(first).into_iter().map(variable).collect(),
            platform: Some(self.platform()),
            working_directory: components(&first.cwd).join("/"),
            output_paths: outputs,
            output_node_properties: if workspaced { vec!["mtime".to_owned()] } else { Vec::new() },
            output_directory_format: DIRECTORY_ONLY,
        };
        let command = cas.put(&command.encode_to_vec())?;
        let action = proto::Action {
            command_digest: Some(command.to_proto()),
            input_root_digest: Some(root.to_proto()),
            platform: Some(self.platform()),
        };
        cas.put(&action.encode_to_vec())
    }

    fn platform(&self) -> proto::Platform {
        let sandbox = &self.job.build.sandbox;
        let socket = sandbox.remote_apis_socket.as_ref().map(|socket| socket.path.trim_start_matches('/').to_owned());
        let properties = [
            ("ISA", Some(sandbox.build_arch.clone())),
            ("OSFamily", Some(sandbox.build_os.clone())),
            ("remoteApisSocketPath", socket),
            ("unixGID", sandbox.build_gid.map(|id| id.to_string())),
            ("unixUID", sandbox.build_uid.map(|id| id.to_string())),
        ];
        let property =
            |(name, value): (&str, Option<String>)| Some(proto::NodeProperty { name: name.to_owned(), value: value? });
        proto::Platform { properties: properties.into_iter().filter_map(property).collect() }
    }

    /// BuildStream's script of a batch, to the byte.
    fn script(&self, steps: &[Step]) -> String {
        let mut script = String::new();
        for (index, step) in steps.iter().enumerate() {
            if let Some(before) = index.checked_sub(1).and_then(|before| steps.get(before)) {
                script += &self.change(before, step);
            }
            let words: Vec<String> = step.words.iter().map(|word| quote(word)).collect();
            let label = quote(&format!("'{}'", step.label));
            script += &format!(
                "(set -ex; {}) || (echo Command {label} failed with exitcode $? >&2 ; exit 1)\n",
                words.join(" ")
            );
        }
        script
    }

    fn change(&self, before: &Step, step: &Step) -> String {
        let mut script = String::new();
        if before.cwd != step.cwd {
            script += &format!("mkdir -p {}\ncd {}\n", step.cwd, step.cwd);
        }
        let (old, new) = (self.environment(before), self.environment(step));
        for (name, _) in old.iter().filter(|(name, _)| !new.iter().any(|(other, _)| other == name)) {
            script += &format!("unset {name}\n");
        }
        for variable in new.iter().filter(|variable| !old.contains(variable)) {
            script += &format!("export {}={}\n", variable.0, quote(&variable.1));
        }
        script
    }

    /// Runs the program that takes an action to the service; how it was ended, if it was.
    fn execute(&mut self, elsewhere: &Elsewhere, action: Digest) -> Result<Result<Answer, Ended>> {
        let mut command = Command::new(&elsewhere.program);
        command.arg(format!("--log={}", place::text(self.log.path())?));
        command.arg(format!("--project={}", self.job.identity.project));
        for tree in self.work.sandbox.iter().flat_map(|sandbox| &sandbox.subsandboxes) {
            command.arg(format!("--also={tree}"));
        }
        command.arg(action.to_string()).env("BST_STORE", self.builder.store.root());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| Error::io("cannot run", &elsewhere.program, error))?;
        let mut answer = Vec::new();
        let ended = self.wait(&mut child, &mut answer);
        if !matches!(ended, Ok(None)) {
            // It tells the service, and ends.
            stop(&child);
        }
        child.wait().map_err(|error| Error::io("cannot wait for", &elsewhere.program, error))?;
        if let Some(ended) = ended? {
            return Ok(Err(ended));
        }
        let answer: Answer = serde_json::from_slice(&answer).map_err(|_| {
            Error::new(Code::Sandbox, format!("{} ended without an answer", elsewhere.program.display()))
        })?;
        match answer.error {
            None => Ok(Ok(answer)),
            Some(error) => Err(Error::new(error.code, error.message)),
        }
    }

    fn wait(&self, child: &mut Child, answer: &mut Vec<u8>) -> Result<Option<Ended>> {
        let failed = |error: std::io::Error| Error::io("cannot read from", Path::new("bst-remote-execute"), error);
        let Some(output) = child.stdout.as_mut() else { return Ok(None) };
        let mut buffer = [0; 4096];
        loop {
            let now = Instant::now();
            let left = match self.limits.deadline {
                Some(deadline) if deadline <= now => return Ok(Some(Ended::Timeout)),
                deadline => deadline.and_then(|deadline| Timespec::try_from(deadline - now).ok()),
            };
            let cancel = self.builder.cancel.descriptor();
            let (said, cancelled) = {
                let mut watched = vec![PollFd::new(&*output, PollFlags::IN)];
                watched.extend(cancel.as_ref().map(|cancel| PollFd::from_borrowed_fd(cancel.as_fd(), PollFlags::IN)));
                match poll(&mut watched, left.as_ref()) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(failed(error.into())),
                }
                let ready = |at: usize| watched.get(at).is_some_and(|watched| !watched.revents().is_empty());
                (ready(0), ready(1))
            };
            if cancelled {
                return Ok(Some(Ended::Cancelled));
            }
            if said {
                match output.read(&mut buffer).map_err(failed)? {
                    0 => return Ok(None),
                    length => answer.extend_from_slice(&buffer[..length]),
                }
            }
        }
    }

    /// Puts what the commands made into the tree of the root. What could be written to and did not come back
    /// is gone.
    fn take(
        &mut self,
        scene: &mut Scene,
        first: &Step,
        writable: Option<&[String]>,
        outputs: &[Output],
    ) -> Result<(), Stop> {
        let cas = self.builder.store.cas();
        let mut came = Vec::new();
        for output in outputs {
            let path = resolve(&first.cwd, &output.path).ok_or_else(|| {
                let path = output.path.escape_default();
                Error::new(Code::Network, format!("the execution service names \"{path}\", which nobody asked for"))
            })?;
            let mut content = Directory::load(&cas, &output.tree, 0)?;
            content.properties = None;
            if path.is_empty() {
                scene.tree = content;
            } else {
                scene.tree.replace(&cas, &path, content)?;
            }
            came.push(path);
        }
        for path in writable.into_iter().flatten() {
            let path = components(path).join("/");
            if !came.contains(&path) {
                remove(&mut scene.tree, &cas, &path)?;
            }
        }
        Ok(())
    }

    /// Which command failed: the script says it in the log.
    fn find_failure(&self, steps: &[Step], begin: u64, status: i32) -> Progress {
        let text = end_of(self.log.path(), begin).unwrap_or_default();
        let mut last: Option<(usize, Progress)> = None;
        for (index, step) in steps.iter().enumerate() {
            let words = format!("Command '{}' failed with exitcode ", step.label);
            let Some(at) = text.rfind(&words) else { continue };
            let digits: String = text[at + words.len()..].chars().take_while(char::is_ascii_digit).collect();
            if last.as_ref().is_none_or(|(before, _)| *before < at) {
                last = Some((at, Progress { running: Some(index), status: digits.parse().ok() }));
            }
        }
        // The shell itself was ended.
        last.map_or(Progress { running: Some(0), status: Some(status) }, |(_, progress)| progress)
    }
}

fn end_of(path: &Path, begin: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(begin.max(length.saturating_sub(SEARCHED))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn stop(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // If it is gone already, so much the better.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// The property by which a worker knows what of the root can be written to.
fn read_only(value: bool) -> proto::NodeProperties {
    proto::NodeProperties {
        properties: vec![proto::NodeProperty { name: "SubtreeReadOnly".to_owned(), value: value.to_string() }],
        ..proto::NodeProperties::default()
    }
}

fn remove(tree: &mut Directory, cas: &Cas, path: &str) -> Result<()> {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(directory) = tree.get(cas, above)? {
        directory.entries_mut().remove(name);
    }
    Ok(())
}

/// A path as seen from a directory; both absolute.
fn relative(path: &str, from: &str) -> String {
    let (path, from) = (components(path), components(from));
    let shared = path.iter().zip(&from).take_while(|(one, other)| one == other).count();
    let up = from[shared..].iter().map(|_| "..");
    let words: Vec<&str> = up.chain(path[shared..].iter().copied()).collect();
    if words.is_empty() { ".".to_owned() } else { words.join("/") }
}

/// The path from the root that a path means in a directory; `None` if it leads out of the root.
fn resolve(directory: &str, path: &str) -> Option<String> {
    let mut found = components(directory);
    for word in path.split('/') {
        match word {
            "" | "." => {}
            ".." => {
                found.pop()?;
            }
            name => found.push(name),
        }
    }
    Some(found.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_there_and_back() {
        assert_eq!(relative("/buildstream/p/e.bst", "/buildstream/p/e.bst"), ".");
        assert_eq!(relative("/buildstream-install", "/buildstream/p/e.bst"), "../../../buildstream-install");
        assert_eq!(relative("/", "/"), ".");
        assert_eq!(relative("/", "/a/b"), "../..");
        assert_eq!(resolve("/a/b", "../../c").as_deref(), Some("c"));
        assert_eq!(resolve("/a", ".").as_deref(), Some("a"));
        assert_eq!(resolve("/a", "../.."), None);
    }
}
