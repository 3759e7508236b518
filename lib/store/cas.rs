//! The blobs: `cas/objects/HH/REST`, each under the SHA-256 of its bytes, mode 0444.

use super::batch::Batch;
use super::{fs, parallel};
use crate::values::{Digest, Error, Result, digest::Hasher, hex};
use rustix::fs::{AtFlags, CWD, StatxFlags};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// A blob that is found again is marked as used (its time of modification, by which the store expires) unless
/// that was done within this many seconds. What programs hold a lease for is safe for longer than this
/// before the lease began; see [`super::lease`].
pub const TOUCH_AFTER: u64 = 300;

/// The blobs of a store.
#[derive(Clone, Debug)]
pub struct Cas {
    root: PathBuf,
}

impl Cas {
    pub(super) fn new(root: &Path) -> Cas {
        Cas { root: root.to_owned() }
    }

    /// The directory that holds the directories `HH`.
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// Where temporary files are made: on the same file system as the objects.
    pub fn incoming(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Where a blob lies, whether it is there or not.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = hex::encode(digest.hash());
        let hex = std::str::from_utf8(&hex).unwrap_or_default();
        let root = self.root.as_os_str();
        let mut path = PathBuf::with_capacity(root.len() + 80);
        path.push(root);
        path.push("objects");
        path.push(&hex[..2]);
        path.push(&hex[2..]);
        path
    }

    /// Whether a blob is there with the size that its digest says. The empty blob always is.
    pub fn has(&self, digest: &Digest) -> bool {
        *digest == Digest::EMPTY || self.touched(digest).is_some()
    }

    /// Whether a blob is there, and if so it counts as used now: before something new refers to it.
    pub fn has_and_touch(&self, digest: &Digest) -> bool {
        if *digest == Digest::EMPTY {
            return true;
        }
        let Some(touched) = self.touched(digest) else { return false };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if now.saturating_sub(touched) > TOUCH_AFTER {
            // Of another user's store it cannot be set; then it is their affair what expires.
            let _ = fs::set_mtime(CWD, &self.path(digest), i64::try_from(now).unwrap_or(i64::MAX));
        }
        true
    }

    /// When a blob that is there was used last, in seconds since 1970.
    fn touched(&self, digest: &Digest) -> Option<u64> {
        let wanted = StatxFlags::SIZE | StatxFlags::MTIME | StatxFlags::TYPE;
        let stat = rustix::fs::statx(CWD, self.path(digest), AtFlags::STATX_DONT_SYNC, wanted).ok()?;
        let is_file = rustix::fs::FileType::from_raw_mode(stat.stx_mode.into()).is_file();
        (is_file && stat.stx_size == digest.size()).then(|| u64::try_from(stat.stx_mtime.tv_sec).unwrap_or(0))
    }

    /// Which of these blobs are not there, in the order given, on all cores.
    pub fn missing(&self, digests: &[Digest]) -> Vec<Digest> {
        let missing = Mutex::new(Vec::new());
        let outcome = parallel::for_each(digests.len(), |index| {
            if !self.has(&digests[index]) {
                missing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(index);
            }
            Ok(())
        });
        debug_assert!(outcome.is_ok(), "looking cannot fail");
        let mut missing = missing.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        missing.sort_unstable();
        missing.into_iter().map(|index| digests[index]).collect()
    }

    /// Opens a blob. The reader verifies nothing; see [`Cas::read`].
    pub fn open(&self, digest: &Digest) -> Result<File> {
        if *digest == Digest::EMPTY {
            let null = Path::new("/dev/null");
            return File::open(null).map_err(|error| Error::io("cannot open", null, error));
        }
        let path = self.path(digest);
        File::open(&path).map_err(|error| {
            if fs::is_absent(&error) {
                Error::not_found(format!("the store has no blob {digest}"))
            } else {
                Error::io("cannot read", &path, error)
            }
        })
    }

    /// Reads a blob that fits into memory, and verifies it.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>> {
        if *digest == Digest::EMPTY {
            return Ok(Vec::new());
        }
        let path = self.path(digest);
        let mut bytes = Vec::with_capacity(usize::try_from(digest.size().min(1 << 20)).unwrap_or(0));
        let more = digest.size().saturating_add(1);
        self.open(digest)?
            .take(more)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::io("cannot read", &path, error))?;
        if Digest::of(&bytes) != *digest {
            return Err(Error::damaged(format!(
                "the blob {digest} does not hold the bytes of its digest; bst-fsck --repair puts it aside"
            )));
        }
        Ok(bytes)
    }

    /// Writes a blob to `out`, verified on the way: what is wrong with it is known only at its end.
    pub fn copy_to(&self, digest: &Digest, out: &mut impl Write) -> Result<()> {
        self.copy_verified(digest, out, true, &mut Vec::new())
    }

    pub(super) fn copy_verified(
        &self,
        digest: &Digest,
        out: &mut impl Write,
        verify: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        let mut object = self.open(digest)?;
        buffer.resize(super::batch::PIECE, 0);
        let mut hasher = verify.then(Hasher::default);
        let mut total = 0;
        loop {
            let length = object.read(buffer).map_err(|error| Error::io("cannot read", &self.path(digest), error))?;
            total += length as u64;
            if length == 0 || total > digest.size() {
                break;
            }
            if let Some(hasher) = &mut hasher {
                hasher.update(&buffer[..length]);
            }
            out.write_all(&buffer[..length])
                .map_err(|error| Error::io("cannot write", Path::new("what the store has"), error))?;
        }
        if total != digest.size() || hasher.is_some_and(|hasher| hasher.finish() != *digest) {
            return Err(Error::damaged(format!(
                "the blob {digest} does not hold the bytes of its digest; bst-fsck --repair puts it aside"
            )));
        }
        Ok(())
    }

    /// Starts to store many blobs that become visible together: far fewer syncs than one each.
    pub fn batch(&self) -> Result<Batch> {
        Batch::new(self.clone())
    }

    /// Stores bytes, unless they are there already.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if !self.has_and_touch(&digest) {
            fs::write_atomic(&self.path(&digest), bytes, 0o444)?;
        }
        Ok(digest)
    }

    /// Stores what a reader gives, hashed while it is copied.
    pub fn put_reader(&self, reader: impl Read) -> Result<Digest> {
        let batch = self.batch()?;
        let digest = batch.put_reader(reader)?;
        batch.finish()?;
        Ok(digest)
    }

    /// Stores a file, hashed while it is copied.
    pub fn put_file(&self, path: &Path) -> Result<Digest> {
        self.put_reader(File::open(path).map_err(|error| Error::io("cannot read", path, error))?)
    }

    /// Stores a blob that somebody sent: refuses bytes that are not those of the digest.
    pub fn put_known(&self, digest: &Digest, reader: impl Read) -> Result<()> {
        let batch = self.batch()?;
        batch.put_known(digest, reader)?;
        batch.finish()
    }
}
