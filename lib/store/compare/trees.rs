//! The files that differ in two trees. Directories with one digest are not looked into.

use crate::store::cas::Cas;
use crate::store::tree::{Node, read_directory};
use crate::values::{Digest, Result, directory, proto};
use std::collections::BTreeMap;

/// How a file differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Added,
    Removed,
    /// Content, the target of a link, or what it is.
    Changed,
    /// Only whether it can be executed.
    Mode,
}

/// A file that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileChange {
    pub kind: Kind,
    pub path: String,
    /// Sizes before and after, of files.
    pub sizes: (Option<u64>, Option<u64>),
}

/// What differs between two trees, by path. Of a directory that is only in one of them, its files do.
pub fn trees(cas: &Cas, old: &Digest, new: &Digest) -> Result<Vec<FileChange>> {
    let mut changes = Vec::new();
    let mut waiting = vec![(String::new(), Some(*old), Some(*new))];
    while let Some((prefix, old, new)) = waiting.pop() {
        if old == new {
            continue;
        }
        let (mut old, new) = (nodes(cas, old)?, nodes(cas, new)?);
        for (name, after) in new {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            pair(path, old.remove(&name), Some(after), &mut changes, &mut waiting);
        }
        for (name, before) in old {
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            pair(path, Some(before), None, &mut changes, &mut waiting);
        }
    }
    changes.sort_by(|a: &FileChange, b| a.path.cmp(&b.path));
    Ok(changes)
}

type Waiting = Vec<(String, Option<Digest>, Option<Digest>)>;

fn pair(path: String, old: Option<Node>, new: Option<Node>, changes: &mut Vec<FileChange>, waiting: &mut Waiting) {
    if old == new {
        return;
    }
    let directory = |node: &Option<Node>| match node {
        Some(Node::Directory(digest)) => Some(*digest),
        _ => None,
    };
    let size = |node: &Option<Node>| match node {
        Some(Node::File { digest, .. }) => Some(digest.size()),
        _ => None,
    };
    let below = (directory(&old), directory(&new));
    let is_other = |node: &Option<Node>, directory: Option<Digest>| node.is_some() && directory.is_none();
    let kind = match (is_other(&old, below.0), is_other(&new, below.1)) {
        (true, true) => match (&old, &new) {
            (Some(Node::File { digest: a, .. }), Some(Node::File { digest: b, .. })) if a == b => Some(Kind::Mode),
            _ => Some(Kind::Changed),
        },
        (true, false) => Some(Kind::Removed),
        (false, true) => Some(Kind::Added),
        // An empty directory that comes or goes is a change of its own.
        (false, false) => match below {
            (None, Some(digest)) if digest == Digest::EMPTY => Some(Kind::Added),
            (Some(digest), None) if digest == Digest::EMPTY => Some(Kind::Removed),
            _ => None,
        },
    };
    if let Some(kind) = kind {
        changes.push(FileChange { kind, path: path.clone(), sizes: (size(&old), size(&new)) });
    }
    if below != (None, None) {
        waiting.push((path, below.0, below.1));
    }
}

fn nodes(cas: &Cas, digest: Option<Digest>) -> Result<BTreeMap<String, Node>> {
    let message = match digest {
        Some(digest) => read_directory(cas, &digest)?,
        None => proto::Directory::default(),
    };
    let mut nodes = BTreeMap::new();
    for node in message.directories {
        let digest = directory::node_digest(&node.digest, &node.name)?;
        nodes.insert(node.name, Node::Directory(digest));
    }
    for node in message.files {
        let digest = directory::node_digest(&node.digest, &node.name)?;
        nodes.insert(node.name, Node::File { digest, executable: node.is_executable });
    }
    nodes.extend(message.symlinks.into_iter().map(|node| (node.name, Node::Symlink { target: node.target })));
    Ok(nodes)
}
