//! A tree of the store that is being put together: only what changes is in memory.

use crate::store::{batch::Batch, cas::Cas, tree::read_directory};
use crate::values::{Code, Digest, Error, Result, directory, proto};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

/// A directory: what it has, by name.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Entry {
    File(proto::FileNode),
    Link(proto::SymlinkNode),
    /// A directory that is in the store as it is.
    Stored(Digest),
    /// A directory that is being put together.
    Open(Tree),
}

impl Tree {
    /// The directory that the store has under a digest.
    pub fn load(cas: &Cas, digest: &Digest) -> Result<Tree> {
        let message = read_directory(cas, digest)?;
        let mut entries = BTreeMap::new();
        for node in message.directories {
            let digest = directory::node_digest(&node.digest, &node.name)?;
            entries.insert(node.name, Entry::Stored(digest));
        }
        entries.extend(message.files.into_iter().map(|node| (node.name.clone(), Entry::File(node))));
        entries.extend(message.symlinks.into_iter().map(|node| (node.name.clone(), Entry::Link(node))));
        Ok(Tree { entries })
    }

    /// Puts something at a name, over what is there.
    pub fn insert(&mut self, name: String, entry: Entry) {
        self.entries.insert(name, entry);
    }

    /// The directory at a path below this one, made where there is none. `..` leads up and stops at this
    /// one, as in BuildStream; a leading `/` means nothing.
    pub fn open(&mut self, cas: &Cas, path: &str) -> Result<&mut Tree> {
        let mut names: Vec<&str> = Vec::new();
        for name in path.split('/') {
            match name {
                "" | "." => {}
                ".." => drop(names.pop()),
                name => names.push(name),
            }
        }
        let mut tree = self;
        for name in names {
            tree = tree.child(cas, name, path)?;
        }
        Ok(tree)
    }

    fn child(&mut self, cas: &Cas, name: &str, path: &str) -> Result<&mut Tree> {
        let entry = self.entries.entry(name.to_owned()).or_insert_with(|| Entry::Open(Tree::default()));
        if let Entry::Stored(digest) = entry {
            *entry = Entry::Open(Tree::load(cas, digest)?);
        }
        match entry {
            Entry::Open(tree) => Ok(tree),
            _ => Err(conflict(path)),
        }
    }

    /// Puts everything of another directory over what is here. A directory joins a directory; a file or a
    /// link replaces a file, a link or an empty directory, and is left out over a directory that has
    /// something. A directory over a file or a link is an error.
    pub fn import(&mut self, cas: &Cas, digest: &Digest) -> Result<()> {
        self.merge(cas, digest, "")
    }

    fn merge(&mut self, cas: &Cas, digest: &Digest, path: &str) -> Result<()> {
        for (name, entry) in Tree::load(cas, digest)?.entries {
            let mut slot = match self.entries.entry(name) {
                Slot::Vacant(slot) => {
                    slot.insert(entry);
                    continue;
                }
                Slot::Occupied(slot) => slot,
            };
            let path = format!("{path}/{}", slot.key());
            if let Entry::Stored(theirs) = entry {
                if let Entry::Stored(ours) = slot.get() {
                    let ours = Tree::load(cas, ours)?;
                    slot.insert(Entry::Open(ours));
                }
                match slot.get_mut() {
                    Entry::Open(ours) => ours.merge(cas, &theirs, &path)?,
                    _ => return Err(conflict(&path)),
                }
            } else if !slot.get().has_something() {
                slot.insert(entry);
            }
        }
        Ok(())
    }

    /// Stores the directory and all below it that is not in the store yet: children first.
    pub fn store(&self, batch: &Batch) -> Result<Digest> {
        let mut message = proto::Directory::default();
        for (name, entry) in &self.entries {
            let digest = match entry {
                Entry::File(node) => {
                    message.files.push(node.clone());
                    continue;
                }
                Entry::Link(node) => {
                    message.symlinks.push(node.clone());
                    continue;
                }
                Entry::Stored(digest) => *digest,
                Entry::Open(tree) => tree.store(batch)?,
            };
            message.directories.push(proto::DirectoryNode { name: name.clone(), digest: Some(digest.to_proto()) });
        }
        batch.put(&directory::encode(&message))
    }
}

impl Entry {
    /// A file without properties, as it is in ordinary trees.
    pub fn file(name: String, digest: &Digest, is_executable: bool) -> Entry {
        Entry::File(proto::FileNode { name, digest: Some(digest.to_proto()), is_executable, node_properties: None })
    }

    /// Whether it is a directory with something in it.
    fn has_something(&self) -> bool {
        match self {
            Entry::Stored(digest) => *digest != Digest::EMPTY,
            Entry::Open(tree) => !tree.entries.is_empty(),
            _ => false,
        }
    }
}

fn conflict(path: &str) -> Error {
    Error::new(
        Code::Source,
        format!(
            "a source has a directory at \"{}\" where an earlier source has a file or a link; \
             stage one of them in another directory",
            path.escape_default()
        ),
    )
}
