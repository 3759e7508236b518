//! From a tree in the store to a directory on disk.
//!
//! Everything is made below the target's descriptor: no name leads out of it, and no link in it is followed.

use super::cas::Cas;
use super::tree::Tree;
use super::{fs, parallel};
use crate::values::{Digest, Error, Result, directory, proto};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The time that BuildStream gives to everything in a sandbox: 2011-11-11 11:11:11 UTC.
pub const FIXED_TIME: i64 = 1_321_009_871;

/// How a tree is written out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checkout {
    /// Files share the objects' inodes where they can. They are 0444 then and must not be written to:
    /// executable files are copied, because an object is never executable.
    pub link: bool,
    /// The time of modification of everything that is not shared.
    pub mtime: Option<i64>,
    /// What is in the target already is replaced where the tree has something in its place.
    pub replace: bool,
    /// Bytes that are not those of their digest are refused.
    pub verify: bool,
}

/// Files that one task writes into one directory.
const AT_ONCE: usize = 64;

impl Cas {
    /// Writes a tree into `target`, which is made if it is not there.
    pub fn checkout(&self, root: &Digest, target: &Path, how: Checkout) -> Result<()> {
        self.checkout_tree(&Tree::read(self, root)?, target, how)
    }

    /// The same for a tree whose messages are in memory; the files' blobs must be in the store.
    pub fn checkout_tree(&self, tree: &Tree, target: &Path, how: Checkout) -> Result<()> {
        tree.check_extent()?;
        fs::create_dir_all(target)?;
        let top = fs::open_dir(target)?;
        let writer = Writer { cas: self, top: &top, shown: target, how };
        let (directories, tasks) = plan(tree)?;
        for path in &directories[1..] {
            writer.make_directory(path).map_err(|error| writer.failed(path, error))?;
        }
        parallel::for_each_with(tasks.len(), Vec::new, |buffer, index| {
            let task = &tasks[index];
            let path = &directories[task.directory];
            let at = writer.open_directory(path).map_err(|error| writer.failed(path, error))?;
            for node in &task.message.files[task.files.clone()] {
                writer.file(&at, node, buffer).map_err(|error| in_place(error, &target.join(path).join(&node.name)))?;
            }
            for node in &task.message.symlinks[task.symlinks.clone()] {
                writer.symlink(&at, node).map_err(|error| writer.failed(&path.join(&node.name), error))?;
            }
            Ok(())
        })?;
        for path in directories.iter().rev() {
            writer.finish_directory(path).map_err(|error| writer.failed(path, error))?;
        }
        Ok(())
    }
}

struct Task<'a> {
    directory: usize,
    message: &'a proto::Directory,
    files: std::ops::Range<usize>,
    symlinks: std::ops::Range<usize>,
}

/// The paths of all directories, parents first, and what is written into each.
fn plan(tree: &Tree) -> Result<(Vec<PathBuf>, Vec<Task<'_>>)> {
    let mut paths = vec![PathBuf::new()];
    let mut digests = vec![tree.root];
    let mut tasks = Vec::new();
    let mut index = 0;
    while index < paths.len() {
        let message: &proto::Directory = tree.directory(&digests[index])?;
        for node in &message.directories {
            paths.push(paths[index].join(&node.name));
            digests.push(directory::node_digest(&node.digest, &node.name)?);
        }
        for start in (0..message.files.len()).step_by(AT_ONCE) {
            let files = start..(start + AT_ONCE).min(message.files.len());
            tasks.push(Task { directory: index, message, files, symlinks: 0..0 });
        }
        if !message.symlinks.is_empty() {
            tasks.push(Task { directory: index, message, files: 0..0, symlinks: 0..message.symlinks.len() });
        }
        index += 1;
    }
    Ok((paths, tasks))
}

struct Writer<'a> {
    cas: &'a Cas,
    top: &'a OwnedFd,
    shown: &'a Path,
    how: Checkout,
}

impl Writer<'_> {
    fn failed(&self, path: &Path, error: rustix::io::Errno) -> Error {
        let place = self.shown.join(path);
        match error {
            rustix::io::Errno::LOOP | rustix::io::Errno::XDEV => {
                Error::new(crate::values::Code::Disk, format!("{} is reached over a link; remove it", place.display()))
            }
            _ => Error::io("cannot write", &place, error),
        }
    }

    fn open_directory(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        fs::open_beneath(self.top, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
    }

    /// The directory above `path`, and the last name in it.
    fn parent<'p>(&self, path: &'p Path) -> rustix::io::Result<(OwnedFd, &'p Path)> {
        let name = path.file_name().map(Path::new).ok_or(rustix::io::Errno::INVAL)?;
        Ok((self.open_directory(path.parent().unwrap_or(Path::new("")))?, name))
    }

    fn make_directory(&self, path: &Path) -> rustix::io::Result<()> {
        let (parent, name) = self.parent(path)?;
        match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
            Err(rustix::io::Errno::EXIST) if self.how.replace => {
                let stat = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
                if FileType::from_raw_mode(stat.st_mode).is_dir() {
                    return Ok(());
                }
                rustix::fs::unlinkat(&parent, name, AtFlags::empty())?;
                rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755))
            }
            other => other,
        }
    }

    fn finish_directory(&self, path: &Path) -> rustix::io::Result<()> {
        let directory = self.open_directory(path)?;
        // The umask may have taken something; the target itself is the user's.
        if !path.as_os_str().is_empty() {
            rustix::fs::fchmod(&directory, Mode::from_raw_mode(0o755))?;
        }
        match self.how.mtime {
            Some(seconds) => rustix::fs::futimens(&directory, &times(seconds)),
            None => Ok(()),
        }
    }

    fn symlink(&self, at: &OwnedFd, node: &proto::SymlinkNode) -> rustix::io::Result<()> {
        self.replacing(at, &node.name, || rustix::fs::symlinkat(node.target.as_str(), at, node.name.as_str()))?;
        match self.how.mtime {
            Some(seconds) => fs::set_mtime(at, Path::new(&node.name), seconds),
            None => Ok(()),
        }
    }

    /// Does what makes a new name; where that is taken and may be replaced, again without what was there.
    fn replacing<T>(
        &self,
        at: &OwnedFd,
        name: &str,
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> rustix::io::Result<T> {
        match make() {
            Err(rustix::io::Errno::EXIST) if self.how.replace => {
                rustix::fs::unlinkat(at, name, AtFlags::empty())?;
                make()
            }
            other => other,
        }
    }

    fn file(&self, at: &OwnedFd, node: &proto::FileNode, buffer: &mut Vec<u8>) -> Result<()> {
        let digest = directory::node_digest(&node.digest, &node.name)?;
        let here = |error| Error::io("cannot write", Path::new(&node.name), error);
        if self.how.link && !node.is_executable && digest != Digest::EMPTY && self.link(at, &node.name, &digest)? {
            return Ok(());
        }
        let mode = Mode::from_raw_mode(if node.is_executable { 0o755 } else { 0o644 });
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(at, node.name.as_str(), flags, mode);
        let mut target = File::from(self.replacing(at, &node.name, open).map_err(here)?);
        self.cas.copy_verified(&digest, &mut target, self.how.verify, buffer)?;
        rustix::fs::fchmod(&target, mode).map_err(here)?;
        match self.how.mtime {
            Some(seconds) => rustix::fs::futimens(&target, &times(seconds)).map_err(here),
            None => Ok(()),
        }
    }

    /// Gives the object another name; `false` where the system cannot.
    fn link(&self, at: &OwnedFd, name: &str, digest: &Digest) -> Result<bool> {
        if self.how.verify {
            self.cas.copy_verified(digest, &mut std::io::sink(), true, &mut Vec::new())?;
        } else if !self.cas.has(digest) {
            return Err(Error::damaged(format!("the blob {digest} is missing")));
        }
        let object = self.cas.path(digest);
        let linked = self.replacing(at, name, || rustix::fs::linkat(CWD, &object, at, name, AtFlags::empty()));
        match linked {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::XDEV | rustix::io::Errno::MLINK | rustix::io::Errno::PERM) => Ok(false),
            Err(error) => Err(Error::io("cannot link", &object, error)),
        }
    }
}

fn times(seconds: i64) -> rustix::fs::Timestamps {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: 0 };
    rustix::fs::Timestamps { last_access: time, last_modification: time }
}

/// Adds the place to an error that knows only its blob.
fn in_place(error: Error, place: &Path) -> Error {
    let code = if error.code() == crate::values::Code::NotFound { crate::values::Code::Damaged } else { error.code() };
    Error::new(code, format!("{}: {}", place.display(), error.message()))
}
