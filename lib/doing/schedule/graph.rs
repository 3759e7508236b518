//! Which element waits for which, and what becomes of those that wait.
//!
//! An element can be built when each of its build dependencies can be used: is there, with all of its
//! runtime dependencies. An element that is there already waits for nothing.

use crate::values::name::local_name;
use crate::values::{Key, record::Identity};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// The number of a node.
pub type Index = usize;

/// The failed elements at the root of something that cannot be had; none if it was cancelled.
pub type Roots = Rc<BTreeSet<Index>>;

/// What became of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Good,
    Bad(Roots),
}

impl Fate {
    /// Failed, and itself the root.
    pub fn failed(index: Index) -> Fate {
        Fate::Bad(Rc::new(BTreeSet::from([index])))
    }

    /// Not done, and nobody failed.
    pub fn cancelled() -> Fate {
        Fate::Bad(Rc::default())
    }

    fn and(self, other: &Fate) -> Fate {
        match (self, other) {
            (Fate::Good, _) => other.clone(),
            (this, Fate::Good) => this,
            (Fate::Bad(mine), Fate::Bad(others)) => {
                if others.is_subset(&mine) {
                    Fate::Bad(mine)
                } else if mine.is_subset(others) {
                    Fate::Bad(Rc::clone(others))
                } else {
                    Fate::Bad(Rc::new(mine.union(others).copied().collect()))
                }
            }
        }
    }
}

/// One element under one key.
#[derive(Debug)]
pub struct Node {
    pub identity: Identity,
    pub key: Option<Key>,
    /// Its record came; otherwise it is only known as a dependency.
    pub known: bool,
    pub build: Vec<Index>,
    pub run: Vec<Index>,
    /// The key of the artifact that is used for it.
    pub effective: Option<Key>,
    wanted: bool,
    builders: Vec<Index>,
    runners: Vec<Index>,
    build_waits: usize,
    run_waits: usize,
    own: Option<Fate>,
    usable: Option<Fate>,
}

impl Node {
    /// What became of it.
    pub fn own(&self) -> Option<&Fate> {
        self.own.as_ref()
    }
}

/// The elements of a stream.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    by_key: HashMap<Option<Key>, Vec<Index>>,
    released: Vec<Index>,
}

impl Graph {
    /// The node of an element under a key; a new one if there is none.
    pub fn node(&mut self, project: &str, element: &str, key: Option<Key>) -> Index {
        let same = self.by_key.entry(key).or_default();
        for &index in same.iter() {
            let identity = &self.nodes[index].identity;
            // Through different junctions an element has different full names but one artifact.
            if identity.project == project && local_name(&identity.element) == local_name(element) {
                return index;
            }
        }
        let index = self.nodes.len();
        same.push(index);
        self.nodes.push(Node {
            identity: Identity { element: element.to_owned(), project: project.to_owned() },
            key,
            known: false,
            build: Vec::new(),
            run: Vec::new(),
            effective: None,
            wanted: false,
            builders: Vec::new(),
            runners: Vec::new(),
            build_waits: 0,
            run_waits: 0,
            own: None,
            usable: None,
        });
        index
    }

    /// Says what an element depends on, once.
    pub fn connect(&mut self, index: Index, build: Vec<Index>, run: Vec<Index>) {
        for &dependency in &build {
            if self.nodes[dependency].usable.is_none() {
                self.nodes[dependency].builders.push(index);
                self.nodes[index].build_waits += 1;
            }
        }
        for &dependency in &run {
            if self.nodes[dependency].usable.is_none() {
                self.nodes[dependency].runners.push(index);
                self.nodes[index].run_waits += 1;
            }
        }
        let node = &mut self.nodes[index];
        node.known = true;
        node.build = build;
        node.run = run;
    }

    /// Asks for the element to be built: it is released as soon as nothing is to wait for.
    pub fn want(&mut self, index: Index) {
        self.nodes[index].wanted = true;
        if self.nodes[index].build_waits == 0 && self.nodes[index].own.is_none() {
            self.released.push(index);
        }
    }

    /// Those that wait no longer since the last call: built or not, all that they need is decided.
    pub fn released(&mut self) -> Vec<Index> {
        std::mem::take(&mut self.released)
    }

    /// Whether an element's dependencies can all be used, and if not, who is to blame.
    pub fn prospect(&self, index: Index) -> Fate {
        self.nodes[index].build.iter().fold(Fate::Good, |fate, &dependency| match &self.nodes[dependency].usable {
            Some(usable) => fate.and(usable),
            None => fate,
        })
    }

    /// Says what became of an element.
    pub fn settle(&mut self, index: Index, fate: Fate) {
        self.nodes[index].own = Some(fate);
        if self.nodes[index].run_waits == 0 {
            self.conclude(index);
        }
    }

    /// Decides whether an element can be used, and tells those who wait for it.
    fn conclude(&mut self, first: Index) {
        let mut pending = vec![first];
        while let Some(index) = pending.pop() {
            let node = &self.nodes[index];
            let (Some(own), None) = (&node.own, &node.usable) else { continue };
            let usable = node.run.iter().fold(own.clone(), |fate, &dependency| match &self.nodes[dependency].usable {
                Some(usable) => fate.and(usable),
                None => fate,
            });
            self.nodes[index].usable = Some(usable);
            for builder in std::mem::take(&mut self.nodes[index].builders) {
                let node = &mut self.nodes[builder];
                node.build_waits -= 1;
                if node.build_waits == 0 && node.wanted && node.own.is_none() {
                    self.released.push(builder);
                }
            }
            for runner in std::mem::take(&mut self.nodes[index].runners) {
                self.nodes[runner].run_waits -= 1;
                if self.nodes[runner].run_waits == 0 {
                    pending.push(runner);
                }
            }
        }
    }

    /// A circle of elements that wait for each other, if nothing else can happen any more.
    pub fn circle(&self) -> Option<Vec<Index>> {
        let stuck = |index: Index| self.nodes[index].usable.is_none();
        let start = (0..self.nodes.len()).find(|&index| self.nodes[index].own.is_none() && self.nodes[index].known)?;
        let mut path = vec![start];
        let mut at = HashMap::from([(start, 0)]);
        loop {
            let node = &self.nodes[*path.last()?];
            let next = match node.own {
                None => node.build.iter().copied().find(|&dependency| stuck(dependency)),
                Some(_) => node.run.iter().copied().find(|&dependency| stuck(dependency)),
            }?;
            if let Some(&from) = at.get(&next) {
                return Some(path.split_off(from));
            }
            at.insert(next, path.len());
            path.push(next);
        }
    }

    /// Lets elements that wait only for each other's runtime be used as far as they are there.
    pub fn break_circle(&mut self, circle: &[Index]) {
        for &index in circle {
            self.conclude(index);
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
}

impl std::ops::Index<Index> for Graph {
    type Output = Node;

    fn index(&self, index: Index) -> &Node {
        &self.nodes[index]
    }
}

impl std::ops::IndexMut<Index> for Graph {
    fn index_mut(&mut self, index: Index) -> &mut Node {
        &mut self.nodes[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elements by number; each with its build and its runtime dependencies.
    fn graph(elements: &[(&[Index], &[Index])]) -> Graph {
        let mut graph = Graph::default();
        for number in 0..elements.len() {
            graph.node("p", &format!("{number}.bst"), None);
        }
        for (index, (build, run)) in elements.iter().enumerate() {
            graph.connect(index, build.to_vec(), run.to_vec());
            graph.want(index);
        }
        graph
    }

    #[test]
    fn an_element_waits_for_the_runtime_of_what_it_builds_on() {
        // 2 builds on 1, which needs 0 at run time.
        let mut graph = graph(&[(&[], &[]), (&[], &[0]), (&[1], &[])]);
        assert_eq!(graph.released(), [0, 1]);
        graph.settle(1, Fate::Good);
        assert!(graph.released().is_empty());
        graph.settle(0, Fate::Good);
        assert_eq!(graph.released(), [2]);
        assert_eq!(graph.prospect(2), Fate::Good);
    }

    #[test]
    fn all_roots_are_named() {
        let mut graph = graph(&[(&[], &[]), (&[], &[]), (&[0], &[]), (&[1], &[]), (&[2, 3], &[])]);
        graph.released();
        for root in [0, 1] {
            graph.settle(root, Fate::failed(root));
        }
        for index in graph.released() {
            let prospect = graph.prospect(index);
            graph.settle(index, prospect);
        }
        assert_eq!(graph.released(), [4]);
        assert_eq!(graph.prospect(4), Fate::Bad(Rc::new(BTreeSet::from([0, 1]))));
    }

    #[test]
    fn circles_are_found() {
        let graph = graph(&[(&[1], &[]), (&[2], &[]), (&[1], &[])]);
        assert_eq!(graph.circle(), Some(vec![1, 2]));
    }

    #[test]
    fn a_circle_of_runtime_dependencies_is_no_obstacle_for_what_is_there() {
        let mut graph = graph(&[(&[], &[1]), (&[], &[0]), (&[0], &[])]);
        graph.released();
        graph.settle(0, Fate::Good);
        graph.settle(1, Fate::Good);
        assert!(graph.released().is_empty());
        let circle = graph.circle().unwrap();
        graph.break_circle(&circle);
        assert_eq!(graph.released(), [2]);
    }
}
