//! Paths that a project's files name: they stay inside the project (spec: keys 2.3).

use super::node::Scalar;
use crate::values::{Error, Result};
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

/// What a path must lead to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// A file, a directory, or a device that is no block device.
    Any,
    File,
    Directory,
}

/// Checks the path that `text` names below the project's directory, and gives where it is. The text itself is
/// what enters keys, never what this returns.
pub fn inside(directory: &Path, text: &Scalar, want: Want) -> Result<PathBuf> {
    let path = Path::new(&*text.text);
    let full = directory.join(path);
    let refuse = |reason: &str, found: &str| {
        let message = format!("the path \"{}\" {found}; name one inside the project", text.text.escape_default());
        Error::load(reason, message).at(text.mark.place())
    };
    if text.text.contains('\0') {
        return Err(refuse("proj-path-invalid", "holds a NUL byte"));
    }
    if full.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink()) {
        return Err(refuse("proj-path-invalid-kind", "is a symbolic link"));
    }
    if path.components().next() == Some(Component::ParentDir) {
        return Err(refuse("proj-path-invalid", "starts with \"..\""));
    }
    let resolved = full.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::NotFound => refuse("missing-file", "leads to nothing"),
        _ => Error::io("cannot read", &full, error).at(text.mark.place()),
    })?;
    let top = directory.canonicalize().map_err(|error| Error::io("cannot read", directory, error))?;
    if !resolved.starts_with(&top) {
        return Err(refuse("proj-path-invalid", "leads out of the project"));
    }
    if path.is_absolute() {
        return Err(refuse("proj-path-invalid", "is absolute"));
    }
    let found = resolved.metadata().map_err(|error| Error::io("cannot read", &resolved, error))?.file_type();
    if found.is_socket() || found.is_fifo() || found.is_block_device() {
        return Err(refuse("proj-path-invalid-kind", "is a socket, a pipe or a device"));
    }
    if want == Want::File && !found.is_file() {
        return Err(refuse("proj-path-invalid-kind", "is not a regular file"));
    }
    if want == Want::Directory && !found.is_dir() {
        return Err(refuse("proj-path-invalid-kind", "is not a directory"));
    }
    Ok(full)
}
