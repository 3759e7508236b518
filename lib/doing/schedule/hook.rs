//! The program that is asked what follows from a failure.

use super::command::{file_of, pipe};
use super::graph::Index;
use super::job::read_ready;
use crate::doing::policy::{Answer, parse_answer};
use crate::values::Error;
use rustix::process::{Pid, Signal, WaitStatus};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// An answer is one word or a small object.
const LONGEST_ANSWER: usize = 1 << 16;

/// Most hooks are policies and answer at once: so long nothing new is started, which the answer might have
/// forbidden. Whoever takes longer, or says `wait`, lets builds go on.
const GRACE: Duration = Duration::from_millis(200);

/// A hook that runs.
#[derive(Debug)]
pub struct Hook {
    pub index: Index,
    process: Pid,
    stdout: Option<OwnedFd>,
    said: Vec<u8>,
    status: Option<WaitStatus>,
    deadline: Option<Instant>,
    grace: Option<Instant>,
    timeout: Duration,
    late: bool,
}

impl Hook {
    /// Asks `program`. It stays in our process group, so that it can use the terminal.
    pub fn start(
        program: &Path,
        index: Index,
        environment: Vec<(&'static str, OsString)>,
        record: &[u8],
        timeout: Duration,
    ) -> Result<Hook, String> {
        let start = || {
            let (stdout, writer) = pipe()?;
            let child = Command::new(program)
                .envs(environment)
                .stdin(Stdio::from(file_of(record)?))
                .stdout(Stdio::from(writer))
                .spawn()
                .map_err(|error| Error::io("cannot run", program, error))?;
            Ok::<_, Error>((Pid::from_child(&child), stdout))
        };
        let (process, stdout) = start().map_err(|error| error.message().to_owned())?;
        let deadline = Instant::now().checked_add(timeout);
        Ok(Hook {
            index,
            process,
            stdout: Some(stdout),
            said: Vec::new(),
            status: None,
            deadline,
            grace: Some(Instant::now() + GRACE),
            timeout,
            late: false,
        })
    }

    /// What to wait for.
    pub fn descriptor(&self) -> Option<&OwnedFd> {
        self.stdout.as_ref()
    }

    /// Until when nothing new is started.
    pub fn grace(&self) -> Option<Instant> {
        self.grace.filter(|grace| *grace > Instant::now())
    }

    /// When something has to be done about it.
    pub fn deadline(&self) -> Option<Instant> {
        self.grace().into_iter().chain(self.deadline).min()
    }

    /// Whether this process is the hook, which then has ended.
    pub fn ended(&mut self, process: Pid, status: WaitStatus) -> bool {
        if process == self.process && self.status.is_none() {
            self.status = Some(status);
        }
        process == self.process
    }

    /// Takes what can be had without waiting. The line `wait` says that somebody is being asked who may take
    /// as long as it takes.
    pub fn read(&mut self) {
        let mut buffer = [0; 1 << 12];
        while let Some(length) = read_ready(&mut self.stdout, &mut buffer) {
            self.said.extend_from_slice(&buffer[..length]);
            if self.said.len() > LONGEST_ANSWER {
                self.stdout = None;
            }
        }
        while self.said.starts_with(b"wait\n") {
            self.said.drain(..b"wait\n".len());
            self.deadline = None;
            self.grace = None;
        }
    }

    /// Ends it if it is late.
    pub fn check(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) && self.status.is_none() {
            self.deadline = None;
            self.late = true;
            self.stop();
        }
    }

    /// Ends it.
    pub fn stop(&self) {
        if self.status.is_none() {
            let _ = rustix::process::kill_process(self.process, Signal::KILL);
        }
    }

    /// The answer, once it has ended; the error says why there is none.
    pub fn answer(&mut self) -> Option<Result<Answer, String>> {
        let status = self.status?;
        self.read();
        Some(if self.late {
            Err(format!("it gave no answer within {}", humantime::format_duration(self.timeout)))
        } else if let Some(signal) = status.terminating_signal() {
            Err(format!("it was killed by signal {signal}"))
        } else if status.exit_status() != Some(0) {
            Err(format!("it exited with {}", status.exit_status().unwrap_or(-1)))
        } else {
            parse_answer(&self.said)
        })
    }
}
