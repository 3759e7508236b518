//! What lies below a directory, listed without following a link.

use super::fs;
use crate::values::{Error, Result, proto};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Directories deeper than this are refused: paths could not reach what lies there.
pub const DEEPEST: usize = 1000;

/// One entry.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    /// The directory that it is in, by its place in [`Listing::directories`].
    pub parent: usize,
    /// Only of directories, and only if asked for.
    pub mtime: proto::Timestamp,
}

/// Everything below a directory. The first of `directories` is that itself; parents come before children.
#[derive(Debug)]
pub struct Listing {
    pub directories: Vec<Entry>,
    pub files: Vec<Entry>,
    pub symlinks: Vec<(Entry, String)>,
}

impl Listing {
    /// The path of an entry, relative to the directory that was listed.
    pub fn path_of(&self, entry: &Entry) -> PathBuf {
        let mut names = vec![entry.name.as_str()];
        let mut parent = entry.parent;
        while parent > 0 {
            names.push(&self.directories[parent].name);
            parent = self.directories[parent].parent;
        }
        let mut path = PathBuf::with_capacity(names.iter().map(|name| name.len() + 1).sum());
        path.extend(names.into_iter().rev());
        path
    }
}

/// Lists a directory and all below it. Fifos, sockets and devices are left out, as BuildStream leaves them
/// out. `shown` is the directory's name in messages.
pub fn list(root: &OwnedFd, shown: &Path, mtimes: bool) -> Result<Listing> {
    let top = Entry { name: String::new(), parent: 0, mtime: proto::Timestamp { seconds: 0, nanos: 0 } };
    let mut listing = Listing { directories: vec![top], files: Vec::new(), symlinks: Vec::new() };
    let mut depths = vec![0];
    let mut buffer = Vec::with_capacity(1 << 15);
    let mut index = 0;
    while index < listing.directories.len() {
        let path = if index == 0 { PathBuf::from(".") } else { listing.path_of(&listing.directories[index]) };
        let place = || shown.join(&path);
        if depths[index] > DEEPEST {
            return Err(Error::malformed(format!(
                "{}: more than {DEEPEST} directories inside one another cannot be stored",
                shown.display()
            )));
        }
        let directory = open_readable(root, &path).map_err(|error| Error::io("cannot list", &place(), error))?;
        if mtimes && index > 0 {
            let stat = rustix::fs::fstat(&directory).map_err(|error| Error::io("cannot read", &place(), error))?;
            listing.directories[index].mtime = timestamp(&stat);
        }
        read_directory(&directory, index, &mut buffer, &mut listing, &place)?;
        depths.resize(listing.directories.len(), depths[index] + 1);
        index += 1;
    }
    Ok(listing)
}

/// A file's time of modification as messages write it.
pub fn timestamp(stat: &rustix::fs::Stat) -> proto::Timestamp {
    proto::Timestamp { seconds: stat.st_mtime, nanos: i32::try_from(stat.st_mtime_nsec).unwrap_or(0) }
}

fn open_readable(root: &OwnedFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    with_permission(root, path, Mode::RWXU, || fs::open_beneath(root, path, flags, Mode::empty()))
}

/// Opens what a mode of 0000 keeps even its owner from opening: with the bits that are needed for a moment.
pub(super) fn with_permission(
    root: &OwnedFd,
    path: &Path,
    needed: Mode,
    open: impl Fn() -> rustix::io::Result<OwnedFd>,
) -> rustix::io::Result<OwnedFd> {
    match open() {
        Err(rustix::io::Errno::ACCESS) => {}
        other => return other,
    }
    let flags = OFlags::PATH | OFlags::NOFOLLOW;
    let handle = fs::open_beneath(root, path, flags, Mode::empty())?;
    let before = Mode::from_raw_mode(rustix::fs::fstat(&handle)?.st_mode);
    // A descriptor of a path cannot be changed itself, but its name below /proc can.
    let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&handle));
    rustix::fs::chmod(&name, before | needed)?;
    let opened = open();
    rustix::fs::chmod(&name, before)?;
    opened
}

fn read_directory(
    directory: &OwnedFd,
    parent: usize,
    buffer: &mut Vec<u8>,
    listing: &mut Listing,
    place: &dyn Fn() -> PathBuf,
) -> Result<()> {
    let failed = |error| Error::io("cannot list", &place(), error);
    let mut entries = RawDir::new(directory, spare(buffer));
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(failed)?;
        let bytes = entry.file_name().to_bytes();
        if bytes == b"." || bytes == b".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => kind_of(directory.as_fd(), bytes).map_err(failed)?,
            kind => kind,
        };
        if !matches!(kind, FileType::RegularFile | FileType::Directory | FileType::Symlink) {
            continue;
        }
        let entry = Entry { name: text(bytes, place)?, parent, mtime: proto::Timestamp { seconds: 0, nanos: 0 } };
        match kind {
            FileType::Directory => listing.directories.push(entry),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(directory, &entry.name, Vec::new()).map_err(failed)?;
                let target = text(target.to_bytes(), &|| place().join(&entry.name))?;
                listing.symlinks.push((entry, target));
            }
            _ => listing.files.push(entry),
        }
    }
    Ok(())
}

fn spare(buffer: &mut Vec<u8>) -> &mut [MaybeUninit<u8>] {
    buffer.clear();
    buffer.spare_capacity_mut()
}

fn kind_of(directory: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<FileType> {
    let stat = rustix::fs::statat(directory, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

fn text(bytes: &[u8], place: &dyn Fn() -> PathBuf) -> Result<String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| {
        Error::malformed(format!(
            "{}: the name or target \"{}\" is no UTF-8, which trees in the store require; rename it in the build",
            place().display(),
            bytes.escape_ascii()
        ))
    })
}
