//! Many blobs on their way into the store.
//!
//! Each is hashed while it is written to a temporary file, or before anything is written where it fits into
//! memory, because most blobs are there already. [`Batch::finish`] syncs all of them with one system call,
//! and only then gives them their names: a power cut leaves no name without its bytes.

use super::cas::Cas;
use super::fs;
use crate::values::{Digest, Error, Result, digest::Hasher};
use rustix::fs::{Mode, OFlags};
use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The mode of every blob.
pub(super) const BLOB: Mode = Mode::RUSR.union(Mode::RGRP).union(Mode::ROTH);
/// What is read at once, and what is hashed before the decision to write.
pub(super) const PIECE: usize = 1 << 18;
/// Up to this many files are synced one by one: the other way waits for everything in the file system.
const FEW: usize = 12;
/// A batch that has this much is published in between.
const MANY: usize = 50_000;
const MUCH: u64 = 2 << 30;

/// Blobs that become visible together. Threads share it.
#[derive(Debug)]
pub struct Batch {
    cas: Cas,
    /// Removed with all that is left in it when the batch goes.
    _incoming: tempfile::TempDir,
    incoming_fd: OwnedFd,
    next: AtomicU64,
    /// Whether the umask takes bits from the mode that a blob should have.
    masked: OnceLock<bool>,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    /// In the order in which they came: children before parents.
    named: Vec<(Digest, u64)>,
    known: HashSet<Digest>,
    bytes: u64,
}

impl Batch {
    pub(super) fn new(cas: Cas) -> Result<Batch> {
        let place = cas.incoming();
        fs::create_dir_all(&place)?;
        fs::create_dir_all(&cas.objects())?;
        let incoming = tempfile::Builder::new()
            .prefix("plumbing-")
            .tempdir_in(&place)
            .map_err(|error| Error::io("cannot make a directory in", &place, error))?;
        let incoming_fd = fs::open_dir(incoming.path())?;
        Ok(Batch {
            cas,
            _incoming: incoming,
            incoming_fd,
            next: AtomicU64::new(0),
            masked: OnceLock::new(),
            pending: Mutex::default(),
        })
    }

    /// The blobs that the batch adds to.
    pub fn cas(&self) -> &Cas {
        &self.cas
    }

    /// Whether the blob is in the store, or will be.
    pub fn has(&self, digest: &Digest) -> bool {
        *digest == Digest::EMPTY || self.pending().known.contains(digest) || self.cas.has_and_touch(digest)
    }

    /// Stores bytes.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if !self.has(&digest) {
            let number = self.number();
            let mut file = self.create(number)?;
            file.write_all(bytes).map_err(|error| self.failed(error))?;
            self.add(digest, number)?;
        }
        Ok(digest)
    }

    /// Stores what a reader gives.
    pub fn put_reader(&self, reader: impl Read) -> Result<Digest> {
        self.put_reader_with(reader, &mut Vec::new())
    }

    /// The same, with a buffer that the caller keeps for the next one.
    pub fn put_reader_with(&self, mut reader: impl Read, buffer: &mut Vec<u8>) -> Result<Digest> {
        buffer.resize(PIECE, 0);
        let length = fill(&mut reader, buffer).map_err(cannot_read)?;
        if length < buffer.len() {
            return self.put(&buffer[..length]);
        }
        let number = self.number();
        let (digest, _) = self.copy(buffer, reader, number, u64::MAX)?;
        self.settle(digest, number)?;
        Ok(digest)
    }

    /// Stores a blob that somebody sent: refuses bytes that are not those of the digest.
    pub fn put_known(&self, digest: &Digest, reader: impl Read) -> Result<()> {
        if self.has(digest) {
            return Ok(());
        }
        let number = self.number();
        let (found, longer) = self.copy(&[], reader, number, digest.size())?;
        if found != *digest || longer {
            self.discard(number);
            let size = if longer { format!("more than {} bytes", digest.size()) } else { found.to_string() };
            return Err(Error::damaged(format!("expected the blob {digest}, got {size}; nothing was stored")));
        }
        self.settle(found, number)
    }

    /// Stores an open file by giving it its name in the store, with no copy. The file must be the batch's
    /// alone: nobody may hold it open for writing, and it has no other name (see [`super::import`]).
    pub(super) fn take(&self, digest: Digest, directory: &OwnedFd, path: &Path) -> rustix::io::Result<Result<()>> {
        let number = self.number();
        rustix::fs::renameat(directory, path, &self.incoming_fd, number.to_string())?;
        Ok(self.settle(digest, number))
    }

    /// Stores a file that was hashed and that nobody can change meanwhile.
    pub(super) fn put_frozen(&self, digest: Digest, file: &File) -> Result<()> {
        let number = self.number();
        let target = self.create(number)?;
        let mut from = 0;
        while from < digest.size() {
            let rest = usize::try_from(digest.size() - from).unwrap_or(usize::MAX);
            match rustix::fs::copy_file_range(file, Some(&mut from), &target, None, rest) {
                Ok(0) => {
                    self.discard(number);
                    return Err(Error::damaged(format!("a file lost bytes while it was stored as {digest}")));
                }
                Ok(_) => {}
                // Not between these file systems.
                Err(rustix::io::Errno::XDEV | rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => {
                    self.discard(number);
                    let mut again = file;
                    again.rewind().map_err(cannot_read)?;
                    return self.put_known(&digest, again);
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.settle(digest, number)
    }

    /// Publishes everything. After this the blobs are there, also after a power cut.
    pub fn finish(self) -> Result<()> {
        // Every tree may hold empty files, and other programs open them like any other blob.
        if !self.cas.path(&Digest::EMPTY).exists() {
            let number = self.number();
            self.create(number)?;
            self.pending().named.push((Digest::EMPTY, number));
        }
        self.publish()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn failed(&self, error: impl Into<std::io::Error>) -> Error {
        Error::io("cannot write to", &self.cas.incoming(), error)
    }

    fn create(&self, number: u64) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.incoming_fd, number.to_string(), flags, BLOB)
            .map_err(|error| self.failed(error))?;
        let masked = *self
            .masked
            .get_or_init(|| rustix::fs::fstat(&file).map_or(true, |stat| Mode::from_raw_mode(stat.st_mode) != BLOB));
        if masked {
            rustix::fs::fchmod(&file, BLOB).map_err(|error| self.failed(error))?;
        }
        Ok(File::from(file))
    }

    fn discard(&self, number: u64) {
        // The whole directory goes away with the batch.
        let _ = rustix::fs::unlinkat(&self.incoming_fd, number.to_string(), rustix::fs::AtFlags::empty());
    }

    /// Copies at most `most` bytes; says whether there were more.
    fn copy(&self, first: &[u8], mut reader: impl Read, number: u64, most: u64) -> Result<(Digest, bool)> {
        let mut file = self.create(number)?;
        let mut hasher = Hasher::default();
        hasher.update(first);
        file.write_all(first).map_err(|error| self.failed(error))?;
        let mut buffer = vec![0; PIECE];
        let mut total = first.len() as u64;
        loop {
            let length = fill(&mut reader, &mut buffer).map_err(cannot_read)?;
            total = total.saturating_add(length as u64);
            if length == 0 || total > most {
                return Ok((hasher.finish(), total > most));
            }
            hasher.update(&buffer[..length]);
            file.write_all(&buffer[..length]).map_err(|error| self.failed(error))?;
        }
    }

    /// Keeps a temporary file whose digest is known now, unless the store has the blob.
    fn settle(&self, digest: Digest, number: u64) -> Result<()> {
        if self.has(&digest) {
            self.discard(number);
            return Ok(());
        }
        self.add(digest, number)
    }

    fn add(&self, digest: Digest, number: u64) -> Result<()> {
        let mut pending = self.pending();
        if !pending.known.insert(digest) {
            drop(pending);
            self.discard(number);
            return Ok(());
        }
        pending.named.push((digest, number));
        pending.bytes += digest.size();
        let full = pending.named.len() >= MANY || pending.bytes >= MUCH;
        drop(pending);
        if full { self.publish() } else { Ok(()) }
    }

    fn publish(&self) -> Result<()> {
        // Held all the while: a blob is known as long as it has no name yet.
        let mut pending = self.pending();
        if pending.named.is_empty() {
            return Ok(());
        }
        self.sync_files(&pending.named)?;
        let objects = fs::open_dir(&self.cas.objects())?;
        let mut directories = BTreeSet::new();
        for (digest, number) in &pending.named {
            self.name(&objects, digest, *number)?;
            directories.insert(digest.hash()[0]);
        }
        self.sync_directories(&objects, &directories)?;
        *pending = Pending::default();
        Ok(())
    }

    fn sync_files(&self, named: &[(Digest, u64)]) -> Result<()> {
        if named.len() > FEW {
            return rustix::fs::syncfs(&self.incoming_fd).map_err(|error| self.failed(error));
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let open = |(_, number): &(Digest, u64)| {
            rustix::fs::openat(&self.incoming_fd, number.to_string(), flags, Mode::empty()).map(File::from)
        };
        let files = named.iter().map(open).collect::<rustix::io::Result<Vec<File>>>();
        files.and_then(|files| fs::sync_files(&files.iter().collect::<Vec<_>>())).map_err(|error| self.failed(error))
    }

    fn name(&self, objects: &OwnedFd, digest: &Digest, number: u64) -> Result<()> {
        let hex = digest.hex();
        let (directory, _) = hex.split_at(2);
        let target = format!("{directory}/{}", &hex[2..]);
        let rename = || rustix::fs::renameat(&self.incoming_fd, number.to_string(), objects, &target);
        let renamed = match rename() {
            Err(rustix::io::Errno::NOENT) => {
                match rustix::fs::mkdirat(objects, directory, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(rustix::io::Errno::EXIST) => rename(),
                    Err(error) => Err(error),
                }
            }
            other => other,
        };
        renamed.map_err(|error| Error::io("cannot write", &self.cas.path(digest), error))
    }

    fn sync_directories(&self, objects: &OwnedFd, directories: &BTreeSet<u8>) -> Result<()> {
        if directories.len() > FEW {
            return rustix::fs::syncfs(objects).map_err(|error| self.failed(error));
        }
        for directory in directories {
            fs::sync_dir(&self.cas.objects().join(format!("{directory:02x}")))?;
        }
        fs::sync_dir(&self.cas.objects())
    }
}

/// Reads until the buffer is full or nothing more comes.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn cannot_read(error: std::io::Error) -> Error {
    Error::io("cannot read", Path::new("what is to be stored"), error)
}
