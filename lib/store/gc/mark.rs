//! Which root each blob belongs to.

use crate::store::cas::Cas;
use crate::store::objects::Objects;
use crate::store::roots::Root;
use crate::store::tree::read_directory;
use crate::values::{Digest, directory};

/// Nobody reaches it.
const NOBODY: u32 = u32::MAX;
/// A running program does.
const IN_USE: u32 = u32::MAX - 1;

/// The owner of each object.
pub struct Marks<'a> {
    cas: Cas,
    objects: &'a Objects,
    owners: Vec<u32>,
}

impl<'a> Marks<'a> {
    pub fn new(cas: Cas, objects: &'a Objects) -> Marks<'a> {
        Marks { cas, objects, owners: vec![NOBODY; objects.all.len()] }
    }

    /// Marks a tree or blob that a running program uses, with all below it.
    pub fn protect(&mut self, digest: &Digest) {
        // Whether it is a directory is not known; what is none cannot be read as one.
        self.tree(digest, IN_USE);
    }

    /// Marks all that a root keeps and nobody before it; returns the bytes of it.
    pub fn root(&mut self, index: usize, root: &Root) -> u64 {
        let owner = u32::try_from(index).unwrap_or(IN_USE);
        let needs = [&root.needed, &root.wanted];
        let blobs: u64 =
            needs.iter().flat_map(|needs| &needs.blobs).map(|blob| self.blob(blob, owner).unwrap_or(0)).sum();
        let trees: u64 = needs.iter().flat_map(|needs| &needs.trees).map(|tree| self.tree(tree, owner)).sum();
        blobs + trees
    }

    /// The owner of an object: the root by its index; `None` is nobody.
    pub fn owner(&self, object: usize) -> Option<usize> {
        match self.owners[object] {
            NOBODY => None,
            owner => Some(owner as usize),
        }
    }

    /// Whether a running program uses an object.
    pub fn is_protected(&self, object: usize) -> bool {
        self.owners[object] == IN_USE
    }

    /// Bytes of the objects that nobody reaches and that were not used since `recent`.
    pub fn unreferenced(&self, recent: i64) -> u64 {
        let objects = self.objects.all.iter().zip(&self.owners);
        objects.filter(|(object, owner)| **owner == NOBODY && object.used < recent).map(|(object, _)| object.size).sum()
    }

    /// The size of an object that is marked now; `None` if it was before, or is not there.
    fn blob(&mut self, digest: &Digest, owner: u32) -> Option<u64> {
        let index = self.objects.find(digest)?;
        if self.owners[index] != NOBODY {
            return None;
        }
        // Empty files are in every tree.
        self.owners[index] = if *digest == Digest::EMPTY { IN_USE } else { owner };
        Some(self.objects.all[index].size)
    }

    /// A directory that was marked before has brought what is below it along, so each is read once.
    fn tree(&mut self, root: &Digest, owner: u32) -> u64 {
        let mut bytes = 0;
        let mut waiting = vec![*root];
        while let Some(digest) = waiting.pop() {
            let Some(size) = self.blob(&digest, owner) else { continue };
            bytes += size;
            let Ok(message) = read_directory(&self.cas, &digest) else { continue };
            for node in &message.files {
                let digest = directory::node_digest(&node.digest, &node.name).ok();
                bytes += digest.and_then(|digest| self.blob(&digest, owner)).unwrap_or(0);
            }
            let below = message.directories.iter();
            waiting.extend(below.filter_map(|node| directory::node_digest(&node.digest, &node.name).ok()));
        }
        bytes
    }
}
