//! One CMD that runs.

use super::command::Started;
use super::graph::Index;
use crate::values::time::Time;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitStatus};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

/// More than this no CMD may answer.
const LONGEST_OUTPUT: usize = 1 << 28;

/// As much of stderr is kept for the description of a failure.
const TAIL: usize = 4096;

/// One CMD that runs, and what it has said so far.
#[derive(Debug)]
pub struct Job {
    pub index: Index,
    pub begun: Instant,
    pub begun_at: Time,
    processes: Vec<(Pid, Option<WaitStatus>)>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    output: Vec<u8>,
    tail: Vec<u8>,
    /// The begin of a line on stderr whose end has not come yet.
    line: Vec<u8>,
    killed: bool,
}

/// What a CMD left.
#[derive(Debug)]
pub struct Remains {
    pub statuses: Vec<WaitStatus>,
    pub output: Vec<u8>,
    pub tail: Vec<u8>,
    /// It was stopped.
    pub killed: bool,
}

impl Job {
    /// Of what was started for an element.
    pub fn new(index: Index, started: Started) -> Job {
        Job {
            index,
            begun: Instant::now(),
            begun_at: Time::now(),
            processes: started.processes.into_iter().map(|process| (process, None)).collect(),
            stdout: Some(started.stdout),
            stderr: Some(started.stderr),
            output: Vec::new(),
            tail: Vec::new(),
            line: Vec::new(),
            killed: false,
        }
    }

    /// What to wait for.
    pub fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        self.stdout.iter().chain(&self.stderr)
    }

    /// Whether a process is one of this job, which then has ended.
    pub fn ended(&mut self, process: Pid, status: WaitStatus) -> bool {
        let found = self.processes.iter_mut().find(|(mine, ended)| *mine == process && ended.is_none());
        found.map(|(_, ended)| *ended = Some(status)).is_some()
    }

    /// Takes what can be had without waiting, and gives the whole lines of stderr to `lines`.
    pub fn read(&mut self, lines: &mut dyn FnMut(&[u8])) {
        let mut buffer = [0; 1 << 14];
        while let Some(length) = read_ready(&mut self.stdout, &mut buffer) {
            self.output.extend_from_slice(&buffer[..length]);
            if self.output.len() > LONGEST_OUTPUT {
                self.signal(Signal::KILL);
                self.stdout = None;
            }
        }
        while let Some(length) = read_ready(&mut self.stderr, &mut buffer) {
            self.take_words(&buffer[..length], lines);
        }
    }

    fn take_words(&mut self, bytes: &[u8], lines: &mut dyn FnMut(&[u8])) {
        self.tail.extend_from_slice(bytes);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        self.line.extend_from_slice(bytes);
        let whole = match self.line.iter().rposition(|&byte| byte == b'\n') {
            Some(last) => last + 1,
            // What never ends its line is shown in pieces.
            None if self.line.len() > TAIL => self.line.len(),
            None => return,
        };
        lines(&self.line[..whole]);
        self.line.drain(..whole);
    }

    /// Whether all of its processes have ended.
    pub fn is_over(&self) -> bool {
        self.processes.iter().all(|(_, status)| status.is_some())
    }

    /// Sends a signal to all of its processes.
    pub fn signal(&mut self, signal: Signal) {
        self.killed = true;
        self.signal_group(signal);
    }

    fn signal_group(&self, signal: Signal) {
        if let Some((leader, _)) = self.processes.first() {
            // Nobody may be left in the group.
            let _ = rustix::process::kill_process_group(*leader, signal);
        }
    }

    /// Takes the last words of a job that is over, and ends what it left running.
    pub fn finish(mut self, lines: &mut dyn FnMut(&[u8])) -> Remains {
        self.read(lines);
        if self.stdout.is_some() || self.stderr.is_some() {
            self.signal_group(Signal::KILL);
        }
        if !self.line.is_empty() {
            self.line.push(b'\n');
            lines(&self.line);
        }
        Remains {
            statuses: self.processes.iter().filter_map(|(_, status)| *status).collect(),
            output: self.output,
            tail: self.tail,
            killed: self.killed,
        }
    }
}

/// Reads without waiting; at the end of the stream closes it.
pub(super) fn read_ready(descriptor: &mut Option<OwnedFd>, buffer: &mut [u8]) -> Option<usize> {
    let open = descriptor.as_ref()?;
    let mut waits = [PollFd::new(open, PollFlags::IN)];
    match poll(&mut waits, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
        Ok(0) | Err(_) => return None,
        Ok(_) => {}
    }
    match rustix::io::read(open.as_fd(), buffer) {
        Ok(length) if length > 0 => Some(length),
        _ => {
            *descriptor = None;
            None
        }
    }
}
