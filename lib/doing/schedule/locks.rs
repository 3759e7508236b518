//! One build of a key at a time, across all schedulers on a store.
//!
//! All locks are byte ranges of one file, each at an offset made of the key. They belong to the open file,
//! so they end with this process, however it ends, and no file is left behind for each key.

use crate::store::Store;
use crate::values::{Error, Key, Result};
use std::fs::File;
use std::os::fd::AsRawFd;

/// The locks that this process holds and asks for.
#[derive(Debug)]
pub struct Locks {
    file: File,
}

impl Locks {
    /// The locks of a store.
    pub fn of(store: &Store) -> Result<Locks> {
        let path = store.scratch("locks")?.join("builds");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        file.map(|file| Locks { file }).map_err(|error| Error::io("cannot open", &path, error))
    }

    /// Takes the lock of a key, unless somebody else has it.
    pub fn take(&self, key: Key) -> bool {
        self.set(libc::F_WRLCK, key)
    }

    /// Gives the lock of a key back.
    pub fn give(&self, key: Key) {
        self.set(libc::F_UNLCK, key);
    }

    /// True also where the file system has no locks: then nobody can be kept out.
    fn set(&self, kind: i32, key: Key) -> bool {
        let first = key.bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        // SAFETY: zero is a valid flock structure; the call reads it and changes nothing in memory.
        let done = unsafe {
            let mut lock: libc::flock = std::mem::zeroed();
            lock.l_type = kind as i16;
            lock.l_whence = libc::SEEK_SET as i16;
            lock.l_start = (first >> 2) as i64;
            lock.l_len = 1;
            libc::fcntl(self.file.as_raw_fd(), libc::F_OFD_SETLK, &lock)
        };
        let error = std::io::Error::last_os_error().raw_os_error();
        done == 0 || !matches!(error, Some(libc::EAGAIN | libc::EACCES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_gets_a_key() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let (first, second) = (Locks::of(&store).unwrap(), Locks::of(&store).unwrap());
        let (key, other) = (Key::new([200; 32]), Key::new([3; 32]));
        assert!(first.take(key));
        assert!(!second.take(key) && second.take(other));
        first.give(key);
        assert!(second.take(key));
        drop(second);
        assert!(first.take(key) && first.take(other));
    }
}
