//! What the environment says: where the store is.

use crate::values::{Error, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The store: `$BST_STORE`, else `cachedir` of the user's buildstream.conf, else the place where BuildStream
/// keeps its cache.
pub fn store_root() -> Result<PathBuf> {
    if let Some(path) = variable("BST_STORE") {
        return Ok(path);
    }
    Ok(home_dir("XDG_CACHE_HOME", ".cache")?.join("buildstream"))
}

/// Where a program of the system is, by the search path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0))
}

/// The name of this machine.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What is made from now on has the modes that BuildStream's builds see, whatever the user's mask is.
pub fn set_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// A variable that is set and not empty, as a path.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn home_dir(name: &str, below_home: &str) -> Result<PathBuf> {
    variable(name).or_else(|| Some(variable("HOME")?.join(below_home))).ok_or_else(|| {
        Error::usage(format!("neither {name} nor HOME is set; set BST_STORE to the directory of the store"))
    })
}
