//! SIGINT, SIGTERM and SIGHUP as something that can be waited for.

use crate::doing::sandbox::Cancel;
use crate::values::{Error, Result};
use rustix::pipe::{PipeFlags, pipe_with};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};

/// The end of the pipe that the handler writes to.
static PIPE: AtomicI32 = AtomicI32::new(-1);
/// The signal that came.
static CAME: AtomicI32 = AtomicI32::new(0);

/// From now on these signals do not end the program, they make this readable.
pub struct Signals {
    reader: OwnedFd,
    _writer: OwnedFd,
}

impl Signals {
    /// Takes the signals over. A signal that is ignored, as under nohup, stays ignored.
    pub fn take() -> Result<Signals> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
            .map_err(|error| Error::io("cannot make", Path::new("a pipe"), error))?;
        PIPE.store(writer.as_raw_fd(), Ordering::SeqCst);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the handler only stores a number and writes to a pipe, which handlers may do.
            unsafe {
                let handler: extern "C" fn(libc::c_int) = handle;
                if libc::signal(signal, handler as libc::sighandler_t) == libc::SIG_IGN {
                    libc::signal(signal, libc::SIG_IGN);
                }
            }
        }
        Ok(Signals { reader, _writer: writer })
    }

    /// The signal that came, if one did.
    pub fn came() -> Option<i32> {
        Some(CAME.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }

    /// Ends the program by the signal that came: what started it sees that.
    pub fn pass_on() {
        if let Some(signal) = Signals::came() {
            // SAFETY: plain system calls.
            unsafe {
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
            }
        }
    }
}

impl Cancel for Signals {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.reader.as_fd())
    }
}

extern "C" fn handle(signal: libc::c_int) {
    CAME.store(signal, Ordering::SeqCst);
    let pipe = PIPE.load(Ordering::SeqCst);
    // SAFETY: a write of one byte from memory that lives; a full pipe is readable already.
    unsafe { libc::write(pipe, c"!".as_ptr().cast(), 1) };
}
