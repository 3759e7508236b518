//! Files that are there whole or not at all.

use crate::values::{Error, Result};
use std::io::Write;
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
    let directory = path.parent().unwrap_or(Path::new("."));
    create_dir_all(directory)?;
    let failed = |error| Error::io("cannot write", path, error);
    let mut file = tempfile::Builder::new().prefix(".tmp-").tempfile_in(directory).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_dir(directory)
}

/// Makes a rename in a directory last through a power cut.
pub fn sync_dir(path: &Path) -> Result<()> {
    let directory = std::fs::File::open(path).map_err(|error| Error::io("cannot open", path, error))?;
    directory.sync_all().map_err(|error| Error::io("cannot sync", path, error))
}
