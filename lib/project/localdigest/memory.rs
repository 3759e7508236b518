//! What is remembered of files between runs: their SHA-256 by inode, size and times.
//!
//! One file of scratch, sorted, searched where it lies. It ends with its own hash, since it is not synced: a
//! torn one counts as none.

use crate::store::fs::read_if_there;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The first bytes of the file; another layout gets another number.
const MAGIC: &[u8; 8] = b"bstdig01";
const NAME: usize = 16;
const ENTRY: usize = NAME + 24 + 32;
/// More than this is thrown away: most of it is of trees that are gone.
const MOST: usize = 1 << 20;
/// How much older than its look-up a file must be. A file system counts time in ticks of some milliseconds,
/// so a younger file could be written again without a change of its times.
const TICK: Duration = Duration::from_millis(50);
/// The same where times are whole seconds.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// What tells one state of a file from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Device and inode.
    name: [u8; NAME],
    /// Size, time of the last change of the content and of the inode.
    state: [u8; 24],
    /// Whether a change after the look-up is sure to change the times.
    settled: bool,
}

impl Stamp {
    /// The stamp of a file that was looked up not before `now`.
    pub fn of(metadata: &std::fs::Metadata, now: SystemTime) -> Stamp {
        let mut name = [0; NAME];
        name[..8].copy_from_slice(&metadata.dev().to_be_bytes());
        name[8..].copy_from_slice(&metadata.ino().to_be_bytes());
        let nanoseconds = |seconds: i64, rest: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(rest);
        let content = nanoseconds(metadata.mtime(), metadata.mtime_nsec());
        let inode = nanoseconds(metadata.ctime(), metadata.ctime_nsec());
        let mut state = [0; 24];
        state[..8].copy_from_slice(&metadata.size().to_be_bytes());
        state[8..16].copy_from_slice(&content.to_be_bytes());
        state[16..].copy_from_slice(&inode.to_be_bytes());
        let tick = if metadata.ctime_nsec() == 0 { COARSE_TICK } else { TICK };
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_sub(tick).as_nanos();
        let settled = i128::from(content.max(inode)) < now as i128;
        Stamp { name, state, settled }
    }
}

/// Name, state and hash of a file.
type Learned = ([u8; NAME], [u8; 24], [u8; 32]);

/// The memory of a store.
#[derive(Debug, Default)]
pub struct Memory {
    path: Option<PathBuf>,
    /// Entries in order of their names, as they lie in the file.
    known: Vec<u8>,
    learned: Mutex<Vec<Learned>>,
}

impl Memory {
    /// The memory in a file that need not be there.
    pub fn open(path: PathBuf) -> Memory {
        let known = read_if_there(&path).ok().flatten().and_then(verified).unwrap_or_default();
        Memory { path: Some(path), known, learned: Mutex::default() }
    }

    /// The hash of a file, if it is known in this state.
    pub fn get(&self, stamp: &Stamp) -> Option<[u8; 32]> {
        let (mut from, mut to) = (0, self.known.len() / ENTRY);
        while from < to {
            let middle = from + (to - from) / 2;
            let entry = &self.known[middle * ENTRY..(middle + 1) * ENTRY];
            match entry[..NAME].cmp(&stamp.name) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
                std::cmp::Ordering::Equal if entry[NAME..NAME + 24] != stamp.state => return None,
                std::cmp::Ordering::Equal => return entry[NAME + 24..].try_into().ok(),
            }
        }
        None
    }

    /// Remembers the hash of a file that had this state before it was read and after.
    pub fn set(&self, stamp: &Stamp, hash: [u8; 32]) {
        if stamp.settled && self.path.is_some() {
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            learned.push((stamp.name, stamp.state, hash));
        }
    }

    /// Writes what was learned. That it cannot be written costs time and nothing else, so nobody is told.
    pub fn save(&self) {
        let mut learned = std::mem::take(&mut *self.learned.lock().unwrap_or_else(PoisonError::into_inner));
        if let (Some(path), false) = (&self.path, learned.is_empty()) {
            // The last of a name is the newest.
            learned.reverse();
            learned.sort_by_key(|(name, ..)| *name);
            learned.dedup_by_key(|(name, ..)| *name);
            _ = write(path, &merge(&self.known, &learned));
        }
    }
}

/// The entries of the file's bytes, if they are what was written.
fn verified(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let entries = bytes.len().checked_sub(MAGIC.len() + 32)?;
    let (content, hash) = bytes.split_at(MAGIC.len() + entries);
    if !content.starts_with(MAGIC) || entries % ENTRY != 0 || Sha256::digest(content)[..] != *hash {
        return None;
    }
    bytes.truncate(MAGIC.len() + entries);
    bytes.drain(..MAGIC.len());
    Some(bytes)
}

fn merge(known: &[u8], learned: &[Learned]) -> Vec<u8> {
    let known = if known.len() / ENTRY < MOST { known } else { &[] };
    let mut merged = MAGIC.to_vec();
    let mut old = known.chunks_exact(ENTRY).peekable();
    for (name, state, hash) in learned {
        while let Some(entry) = old.next_if(|entry| entry[..NAME] < name[..]) {
            merged.extend_from_slice(entry);
        }
        old.next_if(|entry| entry[..NAME] == name[..]);
        merged.extend_from_slice(name);
        merged.extend_from_slice(state);
        merged.extend_from_slice(hash);
    }
    old.for_each(|entry| merged.extend_from_slice(entry));
    let hash = Sha256::digest(&merged);
    merged.extend_from_slice(&hash);
    merged
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new().prefix(".tmp-").tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(path: &Path, now: SystemTime) -> Stamp {
        Stamp::of(&path.metadata().expect("metadata"), now)
    }

    #[test]
    fn what_is_settled_is_remembered_and_a_change_forgets_it() {
        let place = tempfile::tempdir().expect("a directory");
        let (file, store) = (place.path().join("f"), place.path().join("digests"));
        std::fs::write(&file, "x").expect("a file");
        let later = SystemTime::now() + Duration::from_secs(10);
        let memory = Memory::open(store.clone());
        memory.set(&stamp(&file, later), [1; 32]);
        memory.save();
        let memory = Memory::open(store.clone());
        assert_eq!(memory.get(&stamp(&file, later)), Some([1; 32]));
        std::fs::write(&file, "yy").expect("a file");
        assert_eq!(memory.get(&stamp(&file, later)), None);
        memory.set(&stamp(&file, later), [2; 32]);
        memory.save();
        assert_eq!(Memory::open(store).get(&stamp(&file, later)), Some([2; 32]));
    }

    #[test]
    fn a_file_of_this_tick_is_not_remembered() {
        let place = tempfile::tempdir().expect("a directory");
        let (file, store) = (place.path().join("f"), place.path().join("digests"));
        std::fs::write(&file, "x").expect("a file");
        let memory = Memory::open(store.clone());
        memory.set(&stamp(&file, SystemTime::now()), [1; 32]);
        memory.save();
        assert!(!store.exists());
    }

    #[test]
    fn a_torn_memory_counts_as_none() {
        let place = tempfile::tempdir().expect("a directory");
        let (file, store) = (place.path().join("f"), place.path().join("digests"));
        std::fs::write(&file, "x").expect("a file");
        let later = stamp(&file, SystemTime::now() + Duration::from_secs(10));
        let memory = Memory::open(store.clone());
        memory.set(&later, [1; 32]);
        memory.save();
        let whole = std::fs::read(&store).expect("bytes");
        for length in 0..whole.len() {
            std::fs::write(&store, &whole[..length]).expect("a file");
            assert_eq!(Memory::open(store.clone()).get(&later), None, "{length}");
        }
        let mut flipped = whole.clone();
        flipped[MAGIC.len() + NAME + 30] ^= 1;
        std::fs::write(&store, flipped).expect("a file");
        assert_eq!(Memory::open(store).get(&later), None);
    }

    #[test]
    fn many_names_are_merged_in_order() {
        let entry = |n: u8, hash: u8| ([n; NAME], [0; 24], [hash; 32]);
        let first = verified(merge(&[], &[entry(1, 1), entry(5, 1)])).expect("entries");
        let both = verified(merge(&first, &[entry(0, 2), entry(5, 2), entry(9, 2)])).expect("entries");
        let memory = Memory { known: both, ..Memory::default() };
        let get = |n: u8| memory.get(&Stamp { name: [n; NAME], state: [0; 24], settled: true });
        assert_eq!([0, 1, 5, 9, 7].map(get), [Some([2; 32]), Some([1; 32]), Some([2; 32]), Some([2; 32]), None]);
    }
}
