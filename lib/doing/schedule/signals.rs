//! Signals as a descriptor to wait on, and the processes below us.

use crate::values::{Error, Result};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd};
use std::path::Path;

/// SIGCHLD and the signals that stop a run, blocked and readable while this exists.
#[derive(Debug)]
pub struct Signals {
    file: File,
    before: libc::sigset_t,
}

/// A signal that stops a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop(pub &'static str);

impl Signals {
    /// Takes the signals over. A signal that was ignored when the program started (nohup) stays ignored.
    pub fn take() -> Result<Signals> {
        let failed = || Error::io("cannot wait for", Path::new("signals"), std::io::Error::last_os_error());
        // SAFETY: every structure is initialised by the function it is given to first, and the descriptor
        // is a new one that nobody else owns.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGCHLD);
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                let mut action: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction != libc::SIG_IGN {
                    libc::sigaddset(&mut set, signal);
                }
            }
            if libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut before) != 0 {
                return Err(failed());
            }
            let descriptor = libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if descriptor < 0 {
                return Err(failed());
            }
            Ok(Signals { file: File::from_raw_fd(descriptor), before })
        }
    }

    /// The signals that stop a run which came since the last call.
    pub fn stops(&mut self) -> Vec<Stop> {
        const SIZE: usize = size_of::<libc::signalfd_siginfo>();
        let mut stops = Vec::new();
        let mut buffer = [0; SIZE * 8];
        while let Ok(length) = self.file.read(&mut buffer) {
            for info in buffer[..length].chunks_exact(SIZE) {
                // The number is the first field of the structure.
                let number = info.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
                stops.extend(match i32::try_from(number) {
                    Ok(libc::SIGINT) => Some(Stop("SIGINT")),
                    Ok(libc::SIGTERM) => Some(Stop("SIGTERM")),
                    Ok(libc::SIGHUP) => Some(Stop("SIGHUP")),
                    _ => None,
                });
            }
            if length < buffer.len() {
                break;
            }
        }
        stops
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // SAFETY: the mask is the one that was there before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}

/// The processes below us, those that lost their parent among them, so that none gets away.
#[derive(Debug)]
pub struct Offspring {
    /// Children from before: whoever started this program by exec may have had some.
    before: Vec<Pid>,
}

impl Offspring {
    /// Becomes the parent of every process below whose own parent ends.
    pub fn adopt() -> Offspring {
        // Where this cannot be had nothing but the last clean-up is lost.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        Offspring { before: children() }
    }

    /// A child that ended, if there is one.
    pub fn reap(&self) -> Option<(Pid, WaitStatus)> {
        rustix::process::wait(WaitOptions::NOHANG).ok().flatten()
    }

    /// Kills all that is still there, and waits for it. For the very end.
    pub fn kill(&self) {
        // What is killed ends at once, unless it hangs in the kernel.
        for _ in 0..1000 {
            while self.reap().is_some() {}
            let mut left = children();
            left.retain(|child| !self.before.contains(child));
            if left.is_empty() {
                return;
            }
            for child in left {
                let _ = rustix::process::kill_process(child, Signal::KILL);
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

fn children() -> Vec<Pid> {
    let mut children = Vec::new();
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return children };
    for thread in threads.flatten() {
        let text = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(text.split_whitespace().filter_map(|word| word.parse().ok()).filter_map(Pid::from_raw));
    }
    children
}
