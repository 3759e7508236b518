//! Files that are there whole or not at all, and opening below a directory without leaving it.

use crate::values::{Error, Result};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Makes a directory and those above it.
pub fn create_dir_all(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| Error::io("cannot make the directory", path, error))
}

/// Reads a file; `None` where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("cannot read", path, error)),
    }
}

/// Whether the error means that nothing is there.
pub fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Puts `bytes` at `path` with a mode: a crash leaves what was there before, or all of the new.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    write_all_atomic(&[(path, bytes)], mode)
}

/// The same for several files, in the order given, with fewer waits for the disk: each is whole or as it was, and
/// after a power cut none of the later ones is new where the system keeps the order of renames.
pub fn write_all_atomic(files: &[(&Path, &[u8])], mode: u32) -> Result<()> {
    let mut written = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        let directory = path.parent().unwrap_or(Path::new("."));
        create_dir_all(directory)?;
        let failed = |error| Error::io("cannot write", path, error);
        let mut file = tempfile::Builder::new().prefix(".tmp-").tempfile_in(directory).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed)?;
        written.push(file);
    }
    let shown = files.first().map_or(Path::new("nothing"), |(path, _)| path);
    let all: Vec<&std::fs::File> = written.iter().map(tempfile::NamedTempFile::as_file).collect();
    sync_files(&all).map_err(|error| Error::io("cannot write", shown, error))?;
    let mut directories: Vec<&Path> = Vec::new();
    for (file, (path, _)) in written.into_iter().zip(files) {
        file.persist(path).map_err(|error| Error::io("cannot write", path, error.error))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    directories.into_iter().try_for_each(sync_dir)
}

/// Makes what was written to files last through a power cut. All are started before the first is waited for, so
/// that a journal takes them together.
pub fn sync_files(files: &[&std::fs::File]) -> rustix::io::Result<()> {
    use std::os::fd::AsRawFd;
    if files.len() > 1 {
        for file in files {
            // SAFETY: a plain system call on a descriptor that is open. It is only a start: fsync tells of errors.
            unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
        }
    }
    files.iter().try_for_each(rustix::fs::fsync)
}

/// The name of a temporary file of [`write_atomic`], which a killed writer may have left.
pub fn is_temporary(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".tmp-")
}

/// Removes a file; `false` where there was none.
pub fn remove_if_there(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io("cannot remove", path, error)),
    }
}

/// Makes a rename in a directory last through a power cut.
pub fn sync_dir(path: &Path) -> Result<()> {
    let directory = std::fs::File::open(path).map_err(|error| Error::io("cannot open", path, error))?;
    directory.sync_all().map_err(|error| Error::io("cannot sync", path, error))
}

/// Opens a directory to work below it.
pub fn open_dir(path: &Path) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Error::io("cannot open the directory", path, error))
}

/// Opens `path` below `directory`, following no link and never leaving the directory.
pub fn open_beneath(directory: impl AsFd, path: &Path, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(directory, path, flags | OFlags::CLOEXEC, mode, resolve)
}

/// Sets the time of last modification of an open file, or of what a descriptor with a path names.
pub fn set_mtime(directory: impl AsFd, path: &Path, seconds: i64) -> rustix::io::Result<()> {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(directory, path, &times, AtFlags::SYMLINK_NOFOLLOW)
}

/// A directory under which many small files are read: each is found from its descriptor, in few system calls.
#[derive(Debug)]
pub struct Shelf {
    path: std::path::PathBuf,
    fd: std::sync::OnceLock<OwnedFd>,
}

impl Shelf {
    pub fn new(path: &Path) -> Shelf {
        Shelf { path: path.to_owned(), fd: std::sync::OnceLock::new() }
    }

    /// Reads a file into `buffer`; `false` where there is none. The file counts as used from now on if that was
    /// `touch_after` seconds ago.
    pub fn read(&self, name: &str, touch_after: Option<u64>, buffer: &mut Vec<u8>) -> Result<bool> {
        let failed = |error: rustix::io::Errno| Error::io("cannot read", &self.path.join(name), error);
        let root = match self.fd.get() {
            Some(fd) => fd,
            // It may come into being while we run.
            None => {
                match rustix::fs::open(&self.path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
                    Ok(fd) => self.fd.get_or_init(|| fd),
                    Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(false),
                    Err(error) => return Err(failed(error)),
                }
            }
        };
        let file = match rustix::fs::openat(root, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => file,
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        let stat = rustix::fs::fstat(&file).map_err(failed)?;
        let size = usize::try_from(stat.st_size).unwrap_or(0);
        if size > LONGEST {
            buffer.clear();
            return Ok(true);
        }
        buffer.resize(size, 0);
        let mut length = 0;
        while length < size {
            match rustix::io::read(&file, &mut buffer[length..]).map_err(failed)? {
                0 => break,
                more => length += more,
            }
        }
        buffer.truncate(length);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let used = u64::try_from(stat.st_mtime).unwrap_or(0);
        if touch_after.is_some_and(|after| now.saturating_sub(used) > after) {
            let time = rustix::fs::Timespec { tv_sec: i64::try_from(now).unwrap_or(0), tv_nsec: 0 };
            // Of another user's store it cannot be set; then it is their affair what expires.
            let _ = rustix::fs::futimens(&file, &rustix::fs::Timestamps { last_access: time, last_modification: time });
        }
        Ok(true)
    }
}

/// No file of a shelf is longer; a longer one reads as empty, which is damaged.
const LONGEST: usize = 1 << 28;
