//! Unpacking without a disk: a file system in memory whose files are blobs of the store.
//!
//! BuildStream unpacks with Python's `tarfile` into a real directory, where links are followed and hard links
//! share their bytes. The outcome of every member on the ones before it is the same here, and so are the
//! members that are refused: whatever would lead out of the directory.

use super::super::tree::{Entry, Tree};
use crate::values::{Digest, proto};
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::fmt;

/// What a path may have, as on any Linux file system.
const LONGEST_PATH: usize = 4095;
const LONGEST_NAME: usize = 255;
/// Links on the way to one file, as in the kernel.
const MOST_LINKS: usize = 40;
/// Deeper directories, which only links can make, are refused.
const DEEPEST: usize = 2048;

/// Why a member cannot be unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    Outside,
    Missing,
    Exists,
    NotDirectory,
    IsDirectory,
    Loop,
    TooLong,
    Name,
    AbsoluteLink,
    Special,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Outside => "it would be outside of the directory that the archive is unpacked in",
            Refused::Missing => "what it refers to is not there",
            Refused::Exists => "an earlier member has its name",
            Refused::NotDirectory => "an earlier member that is no directory is on its path",
            Refused::IsDirectory => "an earlier member made a directory of its name",
            Refused::Loop => "links on its path lead in a circle",
            Refused::TooLong => "its name is too long",
            Refused::Name => "its name is no UTF-8 or has a NUL",
            Refused::AbsoluteLink => "it is a hard link to an absolute path",
            Refused::Special => "it is neither file, directory nor link",
        })
    }
}

type Outcome<T = ()> = Result<T, Refused>;

/// A file system in memory.
pub(super) struct Scene {
    nodes: Vec<Node>,
}

type Id = usize;

enum Node {
    Directory { entries: BTreeMap<String, Id>, depth: usize },
    File { digest: Digest, executable: bool },
    Link { target: String },
}

const ROOT: Id = 0;

/// Where a path leads.
enum Found {
    Node(Id),
    /// To a name that a directory does not have yet.
    New {
        parent: Id,
        name: String,
    },
}

impl Scene {
    pub(super) fn new() -> Scene {
        Scene { nodes: vec![Node::Directory { entries: BTreeMap::new(), depth: 0 }] }
    }

    /// Refuses a path that leads out, with every link on it followed and missing directories taken as made.
    /// Says whether it leads to the root itself.
    pub(super) fn check(&self, path: &str) -> Outcome<bool> {
        let mut todo: VecDeque<String> = components(path)?;
        let mut links = 0;
        let mut missing = false;
        let mut stack: Vec<Option<Id>> = Vec::new();
        while let Some(name) = todo.pop_front() {
            match name.as_str() {
                "." => continue,
                ".." => {
                    stack.pop().ok_or(Refused::Outside)?;
                    continue;
                }
                _ => {}
            }
            let found = match stack.last().copied().unwrap_or(Some(ROOT)) {
                None => None,
                Some(id) => match &self.nodes[id] {
                    Node::Directory { entries, .. } => entries.get(&name).copied(),
                    // What is missing before is said first, and then nothing is strict any more.
                    _ if missing => None,
                    _ => return Err(Refused::NotDirectory),
                },
            };
            missing |= found.is_none();
            match found.map(|id| (id, &self.nodes[id])) {
                Some((_, Node::Link { target })) => {
                    links += 1;
                    follow(target, links, &mut todo)?;
                }
                Some((id, _)) => stack.push(Some(id)),
                None => stack.push(None),
            }
        }
        Ok(stack.is_empty())
    }

    /// Makes a directory, unless the path leads to one.
    pub(super) fn directory(&mut self, path: &str) -> Outcome {
        let names = components(path)?;
        self.make_parents(&names)?;
        match self.mkdir(&names) {
            Err(Refused::Exists) => match self.find(&names, true)? {
                Found::Node(id) if self.is_directory(id) => Ok(()),
                _ => Err(Refused::Exists),
            },
            outcome => outcome,
        }
    }

    /// Makes a file, or gives the one that the path leads to new content.
    pub(super) fn file(&mut self, path: &str, digest: Digest, executable: bool) -> Outcome {
        let names = components(path)?;
        self.make_parents(&names)?;
        let file = Node::File { digest, executable };
        match self.find(&names, true)? {
            Found::Node(id) if self.is_directory(id) => Err(Refused::IsDirectory),
            Found::Node(id) => {
                self.nodes[id] = file;
                Ok(())
            }
            Found::New { parent, name } => self.add(parent, name, file),
        }
    }

    /// Makes a link, in place of a file or another link.
    pub(super) fn link(&mut self, path: &str, target: &str) -> Outcome {
        let names = components(path)?;
        self.make_parents(&names)?;
        if target.is_empty() {
            return Err(Refused::Missing);
        }
        let link = Node::Link { target: target.to_owned() };
        match self.find(&names, false)? {
            Found::Node(id) if self.is_directory(id) => Err(Refused::IsDirectory),
            Found::Node(_) => {
                let (parent, name) = self.parent(&names)?;
                self.add(parent, name, link)
            }
            Found::New { parent, name } => self.add(parent, name, link),
        }
    }

    /// Whether a path leads to something.
    pub(super) fn exists(&self, path: &str) -> bool {
        components(path).and_then(|names| self.find(&names, true)).is_ok_and(|found| matches!(found, Found::Node(_)))
    }

    /// Gives what is at `target`, which exists, a further name.
    pub(super) fn hard_link(&mut self, path: &str, target: &str, executable: bool) -> Outcome {
        let names = components(path)?;
        self.make_parents(&names)?;
        let Found::Node(id) = self.find(&components(target)?, false)? else { return Err(Refused::Missing) };
        if self.is_directory(id) {
            return Err(Refused::IsDirectory);
        }
        match self.find(&names, false)? {
            Found::Node(_) => return Err(Refused::Exists),
            Found::New { parent, name } => self.insert(parent, name, id)?,
        }
        // The mode is set through the new name, and that goes to the file behind it.
        self.set_executable(path, executable);
        Ok(())
    }

    /// Makes the file that a path leads to executable, or not.
    pub(super) fn set_executable(&mut self, path: &str, executable: bool) {
        if let Ok(Found::Node(id)) = components(path).and_then(|names| self.find(&names, true)) {
            if let Node::File { executable: bit, .. } = &mut self.nodes[id] {
                *bit = executable;
            }
        }
    }

    /// What was unpacked.
    pub(super) fn into_tree(self) -> Tree {
        self.tree(ROOT)
    }

    fn tree(&self, id: Id) -> Tree {
        let mut tree = Tree::default();
        let Node::Directory { entries, .. } = &self.nodes[id] else { return tree };
        for (name, &id) in entries {
            let name = name.clone();
            let entry = match &self.nodes[id] {
                Node::Directory { .. } => Entry::Open(self.tree(id)),
                Node::File { digest, executable } => Entry::file(name.clone(), digest, *executable),
                Node::Link { target } => Entry::Link(proto::SymlinkNode {
                    name: name.clone(),
                    target: target.clone(),
                    node_properties: None,
                }),
            };
            tree.insert(name, entry);
        }
        tree
    }

    fn is_directory(&self, id: Id) -> bool {
        matches!(self.nodes[id], Node::Directory { .. })
    }

    /// Makes the directories above a path, unless they are there.
    fn make_parents(&mut self, names: &VecDeque<String>) -> Outcome {
        let mut above = names.clone();
        above.pop_back();
        if above.is_empty() || self.leads_somewhere(&above) { Ok(()) } else { self.makedirs(&above) }
    }

    /// Like `os.makedirs`: that a directory above exists already is no error, even if it was not found.
    fn makedirs(&mut self, names: &VecDeque<String>) -> Outcome {
        for length in 1..=names.len() {
            let part: VecDeque<String> = names.iter().take(length).cloned().collect();
            if length < names.len() && self.leads_somewhere(&part) {
                continue;
            }
            match self.mkdir(&part) {
                Err(Refused::Exists) if length < names.len() || names.back().is_some_and(|name| name == ".") => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    fn leads_somewhere(&self, names: &VecDeque<String>) -> bool {
        matches!(self.find(names, true), Ok(Found::Node(_)))
    }

    fn mkdir(&mut self, names: &VecDeque<String>) -> Outcome {
        match self.find(names, false)? {
            Found::Node(_) => Err(Refused::Exists),
            Found::New { parent, name } => {
                let Node::Directory { depth, .. } = self.nodes[parent] else { return Err(Refused::NotDirectory) };
                self.add(parent, name, Node::Directory { entries: BTreeMap::new(), depth: depth + 1 })
            }
        }
    }

    fn add(&mut self, parent: Id, name: String, node: Node) -> Outcome {
        self.nodes.push(node);
        self.insert(parent, name, self.nodes.len() - 1)
    }

    fn insert(&mut self, parent: Id, name: String, id: Id) -> Outcome {
        match &mut self.nodes[parent] {
            Node::Directory { depth, .. } if *depth >= DEEPEST => Err(Refused::TooLong),
            Node::Directory { entries, .. } => {
                entries.insert(name, id);
                Ok(())
            }
            _ => Err(Refused::NotDirectory),
        }
    }

    /// The directory in which a path's last name is, and the name.
    fn parent(&self, names: &VecDeque<String>) -> Outcome<(Id, String)> {
        let mut above = names.clone();
        let name = above.pop_back().filter(|name| name != ".." && name != ".").ok_or(Refused::IsDirectory)?;
        match self.find(&above, true)? {
            Found::Node(id) if self.is_directory(id) => Ok((id, name)),
            Found::Node(_) => Err(Refused::NotDirectory),
            Found::New { .. } => Err(Refused::Missing),
        }
    }

    /// Walks a path as the kernel does. `follow`: also through a link at its end.
    fn find(&self, names: &VecDeque<String>, follow_last: bool) -> Outcome<Found> {
        let mut todo = names.clone();
        let mut links = 0;
        let mut stack: Vec<Id> = Vec::new();
        while let Some(name) = todo.pop_front() {
            match name.as_str() {
                "." => continue,
                ".." => {
                    stack.pop().ok_or(Refused::Outside)?;
                    continue;
                }
                _ => {}
            }
            let here = stack.last().copied().unwrap_or(ROOT);
            let Node::Directory { entries, .. } = &self.nodes[here] else { return Err(Refused::NotDirectory) };
            let Some(&id) = entries.get(&name) else {
                return if todo.is_empty() { Ok(Found::New { parent: here, name }) } else { Err(Refused::Missing) };
            };
            match &self.nodes[id] {
                Node::Link { target } if follow_last || !todo.is_empty() => {
                    links += 1;
                    follow(target, links, &mut todo)?;
                }
                Node::Directory { .. } => stack.push(id),
                _ if todo.is_empty() => return Ok(Found::Node(id)),
                _ => return Err(Refused::NotDirectory),
            }
        }
        Ok(Found::Node(stack.last().copied().unwrap_or(ROOT)))
    }
}

/// Puts the names of a link's target in front of those that are still to be walked.
fn follow(target: &str, links: usize, todo: &mut VecDeque<String>) -> Outcome {
    if target.starts_with('/') {
        return Err(Refused::Outside);
    }
    if links > MOST_LINKS {
        return Err(Refused::Loop);
    }
    for name in components(target)?.into_iter().rev() {
        todo.push_front(name);
    }
    Ok(())
}

/// The names of a path; empty ones mean nothing.
fn components(path: &str) -> Outcome<VecDeque<String>> {
    if path.contains('\0') {
        return Err(Refused::Name);
    }
    if path.len() > LONGEST_PATH {
        return Err(Refused::TooLong);
    }
    path.split('/')
        .filter(|name| !name.is_empty())
        .map(|name| if name.len() > LONGEST_NAME { Err(Refused::TooLong) } else { Ok(name.to_owned()) })
        .collect()
}
