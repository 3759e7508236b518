//! CMD: one program, or several that are connected by pipes, started without a shell.

use crate::values::{Error, Result};
use rustix::fs::MemfdFlags;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is run for each element: it gets the record on stdin.
#[derive(Clone, Debug)]
pub struct Pipeline {
    programs: Vec<Program>,
    /// Whether it may say nothing: then its exit status is the result.
    pub silent: bool,
    shown: String,
}

#[derive(Clone, Debug)]
struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

/// What was started. The first process leads the process group of all.
#[derive(Debug)]
pub struct Started {
    pub processes: Vec<Pid>,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

impl Pipeline {
    /// A command of the user's: one program, whose path was looked up.
    pub fn single(path: PathBuf, arguments: Vec<OsString>) -> Pipeline {
        Pipeline::new(vec![Program { path, arguments }], true)
    }

    /// Programs of the suite, each of which answers every record.
    pub fn suite(paths: Vec<PathBuf>) -> Pipeline {
        Pipeline::new(paths.into_iter().map(|path| Program { path, arguments: Vec::new() }).collect(), false)
    }

    fn new(programs: Vec<Program>, silent: bool) -> Pipeline {
        let shown: Vec<_> = programs.iter().map(Program::shown).collect();
        Pipeline { programs, silent, shown: shown.join(" | ") }
    }

    /// As a person would write it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Starts it, in a process group of its own, with `input` on stdin.
    pub fn start(&self, input: &[u8]) -> Result<Started> {
        let (stderr, stderr_writer) = pipe()?;
        let mut processes = Vec::with_capacity(self.programs.len());
        let mut stdin = file_of(input)?;
        for program in &self.programs {
            let (stdout, stdout_writer) = pipe()?;
            let started = stderr_writer
                .try_clone()
                .and_then(|stderr| program.start(stdin, stdout_writer, stderr, processes.first().copied()));
            match started {
                Ok(process) => processes.push(process),
                Err(error) => {
                    abandon(&processes);
                    return Err(Error::io("cannot run", &program.path, error));
                }
            }
            stdin = stdout;
        }
        Ok(Started { processes, stdout: stdin, stderr })
    }
}

impl Program {
    fn start(&self, stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd, leader: Option<Pid>) -> io::Result<Pid> {
        let child = Command::new(&self.path)
            .args(&self.arguments)
            .process_group(leader.map_or(0, |leader| leader.as_raw_nonzero().get()))
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::from(stdout))
            .stderr(Stdio::from(stderr))
            .spawn()?;
        i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("the system gave no process number"))
    }

    fn shown(&self) -> String {
        let name = self.path.file_name().map_or_else(|| self.path.to_string_lossy(), |name| name.to_string_lossy());
        let words = std::iter::once(name).chain(self.arguments.iter().map(|word| word.to_string_lossy()));
        words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
    }
}

/// Ends the beginning of a pipeline whose end could not be started.
fn abandon(processes: &[Pid]) {
    if let Some(&leader) = processes.first() {
        // It may be gone already; the main loop reaps what is left of it.
        let _ = rustix::process::kill_process_group(leader, Signal::KILL);
    }
}

/// A pipe whose reading end never blocks.
pub(super) fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::io("cannot make", Path::new("a pipe"), error))
}

/// A nameless file in memory that holds `bytes`: unlike a pipe it takes any amount at once, and nobody has
/// to wait for its reader.
pub(super) fn file_of(bytes: &[u8]) -> Result<OwnedFd> {
    let failed = |error: rustix::io::Errno| Error::io("cannot make", Path::new("a file in memory"), error);
    let file = rustix::fs::memfd_create("record", MemfdFlags::CLOEXEC).map_err(failed)?;
    let mut written = 0;
    while written < bytes.len() {
        written += rustix::io::pwrite(&file, &bytes[written..], written as u64).map_err(failed)?;
    }
    Ok(file)
}

fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
