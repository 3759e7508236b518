//! What the environment says: where the store is, and where programs are.

use crate::values::{Error, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The store: `$BST_STORE`, else `cachedir` of the user's buildstream.conf, else the place where BuildStream
/// keeps its cache.
pub fn store_root() -> Result<PathBuf> {
    if let Some(path) = variable("BST_STORE") {
        return Ok(path);
    }
    Ok(home_dir("XDG_CACHE_HOME", ".cache")?.join("buildstream"))
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

/// The file of a program: what has a slash is a path, anything else is on the search path.
pub fn find_program(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let name = name.as_ref();
    let path = Path::new(name);
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(path.to_owned()).filter(|path| is_program(path));
    }
    let search = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&search).map(|directory| directory.join(path)).find(|path| is_program(path))
}

/// Whether a path is a file that may be executed.
pub fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
