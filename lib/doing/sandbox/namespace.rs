//! Namespaces and the overlay, made between fork and exec.
//!
//! After the fork only system calls that need no memory and no lock are allowed, so everything is prepared
//! before.

use super::Overlay;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;

/// A mount namespace with an overlay in it, ready to be made.
pub(super) struct Plan {
    base: CString,
    mount: CString,
    options: CString,
    flags: libc::c_ulong,
    uid_map: String,
    gid_map: String,
}

impl Plan {
    pub(super) fn new(overlay: &Overlay) -> io::Result<Plan> {
        let mut options = format!("userxattr,index=off,lowerdir={}", overlay.lower.join(":"));
        if let Some(upper) = &overlay.upper {
            options += &format!(",upperdir={},workdir={}", upper.directory, upper.work);
        }
        let read_only = if overlay.upper.is_none() { libc::MS_RDONLY } else { 0 };
        Ok(Plan {
            base: CString::new(overlay.base.as_os_str().as_bytes())?,
            mount: CString::new(overlay.mount.as_str())?,
            options: CString::new(options)?,
            flags: libc::MS_NOSUID | libc::MS_NODEV | read_only,
            uid_map: format!("0 {} 1", rustix::process::geteuid().as_raw()),
            gid_map: format!("0 {} 1", rustix::process::getegid().as_raw()),
        })
    }

    /// Enters the namespaces and mounts the overlay. Runs after a fork.
    pub(super) fn enter(&self) -> io::Result<()> {
        // SAFETY: plain system calls on strings that live; allowed between fork and exec.
        unsafe {
            if libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) == 0 {
                write_to(c"/proc/self/setgroups", b"deny")?;
                write_to(c"/proc/self/uid_map", self.uid_map.as_bytes())?;
                write_to(c"/proc/self/gid_map", self.gid_map.as_bytes())?;
            } else {
                // Where user namespaces are not to be had, root can do without.
                check(libc::unshare(libc::CLONE_NEWNS))?;
            }
            let none = std::ptr::null();
            check(libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, none.cast()))?;
            check(libc::chdir(self.base.as_ptr()))?;
            check(libc::mount(
                c"overlay".as_ptr(),
                self.mount.as_ptr(),
                c"overlay".as_ptr(),
                self.flags,
                self.options.as_ptr().cast(),
            ))
        }
    }
}

fn write_to(path: &std::ffi::CStr, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: plain system calls on memory that lives.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        check(file)?;
        let written = libc::write(file, bytes.as_ptr().cast(), bytes.len());
        let outcome = if written < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
        libc::close(file);
        outcome
    }
}

fn check(outcome: libc::c_int) -> io::Result<()> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
