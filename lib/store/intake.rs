//! How one file of a directory gets into the store: moved, or hashed and copied, whatever is cheapest and
//! still leaves no doubt that the bytes are those that were hashed.

use super::batch::{BLOB, Batch, PIECE};
use super::import::Import;
use super::{fs, listing};
use crate::values::{Digest, Result, digest::Hasher, proto};
use rustix::fs::{Mode, OFlags, Timespec, Timestamps};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// Which signal tells of somebody who waits for a lease; not in libc's bindings.
const F_SETSIG: libc::c_int = 10;

/// A file that is in the store now.
#[derive(Debug)]
pub struct Intake {
    pub digest: Digest,
    pub executable: bool,
    pub mtime: proto::Timestamp,
}

/// Stores the file at `path` below `root`. The outer error is the file's, the inner one the store's.
pub(super) fn take_in(
    batch: &Batch,
    root: &OwnedFd,
    path: &Path,
    how: Import,
    buffer: &mut Vec<u8>,
) -> rustix::io::Result<Result<Intake>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = listing::with_permission(root, path, Mode::RUSR, || fs::open_beneath(root, path, flags, Mode::empty()))?;
    let stat = rustix::fs::fstat(&file)?;
    let mut file = File::from(file);
    let digest = if stat.st_size == 0 {
        Ok(Digest::EMPTY)
    } else if how.take && stat.st_nlink == 1 && freeze(&file) {
        give(batch, root, path, &mut file, buffer)
    } else if usize::try_from(stat.st_size).is_ok_and(|size| size >= PIECE) && freeze(&file) {
        look_then_copy(batch, &mut file, buffer)
    } else {
        batch.put_reader_with(&file, buffer)
    };
    let executable = Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR);
    Ok(digest.map(|digest| Intake { digest, executable, mtime: listing::timestamp(&stat) }))
}

/// Makes sure that nobody changes the file as long as it is open here: takes a lease for reading, which the
/// system gives only where nobody has the file open for writing, and which makes those who want to wait.
fn freeze(file: &File) -> bool {
    // SAFETY: plain system calls on a descriptor that is open. The signal that tells of somebody waiting is
    // set to one that is ignored by default.
    unsafe {
        libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG) == 0
            && libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) == 0
    }
}

const NOW: Timestamps = {
    let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
};

/// Hashes, and moves the file if the store does not have it.
fn give(batch: &Batch, root: &OwnedFd, path: &Path, file: &mut File, buffer: &mut [u8]) -> Result<Digest> {
    let digest = hash(file, buffer)?;
    if batch.has(&digest) {
        return Ok(digest);
    }
    let moved = rustix::fs::fchmod(&*file, BLOB)
        .and_then(|()| rustix::fs::futimens(&*file, &NOW))
        .and_then(|()| batch.take(digest, root, path));
    match moved {
        Ok(stored) => stored.map(|()| digest),
        // Another file system, or another owner: a copy it is.
        Err(_) => batch.put_frozen(digest, file).map(|()| digest),
    }
}

/// Hashes, and copies the file if the store does not have it: nothing is written for what is there.
fn look_then_copy(batch: &Batch, file: &mut File, buffer: &mut [u8]) -> Result<Digest> {
    let digest = hash(file, buffer)?;
    if !batch.has(&digest) {
        batch.put_frozen(digest, file)?;
    }
    Ok(digest)
}

fn hash(file: &mut File, buffer: &mut [u8]) -> Result<Digest> {
    let mut hasher = Hasher::default();
    loop {
        let length = file.read(buffer).map_err(cannot_read)?;
        if length == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..length]);
    }
}

fn cannot_read(error: std::io::Error) -> crate::values::Error {
    crate::values::Error::io("cannot read", Path::new("what is to be stored"), error)
}
