//! Programs of the suite that lie beside the one that runs.

use crate::values::{Error, Result};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// Where a program of the suite lies: beside this one.
pub fn path(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe();
    let own = own.map_err(|error| Error::io("cannot find", std::path::Path::new("/proc/self/exe"), error))?;
    Ok(own.with_file_name(name))
}

/// Becomes another program of the suite, with these arguments. It returns only if that does not work.
pub fn become_program(name: &str, arguments: impl Iterator<Item = OsString>) -> Error {
    let path = match path(name) {
        Ok(path) => path,
        Err(error) => return error,
    };
    let error = Command::new(&path).args(arguments).exec();
    Error::io("cannot run", &path, error)
}
