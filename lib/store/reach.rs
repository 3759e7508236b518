//! Which missing or damaged blobs a root needs. Each directory is read once, however many artifacts share it.

use super::cas::Cas;
use super::objects::Objects;
use super::roots::Needs;
use super::tree::read_directory;
use crate::values::{Digest, directory};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// No problem names more blobs than this.
const MOST: usize = 1000;

pub struct Reach<'a> {
    cas: Cas,
    objects: &'a Objects,
    wrong: HashSet<usize>,
    /// What is missing below a directory, itself included.
    known: HashMap<Digest, Rc<[Digest]>>,
}

impl<'a> Reach<'a> {
    pub fn new(cas: Cas, objects: &'a Objects, wrong: &[(usize, String)]) -> Reach<'a> {
        let wrong = wrong.iter().map(|(index, _)| *index).collect();
        Reach { cas, objects, wrong, known: HashMap::new() }
    }

    /// What is missing or damaged of what is needed.
    pub fn missing(&mut self, needs: &Needs) -> Vec<Digest> {
        let mut missing: Vec<Digest> = needs.blobs.iter().filter(|blob| !self.is_good(blob)).copied().collect();
        for tree in &needs.trees {
            missing.extend(self.below(tree).iter());
        }
        let mut seen = HashSet::new();
        missing.retain(|digest| seen.insert(*digest));
        missing.truncate(MOST);
        missing
    }

    fn is_good(&self, digest: &Digest) -> bool {
        *digest == Digest::EMPTY || self.objects.find(digest).is_some_and(|index| !self.wrong.contains(&index))
    }

    /// The stack is explicit: a chain of directories may be longer than any stack.
    fn below(&mut self, root: &Digest) -> Rc<[Digest]> {
        let mut waiting = vec![(*root, None)];
        while let Some((digest, children)) = waiting.pop() {
            if self.known.contains_key(&digest) {
                continue;
            }
            let children: Vec<Digest> = match children {
                Some(children) => children,
                None => {
                    let message = if self.is_good(&digest) { read_directory(&self.cas, &digest).ok() } else { None };
                    let nodes = message.as_ref().and_then(|message| {
                        let files = message.files.iter().map(|node| (&node.digest, &node.name, false));
                        let below = message.directories.iter().map(|node| (&node.digest, &node.name, true));
                        let all = files.chain(below).map(|(digest, name, is_directory)| {
                            directory::node_digest(digest, name).ok().map(|digest| (digest, is_directory))
                        });
                        all.collect::<Option<Vec<_>>>()
                    });
                    let Some(nodes) = nodes else {
                        self.known.insert(digest, Rc::from([digest]));
                        continue;
                    };
                    let missing: Vec<Digest> = nodes
                        .iter()
                        .filter(|(digest, is_directory)| !is_directory && !self.is_good(digest))
                        .map(|(digest, _)| *digest)
                        .collect();
                    let children: Vec<Digest> = nodes.iter().filter(|node| node.1).map(|node| node.0).collect();
                    if children.is_empty() || missing.len() >= MOST {
                        self.known.insert(digest, missing.into());
                        continue;
                    }
                    let rest = children.clone();
                    // Its own files are looked at again when the directories below are known.
                    waiting.push((digest, Some(children)));
                    waiting.extend(rest.into_iter().map(|child| (child, None)));
                    continue;
                }
            };
            let mut missing = self.own_files(&digest);
            for child in children {
                missing.extend(self.known.get(&child).into_iter().flat_map(|known| known.iter()));
                missing.truncate(MOST);
            }
            self.known.insert(digest, missing.into());
        }
        self.known.get(root).cloned().unwrap_or_else(|| Rc::from([*root]))
    }

    fn own_files(&self, digest: &Digest) -> Vec<Digest> {
        let Ok(message) = read_directory(&self.cas, digest) else { return vec![*digest] };
        let files = message.files.iter().filter_map(|node| directory::node_digest(&node.digest, &node.name).ok());
        files.filter(|digest| !self.is_good(digest)).collect()
    }
}
