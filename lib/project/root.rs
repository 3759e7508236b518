//! The directory of a project, and its files: nothing outside of it is read, whatever names and links say.

use super::mark::File;
use super::node::Mapping;
use super::yaml;
use crate::values::{Error, Result};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// A directory that is open.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    directory: OwnedFd,
}

impl Root {
    /// Opens a directory.
    pub fn open(path: &Path) -> Result<Root> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, path, flags, Mode::empty());
        match directory {
            Ok(directory) => Ok(Root { path: path.to_owned(), directory }),
            Err(error) => Err(yaml::cannot_read(path, error.into())),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file in it, shown as `display` in errors.
    pub fn load(&self, relative: &Path, display: &str) -> Result<Mapping> {
        let path = self.path.join(relative);
        let bytes = match normal(relative) {
            Some(inside) => self.read(&inside).map_err(|error| match error.kind() {
                io::ErrorKind::CrossesDevices => outside(&path),
                _ => yaml::cannot_read(&path, error),
            })?,
            None => return Err(outside(&path)),
        };
        yaml::parse(&yaml::decode(bytes, display)?, File::new(&path, display))
    }

    fn read(&self, relative: &Path) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat2(&self.directory, relative, flags, Mode::empty(), ResolveFlags::BENEATH);
        let mut file = match opened {
            Ok(file) => std::fs::File::from(file),
            // An absolute link may still lead to a place inside; an old kernel does not know the call.
            Err(rustix::io::Errno::XDEV | rustix::io::Errno::NOSYS) => {
                let path = self.path.join(relative).canonicalize()?;
                if !path.starts_with(self.path.canonicalize()?) {
                    return Err(io::ErrorKind::CrossesDevices.into());
                }
                std::fs::File::open(path)?
            }
            Err(error) => return Err(error.into()),
        };
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1));
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn outside(path: &Path) -> Error {
    let message = format!("{} lies outside of the project; name a file inside", path.display());
    Error::load("proj-path-invalid", message)
}

/// A path without `.` and `..`; none if it leaves where it starts.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::CurDir => {}
            Component::ParentDir if normal.pop() => {}
            _ => return None,
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_lies_outside_is_not_read() {
        let place = tempfile::tempdir().expect("a directory");
        let at = |name: &str| place.path().join(name);
        std::fs::create_dir_all(at("p/sub")).expect("directories");
        std::fs::write(at("p/a.yml"), "x: inside").expect("a file");
        std::fs::write(at("b.yml"), "x: outside").expect("a file");
        symlink("../b.yml", at("p/out.yml")).expect("a link");
        symlink(at("p/a.yml"), at("p/in.yml")).expect("a link");
        symlink("a.yml", at("p/near.yml")).expect("a link");
        let root = Root::open(&at("p")).expect("a directory");
        let load = |name: &str| root.load(Path::new(name), name);
        for good in ["a.yml", "./a.yml", "sub/../a.yml", "in.yml", "near.yml"] {
            assert!(load(good).is_ok(), "{good}");
        }
        for bad in ["../b.yml", "sub/../../b.yml", "out.yml", "/etc/passwd"] {
            assert_eq!(load(bad).expect_err(bad).reason(), Some("proj-path-invalid"), "{bad}");
        }
        assert_eq!(load("none.yml").expect_err("nothing").reason(), Some("missing-file"));
        assert_eq!(load("sub").expect_err("a directory").reason(), Some("loading-directory"));
    }
}
