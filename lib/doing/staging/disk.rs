//! Trees on disk as a build sees them: files 0644 or 0755, directories 0755, everything dated alike.

use super::tree::{DEEPEST, Directory, File, Node, join};
use crate::store::{cas::Cas, fs};
use crate::values::{Code, Error, Result, proto};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The date of everything that is staged: 2011-11-11 11:11:11 UTC.
pub const DATE: i64 = 1_321_009_871;

/// How the files of a tree come to lie on disk.
pub enum Files<'a> {
    /// Each is a copy: it may be written to.
    Copies,
    /// Each shares its bytes with the pool, and must not be written to.
    Shared(&'a Pool),
}

/// Writes a tree to `target`, a directory that is there and empty.
pub fn write(tree: &mut Directory, cas: &Cas, target: &Path, files: &Files) -> Result<()> {
    write_directory(tree, cas, target, files, 0)
}

fn write_directory(tree: &mut Directory, cas: &Cas, target: &Path, files: &Files, depth: usize) -> Result<()> {
    if depth > DEEPEST {
        return Err(Error::new(Code::Staging, format!("a tree is more than {DEEPEST} directories deep")));
    }
    for (name, node) in tree.entries_mut() {
        let path = target.join(name);
        match node {
            Node::File(file) => match files {
                Files::Copies => copy(cas, file, &path)?,
                Files::Shared(pool) => pool.link(cas, file, &path)?,
            },
            Node::Link(link) => {
                std::os::unix::fs::symlink(&link.target, &path)
                    .map_err(|error| Error::io("cannot make the link", &path, error))?;
                set_date(&path, date_of(&link.properties))?;
            }
            Node::Directory(subtree) => {
                std::fs::create_dir(&path).map_err(|error| Error::io("cannot make the directory", &path, error))?;
                write_directory(subtree.open(cas)?, cas, &path, files, depth + 1)?;
            }
        }
    }
    set_mode(target, 0o755)?;
    set_date(target, date_of(&tree.properties))
}

/// Copies a file out of the store, sharing blocks where the file system can.
pub fn copy(cas: &Cas, file: &File, target: &Path) -> Result<()> {
    let failed = |error: io::Error| Error::io("cannot write", target, error);
    let mode = if file.executable { 0o755 } else { 0o644 };
    let mut to = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(target).map_err(failed)?;
    if file.digest.size() > 0 {
        let mut from = cas.open(&file.digest)?;
        if rustix::fs::ioctl_ficlone(&to, &from).is_err() {
            let copied = io::copy(&mut from, &mut to).map_err(failed)?;
            if copied != file.digest.size() {
                return Err(Error::damaged(format!(
                    "the blob {} has {copied} bytes; bst-fsck --repair puts it aside",
                    file.digest
                )));
            }
        }
    }
    rustix::fs::fchmod(&to, rustix::fs::Mode::from_raw_mode(mode)).map_err(|error| failed(error.into()))?;
    let date = date_of(&file.properties);
    rustix::fs::futimens(&to, &date).map_err(|error| failed(error.into()))
}

/// Gives a file or directory the mode and date that staged ones have.
pub fn settle(path: &Path, mode: u32) -> Result<()> {
    set_mode(path, mode)?;
    set_date(path, date_of(&None))
}

/// Gives a link the date that staged ones have.
pub fn settle_link(path: &Path) -> Result<()> {
    set_date(path, date_of(&None))
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(|error| Error::io("cannot set the mode of", path, error))
}

fn set_date(path: &Path, date: Timestamps) -> Result<()> {
    rustix::fs::utimensat(CWD, path, &date, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|error| Error::io("cannot set the date of", path, error))
}

/// The date of a node: its own, as in trees of workspaces, or the one that everything has.
fn date_of(properties: &Option<proto::NodeProperties>) -> Timestamps {
    let own = properties.as_ref().and_then(|properties| properties.mtime);
    let time = own.map_or(Timespec { tv_sec: DATE, tv_nsec: 0 }, |time| Timespec {
        tv_sec: time.seconds,
        tv_nsec: time.nanos.clamp(0, 999_999_999).into(),
    });
    Timestamps { last_access: time, last_modification: time }
}

/// Copies of the store's files with the mode and date that staged files have, which objects of the store
/// cannot have. Staged roots are hard links to them; a file that no root has any more has one link left.
pub struct Pool {
    directory: PathBuf,
}

impl Pool {
    /// The pool in a directory.
    pub fn new(directory: PathBuf) -> Pool {
        Pool { directory }
    }

    /// Puts a file at `target`.
    fn link(&self, cas: &Cas, file: &File, target: &Path) -> Result<()> {
        if file.properties.is_some() || file.digest.size() == 0 {
            return copy(cas, file, target);
        }
        let hex = file.digest.hex();
        let suffix = if file.executable { "x" } else { "" };
        let shared = self.directory.join(&hex[..2]).join(format!("{}{suffix}", &hex[2..]));
        loop {
            match std::fs::hard_link(&shared, target) {
                Ok(()) => return Ok(()),
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::MLINK.raw_os_error()) => {
                    return copy(cas, file, target);
                }
                Err(error) if fs::is_absent(&error) => self.add(cas, file, &shared)?,
                Err(error) => return Err(Error::io("cannot link", target, error)),
            }
        }
    }

    fn add(&self, cas: &Cas, file: &File, shared: &Path) -> Result<()> {
        let directory = shared.parent().unwrap_or(&self.directory);
        fs::create_dir_all(directory)?;
        let scratch = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempdir_in(directory)
            .map_err(|error| Error::io("cannot write to", directory, error))?;
        let fresh = scratch.path().join("file");
        copy(cas, file, &fresh)?;
        std::fs::rename(&fresh, shared).map_err(|error| Error::io("cannot write", shared, error))
    }
}

/// Removes a directory and everything below it, whatever modes a build left behind.
pub fn remove(path: &Path) -> Result<()> {
    let failed = |error: io::Error| Error::io("cannot remove", path, error);
    match std::fs::remove_dir_all(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => {}
    }
    open_up(path).map_err(failed)?;
    std::fs::remove_dir_all(path).map_err(failed)
}

/// Lets the owner into every directory.
fn open_up(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// A path of a sandbox as a path on disk.
pub fn inside(root: &Path, path: &str) -> PathBuf {
    let relative = super::tree::components(path).into_iter().fold(String::new(), |path, name| join(&path, name));
    root.join(relative)
}
