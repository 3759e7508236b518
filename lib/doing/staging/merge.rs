//! Putting one tree over another, as BuildStream does (spec: artifacts 3.2).

use super::tree::{Directory, Node, Owner, join};
use crate::store::cas::Cas;
use crate::values::{Code, Error, Result};
use std::collections::btree_map::Entry as Slot;

/// What happened while one tree was put over another. Paths have no leading slash.
#[derive(Debug, Default)]
pub struct Report {
    /// Files and links that took the place of others, with who had staged those.
    pub overwritten: Vec<(String, Owner)>,
    /// Files and links that were left out, because a directory with something in it is there.
    pub ignored: Vec<String>,
    /// Files and links that took the place of an empty directory.
    pub over_empty: Vec<String>,
}

/// Which paths are taken.
pub type Filter<'a> = &'a dyn Fn(&str) -> bool;

/// Puts `upper` over `lower`. A directory joins a directory; over a file or a link it is an error.
pub fn merge(lower: &mut Directory, upper: Directory, cas: &Cas, filter: Option<Filter>) -> Result<Report> {
    let mut merge = Merge { cas, filter, report: Report::default() };
    merge.directory(lower, upper, "")?;
    Ok(merge.report)
}

struct Merge<'a> {
    cas: &'a Cas,
    filter: Option<Filter<'a>>,
    report: Report,
}

impl Merge<'_> {
    fn directory(&mut self, lower: &mut Directory, upper: Directory, prefix: &str) -> Result<()> {
        for (name, node) in upper.into_entries() {
            let path = join(prefix, &name);
            let wanted = self.filter.is_none_or(|filter| filter(&path));
            match node {
                Node::Directory(theirs) => match lower.entries_mut().entry(name) {
                    Slot::Vacant(slot) if self.filter.is_none() => {
                        slot.insert(Node::Directory(theirs));
                    }
                    Slot::Vacant(slot) => {
                        let mut fresh = Directory::default();
                        self.directory(&mut fresh, theirs.into_directory(self.cas)?, &path)?;
                        if wanted || !fresh.is_empty() {
                            slot.insert(Node::Directory(fresh.into()));
                        }
                    }
                    Slot::Occupied(mut slot) => match slot.get_mut() {
                        Node::Directory(ours) => {
                            let ours = ours.open(self.cas)?;
                            self.directory(ours, theirs.into_directory(self.cas)?, &path)?;
                        }
                        Node::File(_) => return Err(conflict(&path, "regular file")),
                        Node::Link(_) => return Err(conflict(&path, "symlink")),
                    },
                },
                node if wanted => self.put(lower, name, node, path),
                _ => {}
            }
        }
        Ok(())
    }

    fn put(&mut self, lower: &mut Directory, name: String, node: Node, path: String) {
        match lower.entries_mut().entry(name) {
            Slot::Vacant(slot) => {
                slot.insert(node);
            }
            Slot::Occupied(mut slot) => match slot.get() {
                Node::Directory(ours) if !ours.is_empty() => self.report.ignored.push(path),
                Node::Directory(_) => {
                    slot.insert(node);
                    self.report.over_empty.push(path);
                }
                Node::File(super::tree::File { owner, .. }) | Node::Link(super::tree::Link { owner, .. }) => {
                    self.report.overwritten.push((path, *owner));
                    slot.insert(node);
                }
            },
        }
    }
}

fn conflict(path: &str, found: &str) -> Error {
    Error::new(Code::Staging, format!("Destination is a {found}, not a directory: /{path}"))
}
