//! What the tests share: a place with an empty home and a store of its own, and the real programs in it.
#![allow(dead_code)]

pub mod records;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory that goes away, with `home`, `store` and whatever the test puts there.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// A fresh one. Its path has a space, because users' paths do.
    pub fn new() -> Place {
        let dir = tempfile::Builder::new().prefix("bst plumbing ").tempdir().expect("a temporary directory");
        std::fs::create_dir(dir.path().join("home")).expect("a home");
        Place { dir }
    }

    /// A path in it.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Writes a file and makes the directories above it.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Puts a copy of the demo's project there.
    pub fn demo_project(&self, relative: &str) -> PathBuf {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/make-project");
        let path = self.path(relative);
        let made = Command::new(script).arg(&path).status().expect("demo/make-project");
        assert!(made.success(), "demo/make-project: {made}; it needs the Debian package busybox-static");
        path
    }

    /// A program of ours, in this place.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(binary(program));
        self.seal(&mut command);
        command
    }

    /// A line of shell, with our programs on the search path.
    pub fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        self.seal(&mut command);
        command
    }

    fn seal(&self, command: &mut Command) {
        let programs = binary("bst-cat").parent().expect("a directory").to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HOME", self.path("home"))
            .env("BST_STORE", self.store())
            .current_dir(self.dir.path());
    }

    /// Runs a program with input and takes what it says.
    pub fn run(&self, program: &str, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(program);
        command.args(arguments);
        Run::of(&mut command, input)
    }

    /// Runs a line of shell.
    pub fn sh(&self, script: &str) -> Run {
        Run::of(&mut self.shell(script), "")
    }
}

/// Where cargo put a program: beside the directory of the test's own executable.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let profile = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    profile.join(name)
}

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    /// Exit status; of a signal 128 and its number.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Runs a command with input.
    pub fn of(command: &mut Command, input: &str) -> Run {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_owned();
        // A thread of its own: a filter may write before it has read everything. It may also not read at all.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().expect("output");
        feeder.join().expect("the feeder");
        Run::from(output)
    }

    /// The records on stdout.
    pub fn records(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// Fails the test unless the exit status is this.
    #[track_caller]
    pub fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        Run {
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
