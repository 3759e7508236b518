//! From what a build left on disk back to trees (spec: artifacts 2.3): the executable bit is the owner's,
//! owners, dates and other bits are dropped, and what is no file, link or directory is passed over.

use super::disk;
use super::tree::{DEEPEST, Directory, File, Link, Node};
use crate::store::cas::Cas;
use crate::values::{Code, Error, Result, proto};
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The attribute with which an overlay marks a directory that hides what lies below it.
const OPAQUE: &str = "user.overlay.opaque";

/// How trees are read.
pub struct Collector<'a> {
    pub cas: &'a Cas,
    /// Whether what was read gets the modes and dates of staged files, as the next command sees them.
    pub normalise: bool,
    /// Whether files and directories keep their dates: those of workspaces do.
    pub dates: bool,
    /// Directories that are passed over.
    pub skip: Vec<PathBuf>,
    /// Names and links that cannot be in a tree, because they are no UTF-8.
    pub unnameable: Vec<String>,
}

impl<'a> Collector<'a> {
    /// One that just reads.
    pub fn new(cas: &'a Cas) -> Collector<'a> {
        Collector { cas, normalise: false, dates: false, skip: Vec::new(), unnameable: Vec::new() }
    }

    /// A directory and everything in it.
    pub fn read(&mut self, path: &Path) -> Result<Directory> {
        let mut directory = Directory::default();
        self.apply_at(&mut directory, path, 0)?;
        Ok(directory)
    }

    /// What the upper layer of an overlay makes of a tree.
    pub fn apply(&mut self, tree: &mut Directory, path: &Path) -> Result<()> {
        self.apply_at(tree, path, 0)
    }

    fn apply_at(&mut self, tree: &mut Directory, path: &Path, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(Error::new(Code::Staging, format!("the build left more than {DEEPEST} nested directories")));
        }
        let failed = |error| Error::io("cannot read", path, error);
        for entry in read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let inner = entry.path();
            let meta = entry.metadata().map_err(|error| Error::io("cannot read", &inner, error))?;
            let Ok(name) = entry.file_name().into_string() else {
                self.unnameable.push(inner.display().to_string());
                continue;
            };
            self.entry(tree, name, &inner, &meta, depth)?;
        }
        if self.normalise {
            disk::settle(path, 0o755)?;
        }
        Ok(())
    }

    fn entry(&mut self, tree: &mut Directory, name: String, path: &Path, meta: &Metadata, depth: usize) -> Result<()> {
        let kind = meta.file_type();
        if kind.is_dir() && self.skip.iter().any(|skipped| skipped == path) {
            return Ok(());
        }
        if kind.is_dir() {
            let mut directory = match tree.entries_mut().remove(&name) {
                Some(Node::Directory(below)) if !is_opaque(path) => below.into_directory(self.cas)?,
                _ => Directory::default(),
            };
            self.apply_at(&mut directory, path, depth + 1)?;
            directory.properties = self.date(meta).or(directory.properties);
            tree.entries_mut().insert(name, Node::Directory(directory.into()));
        } else if kind.is_file() {
            let file = self.file(path, meta)?;
            tree.entries_mut().insert(name, Node::File(file));
        } else if kind.is_symlink() {
            let target = std::fs::read_link(path).map_err(|error| Error::io("cannot read", path, error))?;
            let Ok(target) = target.into_os_string().into_string() else {
                self.unnameable.push(path.display().to_string());
                return Ok(());
            };
            tree.entries_mut().insert(name, Node::Link(Link { target, properties: None, owner: 0 }));
            if self.normalise {
                disk::settle_link(path)?;
            }
        } else if kind.is_char_device() && meta.rdev() == 0 {
            // A whiteout: what lies below is gone.
            tree.entries_mut().remove(&name);
        } else {
            tree.entries_mut().remove(&name);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, meta: &Metadata) -> Result<File> {
        let failed = |error| Error::io("cannot read", path, error);
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                // The owner may always let himself in.
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
                std::fs::read(path)
            }
            read => read,
        };
        let digest = self.cas.put(&bytes.map_err(failed)?)?;
        let executable = meta.mode() & 0o100 != 0;
        if self.normalise {
            disk::settle(path, if executable { 0o755 } else { 0o644 })?;
        }
        Ok(File { digest, executable, properties: self.date(meta), owner: 0 })
    }

    fn date(&self, meta: &Metadata) -> Option<proto::NodeProperties> {
        self.dates.then(|| proto::NodeProperties {
            properties: Vec::new(),
            mtime: Some(proto::Timestamp {
                seconds: meta.mtime(),
                nanos: i32::try_from(meta.mtime_nsec()).unwrap_or_default(),
            }),
            unix_mode: None,
        })
    }
}

/// Reads a directory, and lets the owner in where the build had shut him out.
fn read_dir(path: &Path) -> io::Result<std::fs::ReadDir> {
    match std::fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
            std::fs::read_dir(path)
        }
        read => read,
    }
}

fn is_opaque(path: &Path) -> bool {
    let mut value = [0; 1];
    rustix::fs::lgetxattr(path.as_os_str().as_bytes(), OPAQUE, &mut value).is_ok_and(|length| length == 1)
        && value == *b"y"
}
