//! Cache keys (spec: keys 0 and 3.6): the weak key, the strict key, and the strong key of non-strict mode.
//!
//! The text of a key starts with the dependencies, and an element's dependencies start as those of many
//! others do. So the hash of a start that several elements share is kept, and each goes on from there
//! ([`prefix`]). The rest of the text is the element's own ([`text`]).

mod prefix;
mod text;

use super::parallel;
use crate::values::Key;
use crate::values::record::{Build, DependencyType, Source};
use prefix::{Marks, Prefixes};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// What of an element enters its keys.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The name of its project.
    pub project: &'a str,
    /// Its name in the project, without junctions.
    pub element: &'a str,
    pub kind: &'a str,
    pub build: &'a Build,
    pub sources: &'a [Source],
}

/// An element of a graph.
#[derive(Clone)]
pub struct Node<'a> {
    /// Absent where the element cannot be keyed: then neither it nor what depends on it has a key.
    pub subject: Option<Subject<'a>>,
    /// Direct dependencies in sorted order (spec: keys 3.3). Each stands before this one in the graph.
    pub depends: Vec<Edge>,
}

/// A direct dependency.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Its position in the graph.
    pub index: u32,
    pub when: DependencyType,
    pub strict: bool,
}

impl Node<'_> {
    fn builds(&self) -> impl Iterator<Item = u32> {
        self.depends.iter().filter(|edge| edge.when.builds()).map(|edge| edge.index)
    }
}

/// The keys of an element; absent where a source has no ref, here or below.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Keys {
    pub weak: Option<Key>,
    pub strict: Option<Key>,
}

/// Which key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    Weak,
    /// In strict mode the strong key as well.
    Strict,
}

/// The keys of every element, computed on so many threads.
pub fn keys(nodes: &[Node], threads: usize) -> Vec<Keys> {
    let graph = Graph::new(nodes);
    graph.each(threads, |index, marks| {
        let keys = graph.keys_of(index, marks);
        graph.enter(index, keys);
        keys
    })
}

/// The strong keys of non-strict mode. `cached` gives the strong key of the artifact that the strict or else
/// the weak key finds; where there is none the key is made of the dependencies' strong keys (spec: keys 4).
pub fn strong_keys(nodes: &[Node], keys: &[Keys], cached: impl Fn(usize) -> Option<Key> + Sync) -> Vec<Option<Key>> {
    let graph = Graph::new(nodes);
    graph.each(1, |index, marks| {
        let computed = || graph.strict_key(index, &text::rest(nodes[index].subject?)?, keys.get(index)?.weak?, marks);
        let strict = cached(index).or_else(computed);
        graph.enter(index, Keys { weak: None, strict });
        strict
    })
}

/// The exact text whose hash is a key of the element at `index`. `keys`: what [`keys`] gave.
pub fn explain(nodes: &[Node], index: usize, which: Which, keys: &[Keys]) -> Option<Vec<u8>> {
    let graph = Graph::new(nodes);
    for (dependency, &keys) in keys.iter().enumerate().take(index) {
        graph.enter(dependency, keys);
    }
    let form = match which {
        Which::Weak => graph.weak_form(index),
        Which::Strict => Form::Strict,
    };
    let mut out = text::HEAD.to_vec();
    for (position, dependency) in build_scope(nodes, index).into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(graph.entry(form, index, dependency)?);
    }
    out.append(&mut text::rest(nodes[index].subject?)?);
    match which {
        Which::Weak => out.push(b'}'),
        Which::Strict => out.extend_from_slice(&text::end(keys.get(index)?.weak?)),
    }
    Some(out)
}

/// The build scope of an element in staging order: its build dependencies with what they need to run (spec:
/// keys 3.4).
pub fn build_scope(nodes: &[Node], index: usize) -> Vec<u32> {
    let mut scope = Vec::new();
    let mut marks = Marks::new(nodes.len());
    nodes[index].builds().for_each(|dependency| prefix::run(nodes, dependency, &mut marks, &mut scope));
    scope
}

/// The name under which the store keeps an element's staged sources; none if one has no ref.
pub fn sources_key(sources: &[Source]) -> Option<Key> {
    let mut out = Vec::new();
    text::sources(&mut out, sources)?;
    Some(Key::new(Sha256::digest(&out).into()))
}

/// What the entries of `dependencies` are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Without key.
    Names,
    /// With the weak key.
    Weak,
    /// With the weak key for the direct dependencies that are strict, without key for others.
    Mixed,
    /// With the strict key, or in non-strict mode the strong key.
    Strict,
}

struct Graph<'a> {
    nodes: &'a [Node<'a>],
    prefixes: Prefixes,
    /// Entries of `dependencies`: open at the end, closed, with the weak key, and with the strict key.
    open: Vec<Box<[u8]>>,
    names: Vec<Box<[u8]>>,
    weak: Vec<OnceLock<Box<[u8]>>>,
    strict: Vec<OnceLock<Box<[u8]>>>,
}

impl<'a> Graph<'a> {
    fn new(nodes: &'a [Node<'a>]) -> Graph<'a> {
        let open: Vec<Box<[u8]>> =
            nodes.iter().map(|node| node.subject.map_or_else(Box::default, text::pair)).collect();
        let none = || nodes.iter().map(|_| OnceLock::new()).collect();
        Graph {
            nodes,
            prefixes: Prefixes::new(nodes),
            names: open.iter().map(|pair| [pair, &b"]"[..]].concat().into_boxed_slice()).collect(),
            open,
            weak: none(),
            strict: none(),
        }
    }

    /// Calls `of` for each element after what it depends on.
    fn each<T: Send + Sync>(&self, threads: usize, of: impl Fn(usize, &mut Marks) -> T + Sync) -> Vec<T> {
        let depends = |index: usize| self.nodes[index].depends.iter().map(|edge| edge.index as usize);
        parallel::in_order(self.nodes.len(), depends, threads, || Marks::new(self.nodes.len()), of)
    }

    /// Makes an element's keys known to what depends on it.
    fn enter(&self, index: usize, keys: Keys) {
        if let Some(key) = keys.weak {
            self.weak[index].get_or_init(|| text::triple(&self.open[index], key));
        }
        if let Some(key) = keys.strict {
            self.strict[index].get_or_init(|| text::triple(&self.open[index], key));
        }
    }

    fn keys_of(&self, index: usize, marks: &mut Marks) -> Keys {
        let Some(rest) = self.nodes[index].subject.and_then(text::rest) else { return Keys::default() };
        let weak = self.weak_key(index, &rest, marks);
        let strict = weak.and_then(|weak| self.strict_key(index, &rest, weak, marks));
        Keys { weak, strict }
    }

    fn weak_key(&self, index: usize, rest: &[u8], marks: &mut Marks) -> Option<Key> {
        let state = match self.weak_form(index) {
            Form::Mixed => {
                let scope = build_scope(self.nodes, index);
                let head = Sha256::new_with_prefix(text::HEAD);
                prefix::feed(head, false, &scope, &|dependency| self.entry(Form::Mixed, index, dependency))
            }
            form => self.start(index, form, marks),
        };
        Some(Key::new(state?.chain_update(rest).chain_update(b"}").finalize().into()))
    }

    fn strict_key(&self, index: usize, rest: &[u8], weak: Key, marks: &mut Marks) -> Option<Key> {
        let state = self.start(index, Form::Strict, marks)?;
        Some(Key::new(state.chain_update(rest).chain_update(text::end(weak)).finalize().into()))
    }

    fn start(&self, index: usize, form: Form, marks: &mut Marks) -> Option<Sha256> {
        let number = match form {
            Form::Names | Form::Mixed => 0,
            Form::Weak => 1,
            Form::Strict => 2,
        };
        self.prefixes.state(self.nodes, index, number, |dependency| self.entry(form, index, dependency), marks)
    }

    /// How a weak key speaks of the dependencies (spec: keys 3.6).
    fn weak_form(&self, index: usize) -> Form {
        let node = &self.nodes[index];
        if node.subject.is_some_and(|subject| subject.build.strict_rebuild) {
            Form::Weak
        } else if node.depends.iter().any(|edge| edge.strict && edge.when.builds()) {
            Form::Mixed
        } else {
            Form::Names
        }
    }

    /// The entry of `dependency` in a key of the element at `index`.
    fn entry(&self, form: Form, index: usize, dependency: u32) -> Option<&[u8]> {
        let position = dependency as usize;
        match form {
            Form::Names => self.nodes[position].subject.map(|_| &*self.names[position]),
            Form::Weak => self.weak[position].get().map(|entry| &**entry),
            Form::Strict => self.strict[position].get().map(|entry| &**entry),
            Form::Mixed => {
                let mut strict = self.nodes[index].depends.iter().filter(|edge| edge.strict && edge.when.builds());
                let form = if strict.any(|edge| edge.index == dependency) { Form::Weak } else { Form::Names };
                self.entry(form, index, dependency)
            }
        }
    }
}

#[cfg(test)]
mod tests;
