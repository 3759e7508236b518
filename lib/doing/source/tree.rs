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

    /// The same among directories that are all open: in a tree that is made from nothing.
    pub fn make(&mut self, path: &str) -> Result<&mut Tree> {
        let mut tree = self;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            tree = match tree.entries.entry(name.to_owned()).or_insert_with(|| Entry::Open(Tree::default())) {
                Entry::Open(tree) => tree,
                _ => return Err(conflict(path)),
            };
        }
        Ok(tree)
    }

    /// Takes the directory at a path out of a tree whose directories are all open.
    pub fn take(&mut self, path: &str) -> Option<Tree> {
        let mut tree = self;
        for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
            match tree.entries.get_mut(name)? {
                Entry::Open(below) => tree = below,
                _ => return None,
            }
        }
        Some(std::mem::take(tree))
    }

    /// The paths of all directories of a tree whose directories are all open, with its own, which is empty.
    pub fn directories(&self) -> Vec<String> {
        let mut paths = vec![String::new()];
        for (name, entry) in &self.entries {
            if let Entry::Open(tree) = entry {
                let below = tree.directories().into_iter();
                paths.extend(below.map(|path| if path.is_empty() { name.clone() } else { format!("{name}/{path}") }));
            }
        }
        paths
    }

    /// The text of a file, if it is there.
    pub fn text(&self, cas: &Cas, path: &str) -> Result<Option<String>> {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        match (self.entries.get(name), rest) {
            (Some(Entry::Open(tree)), Some(rest)) => tree.text(cas, rest),
            (Some(Entry::Stored(digest)), Some(rest)) => Tree::load(cas, digest)?.text(cas, rest),
            (Some(Entry::File(node)), None) => {
                let bytes = cas.read(&directory::node_digest(&node.digest, name)?)?;
                let text = String::from_utf8(bytes);
                text.map(Some).map_err(|_| Error::new(Code::Source, format!("{path} of the sources is no UTF-8")))
            }
            _ => Ok(None),
        }
    }

    /// What is at a name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
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
