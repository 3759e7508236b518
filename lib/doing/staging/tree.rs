//! A tree that is put together in memory. Only the directories that were looked into are here; the others
//! are the digests under which the store has them.

use crate::store::cas::Cas;
use crate::values::{Code, Digest, Error, Result, directory, proto};
use std::collections::BTreeMap;

/// Who staged a file: a number that the one who stages gives out. 0 is nobody.
pub type Owner = u32;

/// Deeper trees are refused: no path of theirs can be opened.
pub const DEEPEST: usize = 2048;

/// A directory, looked into.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: BTreeMap<String, Node>,
    /// Dates of workspaces, and whether a sandbox's root can be written to here.
    pub properties: Option<proto::NodeProperties>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Node {
    File(File),
    Link(Link),
    Directory(Subtree),
}

/// A file: the digest of its content and its executable bit.
#[derive(Clone, Debug)]
pub struct File {
    pub digest: Digest,
    pub executable: bool,
    pub properties: Option<proto::NodeProperties>,
    pub owner: Owner,
}

/// A symbolic link.
#[derive(Clone, Debug)]
pub struct Link {
    pub target: String,
    pub properties: Option<proto::NodeProperties>,
    pub owner: Owner,
}

/// A directory below another: a digest until somebody looks into it.
#[derive(Clone, Debug)]
pub struct Subtree(State);

#[derive(Clone, Debug)]
enum State {
    Stored(Digest, Owner),
    Open(Directory),
}

impl Subtree {
    /// The directory that the store has under a digest.
    pub fn stored(digest: Digest, owner: Owner) -> Subtree {
        Subtree(State::Stored(digest, owner))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            State::Stored(digest, _) => *digest == Digest::EMPTY,
            State::Open(directory) => directory.entries.is_empty(),
        }
    }

    /// Its digest.
    pub fn digest(&self) -> Result<Digest> {
        match &self.0 {
            State::Stored(digest, _) => Ok(*digest),
            State::Open(directory) => directory.digest(),
        }
    }

    /// Looks into it.
    pub fn open(&mut self, cas: &Cas) -> Result<&mut Directory> {
        if let State::Stored(digest, owner) = &self.0 {
            self.0 = State::Open(Directory::load(cas, digest, *owner)?);
        }
        match &mut self.0 {
            State::Open(directory) => Ok(directory),
            State::Stored(..) => Err(Error::damaged("a directory was not loaded")),
        }
    }

    /// Looks into it and takes it away.
    pub fn into_directory(self, cas: &Cas) -> Result<Directory> {
        match self.0 {
            State::Stored(digest, owner) => Directory::load(cas, &digest, owner),
            State::Open(directory) => Ok(directory),
        }
    }
}

impl From<Directory> for Subtree {
    fn from(directory: Directory) -> Subtree {
        Subtree(State::Open(directory))
    }
}

impl Directory {
    /// The directory that the store has under a digest, all of it staged by `owner`.
    pub fn load(cas: &Cas, digest: &Digest, owner: Owner) -> Result<Directory> {
        let message = directory::decode(&cas.read(digest)?)?;
        let mut entries = BTreeMap::new();
        for node in message.files {
            let digest = directory::node_digest(&node.digest, &node.name)?;
            let file = File { digest, executable: node.is_executable, properties: node.node_properties, owner };
            entries.insert(node.name, Node::File(file));
        }
        for node in message.directories {
            let digest = directory::node_digest(&node.digest, &node.name)?;
            entries.insert(node.name, Node::Directory(Subtree::stored(digest, owner)));
        }
        for node in message.symlinks {
            entries
                .insert(node.name, Node::Link(Link { target: node.target, properties: node.node_properties, owner }));
        }
        Ok(Directory { entries, properties: message.node_properties })
    }

    /// What it has, by name.
    pub fn entries(&self) -> &BTreeMap<String, Node> {
        &self.entries
    }

    /// The same, to be changed.
    pub fn entries_mut(&mut self) -> &mut BTreeMap<String, Node> {
        &mut self.entries
    }

    /// The same, taken away.
    pub fn into_entries(self) -> BTreeMap<String, Node> {
        self.entries
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The directory at a path below this one, made where there is none. Links are not followed.
    pub fn make(&mut self, cas: &Cas, path: &str) -> Result<&mut Directory> {
        let mut current = self;
        for name in components(path) {
            let fresh = || Node::Directory(Directory::default().into());
            match current.entries.entry(name.to_owned()).or_insert_with(fresh) {
                Node::Directory(subtree) => current = subtree.open(cas)?,
                Node::File(_) => return Err(not_a_directory(path, name, "a file")),
                Node::Link(_) => return Err(not_a_directory(path, name, "a link")),
            }
        }
        Ok(current)
    }

    /// The directory at a path below this one, if there is one. Links are not followed.
    pub fn get(&mut self, cas: &Cas, path: &str) -> Result<Option<&mut Directory>> {
        let mut current = self;
        for name in components(path) {
            match current.entries.get_mut(name) {
                Some(Node::Directory(subtree)) => current = subtree.open(cas)?,
                _ => return Ok(None),
            }
        }
        Ok(Some(current))
    }

    /// Puts another directory where `path` leads, and makes those above it.
    pub fn replace(&mut self, cas: &Cas, path: &str, content: Directory) -> Result<()> {
        *self.make(cas, path)? = content;
        Ok(())
    }

    /// Whether a path leads somewhere, links followed as a process whose root this is would follow them.
    pub fn leads_somewhere(&mut self, cas: &Cas, path: &str) -> Result<bool> {
        let mut trail: Vec<String> = Vec::new();
        let mut rest: Vec<String> = reversed(path);
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == ".." {
                trail.pop();
                continue;
            }
            let Some(here) = self.get(cas, &trail.join("/"))? else { return Ok(false) };
            match here.entries.get(&name) {
                None => return Ok(false),
                Some(Node::Directory(_)) => trail.push(name),
                Some(Node::File(_)) => return Ok(rest.is_empty()),
                Some(Node::Link(link)) => {
                    links += 1;
                    if links > 40 {
                        return Ok(false);
                    }
                    if link.target.starts_with('/') {
                        trail.clear();
                    }
                    rest.extend(reversed(&link.target));
                }
            }
        }
        Ok(true)
    }

    /// The digest of the directory and all below it.
    pub fn digest(&self) -> Result<Digest> {
        self.store(&mut |_| Ok(()))
    }

    /// Hands the message of each directory that was looked into to `sink`, children first; the digest.
    pub fn store(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Digest> {
        let mut message = proto::Directory { node_properties: self.properties.clone(), ..Default::default() };
        for (name, node) in &self.entries {
            let name = name.clone();
            match node {
                Node::File(file) => message.files.push(proto::FileNode {
                    name,
                    digest: Some(file.digest.to_proto()),
                    is_executable: file.executable,
                    node_properties: file.properties.clone(),
                }),
                Node::Link(link) => message.symlinks.push(proto::SymlinkNode {
                    name,
                    target: link.target.clone(),
                    node_properties: link.properties.clone(),
                }),
                Node::Directory(subtree) => {
                    let digest = match &subtree.0 {
                        State::Stored(digest, _) => *digest,
                        State::Open(directory) => directory.store(sink)?,
                    };
                    message.directories.push(proto::DirectoryNode { name, digest: Some(digest.to_proto()) });
                }
            }
        }
        let bytes = directory::encode(&message);
        sink(&bytes)?;
        Ok(Digest::of(&bytes))
    }

    /// Every path in it, directories too, parents first, without leading slash.
    pub fn paths(&mut self, cas: &Cas) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.walk(cas, "", 0, &mut |path, _| {
            found.push(path.to_owned());
            Ok(())
        })?;
        Ok(found)
    }

    /// Calls `visit` with each path and what is there, parents first.
    pub fn walk(
        &mut self,
        cas: &Cas,
        prefix: &str,
        depth: usize,
        visit: &mut dyn FnMut(&str, &Node) -> Result<()>,
    ) -> Result<()> {
        if depth > DEEPEST {
            return Err(Error::new(Code::Staging, format!("a tree is more than {DEEPEST} directories deep")));
        }
        for (name, node) in &mut self.entries {
            let path = join(prefix, name);
            visit(&path, node)?;
            if let Node::Directory(subtree) = node {
                subtree.open(cas)?.walk(cas, &path, depth + 1, visit)?;
            }
        }
        Ok(())
    }
}

/// The names of a path; `..` leads up and stops at the root.
pub fn components(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names
}

/// A path below another.
pub fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") }
}

fn reversed(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|name| !matches!(*name, "" | ".")).map(str::to_owned).collect()
}

fn not_a_directory(path: &str, name: &str, found: &str) -> Error {
    Error::new(
        Code::Staging,
        format!("cannot make the directory /{} in the sandbox: \"{name}\" is {found}", components(path).join("/")),
    )
}
