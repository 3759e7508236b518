//! From what a build left on disk back to trees (spec: artifacts 2.3).

use super::disk;
use super::tree::{DEEPEST, Directory, File, Link, Node};
use crate::store::{batch::Batch, cas::Cas, fs, import::Import};
use crate::values::{Code, Error, Result, proto};
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The attribute with which an overlay marks a directory that hides what lies below it.
const OPAQUE: &str = "user.overlay.opaque";

/// Reads the upper layers of overlays.
pub struct Collector<'a> {
    pub cas: &'a Cas,
    /// Where the files go.
    pub batch: &'a Batch,
    pub how: Import,
    /// Whether what was read gets the modes and dates of staged files, as the next command sees them.
    pub normalise: bool,
    /// Directories that are passed over.
    pub skip: Vec<PathBuf>,
}

impl Collector<'_> {
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
            self.entry(tree, text(entry.file_name(), path)?, &inner, &meta, depth)?;
        }
        if self.normalise { disk::settle(path, 0o755) } else { Ok(()) }
    }

    fn entry(&mut self, tree: &mut Directory, name: String, path: &Path, meta: &Metadata, depth: usize) -> Result<()> {
        let kind = meta.file_type();
        if kind.is_dir() {
            if self.skip.iter().any(|skipped| skipped == path) {
                return Ok(());
            }
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
            let target = text(target.into_os_string(), path)?;
            tree.entries_mut().insert(name, Node::Link(Link { target, properties: None, owner: 0 }));
            if self.normalise {
                disk::settle_link(path)?;
            }
        } else {
            // A whiteout, or something that trees cannot hold: what lay below it is gone either way.
            let hides = tree.entries_mut().remove(&name).is_some();
            if self.normalise && !(kind.is_char_device() && meta.rdev() == 0) {
                take_out(path, hides).map_err(|error| Error::io("cannot remove", path, error))?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, meta: &Metadata) -> Result<File> {
        let directory = fs::open_dir(path.parent().unwrap_or(Path::new("/")))?;
        let name = Path::new(path.file_name().unwrap_or_default());
        let (digest, executable) = self.batch.import_file_at(&directory, name, self.how)?;
        if self.normalise {
            disk::settle(path, if executable { 0o755 } else { 0o644 })?;
        }
        Ok(File { digest, executable, properties: self.date(meta), owner: 0 })
    }

    fn date(&self, meta: &Metadata) -> Option<proto::NodeProperties> {
        self.how.mtimes.then(|| proto::NodeProperties {
            properties: Vec::new(),
            mtime: Some(proto::Timestamp {
                seconds: meta.mtime(),
                nanos: i32::try_from(meta.mtime_nsec()).unwrap_or_default(),
            }),
            unix_mode: None,
        })
    }
}

/// Removes a fifo, socket or device of an upper layer; a whiteout takes its place if it hides something.
fn take_out(path: &Path, hides: bool) -> io::Result<()> {
    std::fs::remove_file(path)?;
    if hides {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), 0)?;
    }
    Ok(())
}

/// Marks a directory of an upper layer: what lies below it is not seen.
pub fn make_opaque(path: &Path) -> Result<()> {
    rustix::fs::lsetxattr(path, OPAQUE, b"y", rustix::fs::XattrFlags::empty())
        .map_err(|error| Error::io("cannot set an attribute of", path, error))
}

/// Removes what no tree can hold, because its name or target is no UTF-8; what was removed.
pub fn drop_unnameable(path: &Path) -> Result<Vec<String>> {
    let failed = |error| Error::io("cannot read", path, error);
    let mut dropped = Vec::new();
    for entry in read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let inner = entry.path();
        let kind = entry.file_type().map_err(failed)?;
        let target = if kind.is_symlink() { std::fs::read_link(&inner).ok() } else { None };
        if entry.file_name().to_str().is_none() || target.is_some_and(|target| target.to_str().is_none()) {
            let removed = if kind.is_dir() { disk::remove(&inner) } else { fs::remove_if_there(&inner).map(drop) };
            removed?;
            dropped.push(inner.as_os_str().as_bytes().escape_ascii().to_string());
        } else if kind.is_dir() {
            dropped.extend(drop_unnameable(&inner)?);
        }
    }
    Ok(dropped)
}

fn text(name: std::ffi::OsString, path: &Path) -> Result<String> {
    name.into_string().map_err(|name| {
        Error::malformed(format!(
            "{} holds the name \"{}\", which is no UTF-8",
            path.display(),
            name.as_bytes().escape_ascii()
        ))
    })
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
    rustix::fs::lgetxattr(path, OPAQUE, &mut value).is_ok_and(|length| length == 1) && value == *b"y"
}
