//! One command in the sandbox, from its start until nothing of it is left.

use super::limits::{self, Facts, Group, Limits};
use super::{Root, Sandbox, bubblewrap, namespace::Plan};
use crate::values::{Code, Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SeekFrom};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The descriptor that the outer shell writes its progress to.
pub const STATUS: RawFd = 3;
const ARGUMENTS: RawFd = 4;
const REPORTS: RawFd = 5;

/// Somebody who may want the build to end.
pub trait Cancel {
    /// A descriptor that becomes readable then.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// By itself, with this status; 128 and a signal's number if a signal ended it, as shells say it.
    Exit(i32),
    /// Because its time was over.
    Timeout,
    /// Because somebody wanted it.
    Cancelled,
    /// It did not start: the system does not mount overlays for us, or not on this file system.
    NoOverlay,
}

/// What is known of a command that ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub ended: Ended,
    pub facts: Facts,
}

/// Runs a command; see [`Sandbox::run`].
pub(super) fn run(
    sandbox: &Sandbox,
    command: &[String],
    log: &File,
    limits: &Limits,
    cancel: &dyn Cancel,
    status: &mut dyn FnMut(&str),
) -> Result<Outcome> {
    let failed = |error: io::Error| broken(format!("the sandbox cannot be started: {error}"));
    let group = Group::make(limits);
    let killed_before = limits::killed_anywhere();
    let progress = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let reports = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let words = memory_file(&bubblewrap::arguments(sandbox, Some(REPORTS))).map_err(failed)?;
    let mut child = {
        let descriptors = [(away(&progress.1)?, STATUS), (away(&words)?, ARGUMENTS), (away(&reports.1)?, REPORTS)];
        match start(sandbox, command, log, descriptors, Admission::new(limits, &group).map_err(failed)?) {
            Ok(child) => child,
            Err(_) if matches!(sandbox.root, Root::Overlay(_)) => {
                return Ok(Outcome { ended: Ended::NoOverlay, facts: Facts::default() });
            }
            Err(error) => return Err(failed(error)),
        }
    };
    drop((progress.1, reports.1, words));
    let mut watch = Watch {
        process: pidfd_open(pid(child.id())?, PidfdFlags::empty()).map_err(|error| failed(error.into()))?,
        progress: Lines::new(progress.0),
        reports: Lines::new(reports.0),
        inner: None,
        reported: None,
        disk_full: false,
    };
    let ended = watch.wait(limits, cancel, status);
    let ended = match ended {
        Ok(Some(ended)) => {
            watch.kill();
            Some(ended)
        }
        Ok(None) => None,
        Err(error) => {
            watch.kill();
            drop(child.wait());
            return Err(error);
        }
    };
    let exit = child.wait().map_err(failed)?;
    watch.drain(status);
    let facts = Facts {
        out_of_memory: group.out_of_memory(),
        out_of_memory_anywhere: limits::killed_anywhere().saturating_sub(killed_before),
        too_many_processes: group.too_many_processes(),
        disk_full: watch.disk_full || limits.disk.as_deref().is_some_and(limits::is_full),
    };
    if let Some(ended) = ended {
        return Ok(Outcome { ended, facts });
    }
    match (watch.reported, exit.code(), exit.signal()) {
        (Some(code), ..) => Ok(Outcome { ended: Ended::Exit(code), facts }),
        (None, Some(code), _) if watch.inner.is_some() => Ok(Outcome { ended: Ended::Exit(code), facts }),
        (None, Some(code), _) => {
            Err(broken(format!("bubblewrap ended with {code} before it ran anything; the log has its words")))
        }
        (None, None, signal) => Err(broken(format!("bubblewrap was killed by signal {}", signal.unwrap_or_default()))),
    }
}

fn broken(message: String) -> Error {
    Error::new(Code::Sandbox, message)
}

fn pid(number: u32) -> Result<Pid> {
    i32::try_from(number)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| broken(format!("the system gave {number} as a process's number")))
}

/// A copy of a descriptor, out of the way of the small numbers that the child gives to them.
fn away(descriptor: &OwnedFd) -> Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(descriptor, 16)
        .map_err(|error| broken(format!("the sandbox cannot be started: {error}")))
}

fn memory_file(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(rustix::fs::memfd_create("arguments", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    rustix::fs::seek(&file, SeekFrom::Start(0))?;
    Ok(file.into())
}

/// Runs a command at the terminal; see [`Sandbox::interact`].
pub(super) fn interact(sandbox: &Sandbox, words: &[String]) -> Result<Option<i32>> {
    let failed = |error: io::Error| broken(format!("the sandbox cannot be started: {error}"));
    let arguments = memory_file(&bubblewrap::arguments(sandbox, None)).map_err(failed)?;
    let mut command = Command::new(&sandbox.bwrap);
    let ready = vec![(away(&arguments)?, ARGUMENTS)];
    prepare(&mut command, sandbox, words, ready, Admission::default(), false).map_err(failed)?;
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(_) if matches!(sandbox.root, Root::Overlay(_)) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Keys that end a command are for what runs at the terminal, not for us who wait for it.
    // SAFETY: plain system calls.
    let before = [libc::SIGINT, libc::SIGQUIT].map(|signal| unsafe { libc::signal(signal, libc::SIG_IGN) });
    let status = child.wait().map_err(failed);
    for (signal, handler) in [libc::SIGINT, libc::SIGQUIT].into_iter().zip(before) {
        // SAFETY: as above.
        unsafe { libc::signal(signal, handler) };
    }
    let status = status?;
    Ok(Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())))
}

fn start(
    sandbox: &Sandbox,
    words: &[String],
    log: &File,
    descriptors: [(OwnedFd, RawFd); 3],
    admission: Admission,
) -> io::Result<std::process::Child> {
    let mut command = Command::new(&sandbox.bwrap);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    prepare(&mut command, sandbox, words, descriptors.into(), admission, true)?;
    command.spawn()
}

/// Sets up bubblewrap: its words, and what the process does before it becomes bubblewrap.
fn prepare(
    command: &mut Command,
    sandbox: &Sandbox,
    words: &[String],
    descriptors: Vec<(OwnedFd, RawFd)>,
    admission: Admission,
    own_session: bool,
) -> io::Result<()> {
    let plan = match &sandbox.root {
        Root::Overlay(overlay) => Some(Plan::new(overlay)?),
        Root::Plain(_) => None,
    };
    command.arg("--args").arg(ARGUMENTS.to_string()).arg("--").args(words).env_clear();
    // SAFETY: the closure makes system calls only, on memory that was set up before the fork.
    unsafe {
        command.pre_exec(move || {
            if own_session && libc::setsid() < 0 {
                return Err(io::Error::last_os_error());
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
            admission.enter()?;
            if let Some(plan) = &plan {
                plan.enter()?;
            }
            for (descriptor, number) in &descriptors {
                if libc::dup2(descriptor.as_raw_fd(), *number) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    Ok(())
}

/// What a process does to itself before it becomes the sandbox: it enters the control group, and where there
/// is none it takes limits of its own.
#[derive(Default)]
struct Admission {
    entrances: Vec<File>,
    memory: Option<u64>,
    processes: Option<u64>,
}

impl Admission {
    fn new(limits: &Limits, group: &Group) -> io::Result<Admission> {
        Ok(Admission {
            entrances: group.entrances()?,
            memory: limits.memory.filter(|_| !group.limits_memory()),
            processes: limits.processes.filter(|_| !group.limits_processes()),
        })
    }

    /// Runs after a fork: system calls only.
    fn enter(&self) -> io::Result<()> {
        for mut entrance in &self.entrances {
            entrance.write_all(b"0")?;
        }
        for (resource, limit) in [(libc::RLIMIT_AS, self.memory), (libc::RLIMIT_NPROC, self.processes)] {
            let Some(limit) = limit else { continue };
            let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
            // SAFETY: a plain system call on a value that lives.
            if unsafe { libc::setrlimit(resource, &limit) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }
}

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What is watched while a command runs.
struct Watch {
    process: OwnedFd,
    progress: Lines,
    reports: Lines,
    /// The first process inside: when it is gone, all inside are.
    inner: Option<OwnedFd>,
    /// The exit status that bubblewrap reported.
    reported: Option<i32>,
    disk_full: bool,
}

impl Watch {
    /// Waits for the end; says why it must be brought about, if it must.
    fn wait(&mut self, limits: &Limits, cancel: &dyn Cancel, status: &mut dyn FnMut(&str)) -> Result<Option<Ended>> {
        loop {
            let now = Instant::now();
            let left = match limits.deadline {
                Some(deadline) if deadline <= now => return Ok(Some(Ended::Timeout)),
                Some(deadline) => Some(deadline - now),
                None => None,
            };
            let left = match &limits.disk {
                Some(disk) if !self.disk_full => {
                    self.disk_full = limits::is_full(disk);
                    Some(left.map_or(LOOK, |left| left.min(LOOK)))
                }
                _ => left,
            };
            let ready = self.poll(left, cancel)?;
            if ready.cancelled {
                return Ok(Some(Ended::Cancelled));
            }
            self.drain(status);
            if ready.ended {
                return Ok(None);
            }
        }
    }

    fn poll(&self, left: Option<Duration>, cancel: &dyn Cancel) -> Result<Ready> {
        let mut wanted = vec![PollFd::new(&self.process, PollFlags::IN)];
        let cancelled = cancel.descriptor().map(|descriptor| {
            wanted.push(PollFd::from_borrowed_fd(descriptor, PollFlags::IN));
            wanted.len() - 1
        });
        for lines in [&self.progress, &self.reports] {
            if let Some(pipe) = &lines.pipe {
                wanted.push(PollFd::new(pipe, PollFlags::IN));
            }
        }
        let left = left.map(|left| Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        match poll(&mut wanted, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(broken(format!("the build cannot be watched: {error}"))),
        }
        let is_ready = |index: usize| !wanted[index].revents().is_empty();
        Ok(Ready { ended: is_ready(0), cancelled: cancelled.is_some_and(is_ready) })
    }

    fn drain(&mut self, status: &mut dyn FnMut(&str)) {
        self.progress.read(status);
        let (inner, reported) = (&mut self.inner, &mut self.reported);
        self.reports.read(&mut |line| {
            let Ok(report) = serde_json::from_str::<serde_json::Value>(line) else { return };
            if let Some(number) = report["child-pid"].as_i64().and_then(|number| i32::try_from(number).ok()) {
                *inner = Pid::from_raw(number).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
            }
            if let Some(code) = report["exit-code"].as_i64().and_then(|code| i32::try_from(code).ok()) {
                *reported = Some(code);
            }
        });
    }

    /// Ends everything inside and waits until it is gone.
    fn kill(&mut self) {
        self.drain(&mut |_| {});
        // Neither can fail in a way that matters: what is gone already is what is wanted.
        if let Some(inner) = &self.inner {
            _ = pidfd_send_signal(inner, Signal::KILL);
        } else {
            _ = pidfd_send_signal(&self.process, Signal::KILL);
        }
        for process in self.inner.iter().chain([&self.process]) {
            while matches!(poll(&mut [PollFd::new(process, PollFlags::IN)], None), Err(Errno::INTR)) {}
        }
    }
}

struct Ready {
    ended: bool,
    cancelled: bool,
}

/// Lines from a pipe that does not block.
struct Lines {
    pipe: Option<File>,
    pending: Vec<u8>,
}

impl Lines {
    fn new(pipe: OwnedFd) -> Lines {
        // A pipe that stays blocking would only make the last read wait for its writers.
        _ = rustix::io::ioctl_fionbio(&pipe, true);
        Lines { pipe: Some(File::from(pipe)), pending: Vec::new() }
    }

    /// Hands on each line that is complete.
    fn read(&mut self, take: &mut dyn FnMut(&str)) {
        let mut buffer = [0; 4096];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.pending.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        while let Some(end) = self.pending.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            if let Ok(line) = std::str::from_utf8(&line[..end]) {
                take(line);
            }
        }
    }
}
