//! From a directory on disk to a tree in the store.
//!
//! The directory is listed first; then its files are hashed and copied on all cores, each opened below the
//! directory's descriptor without following a link; then the directories' messages are made, the deepest
//! first. What the canonical form leaves out (spec: artifacts 2.3) is left out: modes but for the owner's
//! execute bit, owners, fifos and devices.

use super::batch::{Batch, PIECE};
use super::intake::{self, Intake};
use super::{cas::Cas, fs, listing, listing::Listing, parallel};
use crate::values::{Digest, Error, Result, directory, proto};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::OnceLock;

/// How a directory becomes a tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct Import {
    /// Times of files and sub-directories become properties, as in the trees of workspaces.
    pub mtimes: bool,
    /// The directory is the caller's to give away: files may be moved into the store instead of copied.
    /// Those that others hold open or have linked are copied all the same.
    pub take: bool,
}

impl Cas {
    /// Stores a directory and all below it, and makes it last; the digest is that of the canonical tree.
    pub fn import_tree(&self, path: &Path, how: Import) -> Result<Digest> {
        let batch = self.batch()?;
        let digest = batch.import_tree(path, how)?;
        batch.finish()?;
        Ok(digest)
    }
}

impl Batch {
    /// Stores a directory and all below it.
    pub fn import_tree(&self, path: &Path, how: Import) -> Result<Digest> {
        self.import_tree_at(&fs::open_dir(path)?, path, how)
    }

    /// The same for a directory that is open; `shown` is its name in messages.
    pub fn import_tree_at(&self, root: &OwnedFd, shown: &Path, how: Import) -> Result<Digest> {
        let listing = listing::list(root, shown, how.mtimes)?;
        let files: Vec<OnceLock<Intake>> = std::iter::repeat_with(OnceLock::new).take(listing.files.len()).collect();
        parallel::for_each_with(
            files.len(),
            || vec![0; PIECE],
            |buffer, index| {
                let path = listing.path_of(&listing.files[index]);
                let taken = intake::take_in(self, root, &path, how, buffer)
                    .map_err(|error| Error::io("cannot store", &shown.join(&path), error))??;
                // Each index comes once.
                let _ = files[index].set(taken);
                Ok(())
            },
        )?;
        self.directories(listing, files, how)
    }

    /// Stores a file below an open directory: its digest and whether the owner may execute it.
    pub fn import_file_at(&self, directory: &OwnedFd, path: &Path, how: Import) -> Result<(Digest, bool)> {
        let taken = intake::take_in(self, directory, path, how, &mut vec![0; PIECE])
            .map_err(|error| Error::io("cannot store", path, error))??;
        Ok((taken.digest, taken.executable))
    }

    fn directories(&self, listing: Listing, files: Vec<OnceLock<Intake>>, how: Import) -> Result<Digest> {
        let Listing { directories, files: names, symlinks } = listing;
        let mut messages: Vec<proto::Directory> = Vec::new();
        messages.resize_with(directories.len(), proto::Directory::default);
        for (entry, taken) in names.into_iter().zip(files) {
            let Some(taken) = taken.into_inner() else { continue };
            messages[entry.parent].files.push(proto::FileNode {
                name: entry.name,
                digest: Some(taken.digest.to_proto()),
                is_executable: taken.executable,
                node_properties: how.mtimes.then_some(with_mtime(taken.mtime)),
            });
        }
        for (entry, target) in symlinks {
            let node = proto::SymlinkNode { name: entry.name, target, node_properties: None };
            messages[entry.parent].symlinks.push(node);
        }
        let mut root = Digest::EMPTY;
        // Parents come before children in the listing, so backwards every child is there first.
        for (index, entry) in directories.into_iter().enumerate().rev() {
            let mut message = std::mem::take(&mut messages[index]);
            directory::sort(&mut message);
            if how.mtimes && index > 0 {
                message.node_properties = Some(with_mtime(entry.mtime));
            }
            let digest = self.put(&directory::encode(&message))?;
            if index == 0 {
                root = digest;
            } else {
                let node = proto::DirectoryNode { name: entry.name, digest: Some(digest.to_proto()) };
                messages[entry.parent].directories.push(node);
            }
        }
        Ok(root)
    }
}

fn with_mtime(mtime: proto::Timestamp) -> proto::NodeProperties {
    proto::NodeProperties { mtime: Some(mtime), ..Default::default() }
}
