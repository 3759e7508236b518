//! Freeing space: what nothing refers to goes, and beyond a quota the artifacts that were used least
//! recently.
//!
//! Each blob belongs to the root (a ref, a failure kept without one, an entry of the source cache) that was
//! used last among those that reach it. Roots go in the order of their last use, each with the blobs that belong
//! to it: so no blob is dropped that something used more recently needs. Refs go before blobs, so that a crash
//! leaves no ref without its blobs.

mod leftovers;
mod mark;
mod staged;
mod sweep;

use super::objects::{self, Objects};
use super::reach::Reach;
use super::roots::{self, Kind, Root};
use super::{Store, lease, lock};
use crate::values::Result;
use mark::Marks;
use std::time::{Duration, SystemTime};

/// How space is freed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that the blobs may take.
    pub quota: Option<u64>,
    /// Bytes that are left where the quota was exceeded: the quota itself, or less so that it is not
    /// exceeded again at once.
    pub down_to: Option<u64>,
    /// Roots that were not used for so long go in any case.
    pub unused: Option<Duration>,
    /// What was used more recently than this stays: programs that hold no lease may work with it.
    pub grace: Duration,
    pub dry_run: bool,
}

/// Why something went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Blobs of it are missing, or it cannot be read.
    Dangling,
    /// It was not used for long enough.
    Unused,
    /// The quota was exceeded.
    Quota,
}

impl Why {
    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Why::Dangling => "dangling",
            Why::Unused => "unused",
            Why::Quota => "quota",
        }
    }
}

/// An artifact that went, or a source.
#[derive(Clone, PartialEq, Debug)]
pub struct Dropped {
    pub root: Kind,
    pub path: std::path::PathBuf,
    pub why: Why,
    /// Bytes that only it kept.
    pub bytes: u64,
}

/// What was freed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Freed {
    pub dropped: Vec<Dropped>,
    /// Blobs that went, and their bytes.
    pub blobs: u64,
    pub bytes: u64,
    /// Blobs that are left, and their bytes.
    pub blobs_left: u64,
    pub bytes_left: u64,
    /// Files that killed writers had left.
    pub leftovers: u64,
    /// Whether more is in use than the quota allows.
    pub over_quota: bool,
}

/// Frees space.
pub fn collect(store: &Store, options: &Options) -> Result<Freed> {
    // Only one at a time; the lock by which the others say what they use is taken for short moments.
    let _one = lock::Lock::exclusive(&store.locks().join("gc"))?;
    let objects = objects::list(&store.cas())?;
    let roots = in_order(store, roots::all(store)?, &objects);
    let in_use = {
        let _sweep = lock::Lock::exclusive(&lock::sweep_path(store))?;
        lease::in_use(store)?
    };
    let mut marks = Marks::new(store.cas(), &objects);
    for digest in &in_use.digests {
        marks.protect(digest);
    }
    let owned: Vec<u64> = roots.iter().enumerate().map(|(index, root)| marks.root(index, &root.root)).collect();
    let recent = recent(options.grace, in_use.since);
    let chosen = choose(&roots, &owned, &objects, &marks, recent, options);
    let plan = sweep::Plan { store, objects: &objects, marks: &marks, recent, dry_run: options.dry_run };
    let mut freed = plan.carry_out(&chosen)?;
    freed.leftovers = leftovers::remove(store, &objects, options.grace, options.dry_run)?;
    freed.leftovers += staged::remove(store, options.dry_run)?;
    freed.over_quota = options.quota.is_some_and(|quota| freed.bytes_left > quota);
    Ok(freed)
}

/// The second since which blobs count as in use.
fn recent(grace: Duration, leases: Option<u64>) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let grace = now.saturating_sub(grace).as_secs();
    i64::try_from(leases.map_or(grace, |since| since.min(grace))).unwrap_or(i64::MAX)
}

/// A root, and whether something is missing that it needs.
struct Candidate {
    root: Root,
    broken: bool,
}

impl Candidate {
    fn used(&self) -> i64 {
        let used = self.root.used.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(used).unwrap_or(i64::MAX)
    }
}

/// The whole ones first, so that nothing that they need belongs to one that goes because it is broken; in each
/// part those that were used last come first.
fn in_order(store: &Store, roots: Vec<Root>, objects: &Objects) -> Vec<Candidate> {
    let mut reach = Reach::new(store.cas(), objects, &[]);
    let mut candidates: Vec<Candidate> = (roots.into_iter())
        .map(|root| Candidate { broken: root.problem.is_some() || !reach.missing(&root.needed).is_empty(), root })
        .collect();
    candidates.sort_by_key(|candidate| (candidate.broken, std::cmp::Reverse(candidate.root.used)));
    candidates
}

/// A root that goes.
struct Chosen<'a> {
    index: usize,
    root: &'a Root,
    why: Why,
    bytes: u64,
}

/// Which roots go, and why; in the order in which they go.
fn choose<'a>(
    candidates: &'a [Candidate],
    owned: &[u64],
    objects: &Objects,
    marks: &Marks,
    recent: i64,
    options: &Options,
) -> Vec<Chosen<'a>> {
    let mut left = objects.bytes() - marks.unreferenced(recent);
    let mut chosen = Vec::new();
    // Those that go for the quota and keep nothing that no other keeps: they go only with a more recent one.
    let mut for_free = Vec::new();
    let limit = options.quota.filter(|quota| left > *quota).map(|quota| options.down_to.unwrap_or(quota).min(quota));
    for (index, Candidate { root, broken }) in candidates.iter().enumerate().rev() {
        if candidates[index].used() >= recent {
            continue;
        }
        let goes = |why| Chosen { index, root, why, bytes: owned[index] };
        let why = if *broken {
            // A metadata file that cannot be read is left for people to read.
            (!is_metadata(root)).then_some(Why::Dangling)
        } else if options.unused.is_some_and(|unused| root.used.elapsed().unwrap_or_default() >= unused) {
            Some(Why::Unused)
        } else if limit.is_some_and(|limit| left > limit) {
            Some(Why::Quota)
        } else {
            None
        };
        match why {
            Some(Why::Quota) if owned[index] == 0 => for_free.push(goes(Why::Quota)),
            Some(why) => {
                chosen.append(&mut for_free);
                left = left.saturating_sub(owned[index]);
                chosen.push(goes(why));
            }
            None => {}
        }
    }
    chosen
}

fn is_metadata(root: &Root) -> bool {
    root.path.extension().is_some_and(|extension| extension == "json")
}
