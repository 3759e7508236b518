//! Dropping what was chosen: refs first, then blobs, a few at a time so that nobody waits for long.

use super::mark::Marks;
use super::{Chosen, Dropped, Freed, Why};
use crate::store::lock::{Lock, element_path, sweep_path};
use crate::store::objects::{Object, Objects};
use crate::store::roots::{Kind, Root};
use crate::store::{Store, completeness::Completeness, fs, lease, tree::Tree};
use crate::values::{Digest, Error, Result};
use std::collections::HashSet;

/// Blobs that go while others wait.
const AT_ONCE: usize = 1000;

pub struct Plan<'a> {
    pub store: &'a Store,
    pub objects: &'a Objects,
    pub marks: &'a Marks<'a>,
    /// Blobs that were used since this second stay.
    pub recent: i64,
    pub dry_run: bool,
}

impl Plan<'_> {
    pub(super) fn carry_out(&self, chosen: &[Chosen]) -> Result<Freed> {
        let mut freed = Freed::default();
        let mut gone = HashSet::new();
        let mut spared = HashSet::new();
        for Chosen { index, root, why, bytes } in chosen {
            if self.drop_root(root, *why)? {
                gone.insert(*index);
                let dropped = Dropped { root: root.kind.clone(), path: root.path.clone(), why: *why, bytes: *bytes };
                freed.dropped.push(dropped);
            } else {
                // It was used meanwhile: what it needs may belong to another that goes.
                spared.extend(root.needed.blobs.iter().copied().chain(self.with_all_below(&root.needed.trees)?));
            }
        }
        if !gone.is_empty() && !self.dry_run {
            // No power cut brings a ref back whose blobs are gone.
            let root = self.store.root();
            let synced = rustix::fs::syncfs(fs::open_dir(root)?);
            synced.map_err(|error| Error::io("cannot sync", root, error))?;
        }
        let may_go: Vec<&Object> = (self.objects.all.iter().enumerate())
            .filter(|(index, object)| {
                object.used < self.recent
                    && self.marks.owner(*index).is_none_or(|owner| gone.contains(&owner))
                    && !spared.contains(&Digest::new(object.hash, object.size))
            })
            .map(|(_, object)| object)
            .collect();
        (freed.blobs_left, freed.bytes_left) = (self.objects.all.len() as u64, self.objects.bytes());
        for some in may_go.chunks(AT_ONCE) {
            self.drop_objects(some, &mut freed)?;
        }
        Ok(freed)
    }

    /// Drops a root, unless it was used or changed since it was looked at.
    fn drop_root(&self, root: &Root, why: Why) -> Result<bool> {
        if why == Why::Dangling && root.problem.is_none() && self.is_whole(root) {
            return Ok(false);
        }
        let name = match &root.kind {
            Kind::Ref(name) | Kind::Kept(name) => Some(name),
            Kind::Source => None,
        };
        let _lock = name.map(|name| Lock::exclusive(&element_path(self.store, name))).transpose()?;
        match std::fs::metadata(&root.path).and_then(|meta| meta.modified()) {
            Ok(used) if used > root.used => return Ok(false),
            Ok(_) => {}
            Err(error) if fs::is_absent(&error) => return Ok(false),
            Err(error) => return Err(Error::io("cannot read", &root.path, error)),
        }
        if self.dry_run {
            return Ok(true);
        }
        match &root.kind {
            Kind::Ref(name) => self.store.artifacts().remove(name),
            _ => fs::remove_if_there(&root.path),
        }
    }

    fn is_whole(&self, root: &Root) -> bool {
        let seen = Completeness::new(self.store.cas());
        root.needed.blobs.iter().all(|blob| seen.blob(blob).is_ok())
            && root.needed.trees.iter().all(|tree| seen.tree(tree).is_ok())
    }

    fn drop_objects(&self, some: &[&Object], freed: &mut Freed) -> Result<()> {
        // While this is held nobody says that he uses something, and what was said is seen.
        let _sweep = Lock::exclusive(&sweep_path(self.store))?;
        let in_use = lease::in_use(self.store)?;
        let recent = in_use.since.map_or(self.recent, |since| self.recent.min(i64::try_from(since).unwrap_or(0)));
        let kept = self.in_use(&in_use.digests)?;
        for object in some {
            let digest = Digest::new(object.hash, object.size);
            if kept.contains(&digest) || object.used >= recent {
                continue;
            }
            let path = self.store.cas().path(&digest);
            // Somebody may have used it since it was listed.
            if used(&path) != Some(object.used) {
                continue;
            }
            if self.dry_run || fs::remove_if_there(&path)? {
                freed.blobs += 1;
                freed.bytes += object.size;
                freed.blobs_left -= 1;
                freed.bytes_left -= object.size;
            }
        }
        Ok(())
    }

    /// What running programs said that they use, with all below it, as far as it was not known before.
    fn in_use(&self, digests: &[Digest]) -> Result<HashSet<Digest>> {
        let is_new = |digest: &&Digest| !self.objects.find(digest).is_some_and(|index| self.marks.is_protected(index));
        let new: Vec<Digest> = digests.iter().filter(is_new).copied().collect();
        self.with_all_below(&new)
    }

    fn with_all_below(&self, trees: &[Digest]) -> Result<HashSet<Digest>> {
        let mut all: HashSet<Digest> = trees.iter().copied().collect();
        for digest in trees {
            // A blob that is no directory, or one of which something is missing, has nothing below it.
            if let Ok(tree) = Tree::read(&self.store.cas(), digest) {
                all.extend(tree.digests()?);
            }
        }
        Ok(all)
    }
}

fn used(path: &std::path::Path) -> Option<i64> {
    let stat = rustix::fs::stat(path).ok()?;
    Some(stat.st_mtime)
}
