//! What the environment says: where the store is.

use crate::values::{Error, Result};
use std::path::PathBuf;

/// The store: `$BST_STORE`, else `cachedir` of the user's buildstream.conf, else the place where BuildStream
/// keeps its cache.
pub fn store_root() -> Result<PathBuf> {
    if let Some(path) = variable("BST_STORE") {
        return Ok(path);
    }
    Ok(home_dir("XDG_CACHE_HOME", ".cache")?.join("buildstream"))
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
