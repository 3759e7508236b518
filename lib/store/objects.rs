//! All blobs of a store as the file system has them.

use super::{cas::Cas, fs, parallel};
use crate::values::{Error, Result};
use rustix::fs::{AtFlags, Mode, OFlags, RawDir, StatxFlags};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A file among the objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Object {
    pub hash: [u8; 32],
    pub size: u64,
    /// When it was used last, in seconds since 1970.
    pub used: i64,
}

/// Everything below `cas/objects`.
#[derive(Debug, Default)]
pub struct Objects {
    /// By hash.
    pub all: Vec<Object>,
    /// What cannot be an object: other names, other kinds of files, temporary files of killed writers.
    pub strange: Vec<PathBuf>,
}

/// Lists all objects, on all cores.
pub fn list(cas: &Cas) -> Result<Objects> {
    let found = Mutex::new(Objects::default());
    let root = cas.objects();
    parallel::for_each(256, |index| {
        let place = root.join(format!("{index:02x}"));
        let some = directory(&place, u8::try_from(index).unwrap_or(0))?;
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.all.extend(some.all);
        found.strange.extend(some.strange);
        Ok(())
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for entry in std::fs::read_dir(&root).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_known = name.to_str().is_some_and(|name| name.len() == 2 && u8::from_str_radix(name, 16).is_ok());
        if !is_known {
            found.strange.push(entry.path());
        }
    }
    found.all.sort_unstable_by_key(|object| object.hash);
    Ok(found)
}

fn directory(place: &std::path::Path, first: u8) -> Result<Objects> {
    let failed = |error: rustix::io::Errno| Error::io("cannot list", place, error);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = match rustix::fs::open(place, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::NOENT) => return Ok(Objects::default()),
        Err(error) => return Err(failed(error)),
    };
    let mut objects = Objects::default();
    let mut buffer = Vec::with_capacity(1 << 15);
    let mut entries = RawDir::new(&fd, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let wanted = StatxFlags::SIZE | StatxFlags::MTIME | StatxFlags::TYPE;
        let stat = match rustix::fs::statx(&fd, name, AtFlags::SYMLINK_NOFOLLOW, wanted) {
            Ok(stat) => stat,
            // It went away meanwhile.
            Err(rustix::io::Errno::NOENT) => continue,
            Err(error) => return Err(failed(error)),
        };
        let is_file = rustix::fs::FileType::from_raw_mode(stat.stx_mode.into()).is_file();
        match hash(first, name.to_bytes()).filter(|_| is_file) {
            Some(hash) => objects.all.push(Object { hash, size: stat.stx_size, used: stat.stx_mtime.tv_sec }),
            None => {
                let name = std::os::unix::ffi::OsStrExt::from_bytes(name.to_bytes());
                objects.strange.push(place.join::<&std::ffi::OsStr>(name));
            }
        }
    }
    Ok(objects)
}

fn hash(first: u8, rest: &[u8]) -> Option<[u8; 32]> {
    let mut text = format!("{first:02x}").into_bytes();
    text.extend_from_slice(rest);
    crate::values::hex::decode(&text)
}

impl Objects {
    /// The place of an object in `all`, if there is one with this hash and size.
    pub fn find(&self, digest: &crate::values::Digest) -> Option<usize> {
        let index = self.all.binary_search_by_key(digest.hash(), |object| object.hash).ok()?;
        (self.all[index].size == digest.size()).then_some(index)
    }

    /// Bytes in all objects.
    pub fn bytes(&self) -> u64 {
        self.all.iter().map(|object| object.size).sum()
    }
}

/// Whether a strange file is what a killed writer left.
pub fn is_leftover(path: &std::path::Path) -> bool {
    path.file_name().is_some_and(fs::is_temporary)
}
