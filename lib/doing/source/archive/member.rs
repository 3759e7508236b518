//! What an archive has, and which of it is unpacked under which name.

use crate::values::{Code, Digest, Error, Result, glob::Glob};
use std::collections::HashSet;

/// One member. Its content is in the store already.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// Whether its owner may execute it.
    pub(super) executable: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    File(Digest),
    Directory,
    Link(Vec<u8>),
    HardLink(Vec<u8>),
    /// A device or a fifo, which sources cannot have.
    Device,
    Unknown,
}

/// The directory of an archive that a pattern selects: the first match in the order of names. It may be one
/// that no member stands for, if there are members below it. The root has no name and is no match.
pub(super) fn base_directory(members: &[Member], pattern: &str) -> Result<String> {
    let glob = Glob::new(pattern);
    let names: HashSet<&[u8]> = members.iter().map(|member| &member.path[..]).collect();
    let mut first: Option<String> = None;
    let mut offer = |name: &[u8]| {
        let name = String::from_utf8_lossy(name);
        if glob.matches(&name) && first.as_deref().is_none_or(|first| &*name < first) {
            first = Some(name.into_owned());
        }
    };
    for member in members {
        let start = member.path.iter().position(|b| !matches!(b, b'.' | b'/')).unwrap_or(member.path.len());
        let name = &member.path[start..];
        if member.kind == Kind::Directory {
            offer(name);
            continue;
        }
        for (at, _) in name.iter().enumerate().filter(|(_, b)| **b == b'/') {
            if !names.contains(&name[..at]) {
                offer(&name[..at]);
            }
        }
    }
    first.ok_or_else(|| {
        Error::new(
            Code::Source,
            format!("the archive has no directory that matches base-dir \"{}\"", pattern.escape_default()),
        )
    })
}

/// Names the members below a directory from there, and says which those are.
pub(super) fn select(members: &mut [Member], directory: &str) -> Vec<bool> {
    let mut directory = directory.as_bytes().to_vec();
    if directory.is_empty() {
        return vec![true; members.len()];
    }
    if !directory.ends_with(b"/") {
        directory.push(b'/');
    }
    let below = |member: &mut Member| {
        strip(&mut member.path, b"./");
        if let Kind::HardLink(target) = &mut member.kind {
            strip(target, b"./");
            if member.path.starts_with(&directory) {
                strip(target, &directory);
            }
        }
        strip(&mut member.path, &directory)
    };
    members.iter_mut().map(below).collect()
}

/// Leaves the topmost directory of each name out, and says which have one.
pub(super) fn select_below_top(members: &mut [Member]) -> Vec<bool> {
    let below = |member: &mut Member| {
        let slash = member.path.iter().position(|b| *b == b'/');
        if let Some(slash) = slash {
            member.path.drain(..=slash);
        }
        slash.is_some()
    };
    members.iter_mut().map(below).collect()
}

fn strip(path: &mut Vec<u8>, prefix: &[u8]) -> bool {
    let found = path.starts_with(prefix);
    if found {
        path.drain(..prefix.len());
    }
    found
}

/// A path without empty names, `.` and, as far as that can be seen, `..`.
pub(in crate::doing::source) fn normal(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            ".." if path.starts_with('/') => {}
            name => names.push(name),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    let normal = format!("{root}{}", names.join("/"));
    if normal.is_empty() { ".".to_owned() } else { normal }
}
