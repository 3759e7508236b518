//! A helper that runs: lines to its input, lines from its output.

use crate::values::error::Domain;
use crate::values::{Error, Result};
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A longer answer is none.
const LONGEST: usize = 64 << 20;

/// The process of one helper.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// What was read beyond the last line.
    rest: Vec<u8>,
    /// What went wrong: nothing more is asked then.
    failed: Option<Error>,
}

/// That a helper does not do as bst-plugin(7) says.
pub fn broken(program: &Path, what: &str) -> Error {
    Error::of_project(Domain::Plugin, "helper-failed", format!("the helper program {}: {what}", program.display()))
}

impl Process {
    /// Starts it. What it says on its standard error goes where ours goes.
    pub fn start(program: &Path) -> Result<Process> {
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut started = command.spawn();
        // Somebody has it open to write, maybe just a child between fork and exec: that passes.
        for _ in 0..20 {
            match &started {
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                    std::thread::sleep(Duration::from_millis(10));
                    started = command.spawn();
                }
                _ => break,
            }
        }
        let mut child = started.map_err(|error| broken(program, &format!("it cannot be started: {error}")))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| broken(program, "it has no output"))?;
        Ok(Process { program: program.to_owned(), child, input, output, rest: Vec::new(), failed: None })
    }

    /// One question, one line as its answer.
    pub fn ask(&mut self, question: &Value, patience: Option<Duration>) -> Result<Vec<u8>> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let answer = self.exchange(question, patience).map_err(|what| broken(&self.program, &what));
        if let Err(error) = &answer {
            self.failed = Some(error.clone());
            self.stop();
        }
        answer
    }

    fn exchange(&mut self, question: &Value, patience: Option<Duration>) -> Result<Vec<u8>, String> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut line = question.to_string().into_bytes();
        line.push(b'\n');
        let input = self.input.as_mut().ok_or("it ended")?;
        without_sigpipe(|| input.write_all(&line)).map_err(|error| format!("it takes no question: {error}"))?;
        loop {
            if let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let rest = self.rest.split_off(end + 1);
                return Ok(std::mem::replace(&mut self.rest, rest));
            }
            if self.rest.len() > LONGEST {
                return Err("its answer has no end".to_owned());
            }
            self.wait(deadline)?;
            self.read()?;
        }
    }

    /// Waits until there is something to read.
    fn wait(&self, deadline: Option<Instant>) -> Result<(), String> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Err("it does not answer".to_owned());
            }
            let left = left.and_then(|left| rustix::time::Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.output, PollFlags::IN)], left.as_ref()) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(format!("it cannot be waited for: {error}")),
            }
        }
    }

    fn read(&mut self) -> Result<(), String> {
        let mut buffer = [0; 16 * 1024];
        match self.output.read(&mut buffer) {
            Ok(0) => Err(self.how_it_ended()),
            Ok(count) => {
                self.rest.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(format!("its answer cannot be read: {error}")),
        }
    }

    fn how_it_ended(&mut self) -> String {
        match self.child.wait() {
            Ok(status) => format!("it ended without an answer ({status})"),
            Err(error) => format!("it ended without an answer ({error})"),
        }
    }

    fn stop(&mut self) {
        self.input = None;
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Writes to a pipe whose reader may be gone. That is an error then, and not the end of this program, as it is for
/// our own output.
fn without_sigpipe<T>(write: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    // SAFETY: the sets are initialised by sigemptyset before they are used, and only this thread's mask changes.
    unsafe {
        let mut pipe: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut pipe);
        libc::sigaddset(&mut pipe, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &pipe, &mut before);
        let written = write();
        if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            libc::sigtimedwait(&pipe, std::ptr::null_mut(), &now);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        written
    }
}

impl Drop for Process {
    /// The end of its input tells a helper to go. One that stays is not waited for.
    fn drop(&mut self) {
        self.input = None;
        for _ in 0..20 {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                _ => return,
            }
        }
        self.stop();
    }
}
