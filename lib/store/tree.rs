//! Reading trees: a tree is a directory's message with all below it.
//!
//! Trees come from stores and servers that anybody may have written to. Names are checked when a message is
//! read; here the size and the depth are, before anything is done with a tree, because a few messages that
//! name one another can stand for more entries than any disk holds.

use super::cas::Cas;
use super::listing::DEEPEST;
use crate::values::{Digest, Error, Result, directory, proto};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Trees with more entries than this are not written out.
pub const MOST_ENTRIES: u64 = 1 << 26;

/// Reads a directory's message, verified and checked.
pub fn read_directory(cas: &Cas, digest: &Digest) -> Result<proto::Directory> {
    let bytes = cas.read(digest)?;
    directory::decode(&bytes).map_err(|error| Error::damaged(format!("directory {digest}: {}", error.message())))
}

/// What a path in a tree names.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    Directory(Digest),
    File { digest: Digest, executable: bool },
    Symlink { target: String },
}

/// What lies at `path` in a tree; the empty path is the tree itself. Links are not followed.
pub fn find(cas: &Cas, root: &Digest, path: &str) -> Result<Node> {
    find_in(|digest| read_directory(cas, digest), root, path)
}

/// The same, with messages from wherever they come.
pub fn find_in(read: impl Fn(&Digest) -> Result<proto::Directory>, root: &Digest, path: &str) -> Result<Node> {
    let mut node = Node::Directory(*root);
    let mut gone = String::new();
    for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
        node = match &node {
            Node::Directory(digest) => child(&read(digest)?, name)?,
            Node::Symlink { target } => {
                let target = target.escape_default();
                return Err(Error::not_found(format!("\"{gone}\" is a link to \"{target}\", which is not followed")));
            }
            Node::File { .. } => return Err(Error::not_found(format!("\"{gone}\" is a file, not a directory"))),
        }
        .ok_or_else(|| Error::not_found(format!("there is no \"{}\" in \"/{gone}\"", name.escape_default())))?;
        if !gone.is_empty() {
            gone.push('/');
        }
        gone.push_str(name);
    }
    Ok(node)
}

fn child(message: &proto::Directory, name: &str) -> Result<Option<Node>> {
    if let Some(node) = message.directories.iter().find(|node| node.name == name) {
        return Ok(Some(Node::Directory(directory::node_digest(&node.digest, name)?)));
    }
    if let Some(node) = message.files.iter().find(|node| node.name == name) {
        let digest = directory::node_digest(&node.digest, name)?;
        return Ok(Some(Node::File { digest, executable: node.is_executable }));
    }
    let link = message.symlinks.iter().find(|node| node.name == name);
    Ok(link.map(|node| Node::Symlink { target: node.target.clone() }))
}

/// The messages of a tree, each read and checked once, however often it stands in the tree.
#[derive(Clone, Debug)]
pub struct Tree {
    pub root: Digest,
    pub directories: HashMap<Digest, Arc<proto::Directory>>,
}

impl Tree {
    /// Reads all messages of a tree.
    pub fn read(cas: &Cas, root: &Digest) -> Result<Tree> {
        let mut directories = HashMap::new();
        let mut waiting = vec![*root];
        while let Some(digest) = waiting.pop() {
            if directories.contains_key(&digest) {
                continue;
            }
            let message = read_directory(cas, &digest)?;
            for node in &message.directories {
                waiting.push(directory::node_digest(&node.digest, &node.name)?);
            }
            directories.insert(digest, Arc::new(message));
        }
        Ok(Tree { root: *root, directories })
    }

    /// The message of a directory of the tree.
    pub fn directory(&self, digest: &Digest) -> Result<&Arc<proto::Directory>> {
        self.directories.get(digest).ok_or_else(|| Error::damaged(format!("the tree {} has no {digest}", self.root)))
    }

    /// The digest of every blob in the tree once: the files', then the directories' own.
    pub fn digests(&self) -> Result<Vec<Digest>> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for message in self.directories.values() {
            for node in &message.files {
                let digest = directory::node_digest(&node.digest, &node.name)?;
                if seen.insert(digest) {
                    all.push(digest);
                }
            }
        }
        all.sort_unstable();
        all.extend(self.directories.keys().copied());
        Ok(all)
    }

    /// Refuses a tree that is too deep or has too many entries to be written out.
    pub fn check_extent(&self) -> Result<()> {
        let mut known: HashMap<Digest, (u64, usize)> = HashMap::new();
        let mut waiting = vec![(self.root, false)];
        while let Some((digest, children_done)) = waiting.pop() {
            if known.contains_key(&digest) {
                continue;
            }
            let message = self.directory(&digest)?;
            let children = message.directories.iter().map(|node| directory::node_digest(&node.digest, &node.name));
            let children = children.collect::<Result<Vec<_>>>()?;
            if !children_done {
                waiting.push((digest, true));
                waiting.extend(children.into_iter().map(|child| (child, false)));
                continue;
            }
            let own = message.files.len() + message.directories.len() + message.symlinks.len();
            let mut extent = (own as u64, 0);
            for child in children {
                // A message cannot hold its own digest, so every child is known here.
                let (entries, depth) = known.get(&child).copied().unwrap_or_default();
                extent = (extent.0.saturating_add(entries), extent.1.max(depth + 1));
            }
            if extent.1 > DEEPEST || extent.0 > MOST_ENTRIES {
                return Err(Error::damaged(format!(
                    "the tree {} is more than {DEEPEST} directories deep or has more than {MOST_ENTRIES} entries; \
                     it cannot be written out",
                    self.root
                )));
            }
            known.insert(digest, extent);
        }
        Ok(())
    }
}
