//! Signals as something to wait for, and the processes below us.
//!
//! Handlers, not a blocked mask: what this program starts begins with the default actions by itself.

use crate::values::{Error, Result};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};

/// Where the handler writes to: the number of each signal, one byte.
static WRITER: AtomicI32 = AtomicI32::new(-1);

/// SIGCHLD and the signals that stop a run, readable while this exists.
#[derive(Debug)]
pub struct Signals {
    reader: File,
    _writer: OwnedFd,
}

/// A signal that stops a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop(pub &'static str);

impl Signals {
    /// Takes the signals over. A signal that was ignored when the program started (nohup) stays ignored.
    pub fn take() -> Result<Signals> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
            .map_err(|error| Error::io("cannot make", Path::new("a pipe"), error))?;
        WRITER.store(writer.as_raw_fd(), Ordering::SeqCst);
        for signal in [libc::SIGCHLD, libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the structures are initialised by zero or by the call; the handler does only what
            // handlers may do.
            unsafe {
                let mut before: libc::sigaction = std::mem::zeroed();
                if signal != libc::SIGCHLD
                    && libc::sigaction(signal, std::ptr::null(), &mut before) == 0
                    && before.sa_sigaction == libc::SIG_IGN
                {
                    continue;
                }
                let mut action: libc::sigaction = std::mem::zeroed();
                let handler: extern "C" fn(libc::c_int) = handle;
                action.sa_sigaction = handler as libc::sighandler_t;
                action.sa_flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
                if libc::sigaction(signal, &action, std::ptr::null_mut()) != 0 {
                    let error = std::io::Error::last_os_error();
                    return Err(Error::io("cannot wait for", Path::new("signals"), error));
                }
            }
        }
        Ok(Signals { reader: File::from(reader), _writer: writer })
    }

    /// The signals that stop a run which came since the last call.
    pub fn stops(&mut self) -> Vec<Stop> {
        let mut stops = Vec::new();
        let mut buffer = [0; 256];
        while let Ok(length) = self.reader.read(&mut buffer) {
            stops.extend(buffer[..length].iter().filter_map(|&number| match i32::from(number) {
                libc::SIGINT => Some(Stop("SIGINT")),
                libc::SIGTERM => Some(Stop("SIGTERM")),
                libc::SIGHUP => Some(Stop("SIGHUP")),
                _ => None,
            }));
            if length < buffer.len() {
                break;
            }
        }
        stops
    }
}

extern "C" fn handle(signal: libc::c_int) {
    let byte = [signal as u8];
    // SAFETY: write is allowed in handlers; errno is put back, for the code below may be about to read it.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        libc::write(WRITER.load(Ordering::SeqCst), byte.as_ptr().cast(), 1);
        *errno = before;
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        WRITER.store(-1, Ordering::SeqCst);
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
