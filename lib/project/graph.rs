//! The elements that were loaded, each after what it depends on, with dependencies in BuildStream's order
//! (spec: keys 3.3, 3.4).

use super::kinds;
use super::loader::{Declaration, Element};
use super::parallel;
use super::sort;
use crate::values::record::DependencyType;
use crate::values::{Error, Result};
use std::cmp::Ordering;
use std::sync::Arc;

/// The graph.
pub struct Graph {
    /// Each after what it depends on.
    pub nodes: Vec<Node>,
    /// By number in the session: where it is in `nodes`, or why it is not.
    places: Vec<Place>,
}

/// An element.
pub struct Node {
    pub element: Arc<Element>,
    /// Sorted.
    pub edges: Vec<Edge>,
}

/// A direct dependency.
pub struct Edge {
    /// Position in `nodes`.
    pub to: usize,
    pub declaration: Declaration,
}

#[derive(Clone)]
enum Place {
    /// Nobody asked for it, or it is still being looked at.
    None,
    Open,
    At(usize),
    /// It is in a circle, or depends on one.
    Circle(Error),
}

/// Which elements of a graph are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The targets and all that they depend on.
    All,
    /// What is staged to build the targets, without them.
    Build,
    /// The targets and what they need to run.
    Run,
    /// The targets.
    None,
}

impl Graph {
    /// The graph of everything that these elements depend on.
    pub fn new(targets: &[Arc<Element>], threads: usize) -> Graph {
        let mut graph = Graph { nodes: Vec::new(), places: Vec::new() };
        for target in targets {
            graph.add(target);
        }
        graph.sort(threads);
        graph
    }

    /// Where an element is; the error of a circle if it depends on one.
    pub fn position(&self, element: &Element) -> Result<usize> {
        match self.places.get(element.id) {
            Some(Place::At(position)) => Ok(*position),
            Some(Place::Circle(error)) => Err(error.clone()),
            _ => Err(Error::load("invalid-data", format!("{} was not loaded", element.full_name))),
        }
    }

    fn place(&mut self, id: usize) -> &mut Place {
        if self.places.len() <= id {
            self.places.resize(id + 1, Place::None);
        }
        &mut self.places[id]
    }

    fn add(&mut self, target: &Arc<Element>) {
        if !matches!(self.place(target.id), Place::None) {
            return;
        }
        *self.place(target.id) = Place::Open;
        // Each with the number of its dependencies that are done, and the circle that it depends on.
        let mut path: Vec<(Arc<Element>, usize, Option<Error>)> = vec![(target.clone(), 0, None)];
        while let Some((element, done, circle)) = path.last_mut() {
            let Some(next) = element.dependencies().get(*done).map(|dependency| dependency.element.clone()) else {
                let (finished, circle) = (element.clone(), circle.take());
                path.pop();
                let id = finished.id;
                *self.place(id) = match circle {
                    Some(error) => Place::Circle(error),
                    None => self.enter(finished),
                };
                continue;
            };
            match self.place(next.id).clone() {
                Place::At(_) => *done += 1,
                Place::Circle(error) => {
                    circle.get_or_insert(error);
                    *done += 1;
                }
                Place::Open => {
                    let error = circular(&path, &next);
                    if let Some((_, done, circle)) = path.last_mut() {
                        circle.get_or_insert(error);
                        *done += 1;
                    }
                }
                Place::None => {
                    *self.place(next.id) = Place::Open;
                    path.push((next, 0, None));
                }
            }
        }
    }

    fn enter(&mut self, element: Arc<Element>) -> Place {
        let edges = element
            .dependencies()
            .iter()
            .filter_map(|dependency| match self.places.get(dependency.element.id) {
                Some(Place::At(to)) => Some(Edge { to: *to, declaration: dependency.declaration.clone() }),
                _ => None,
            })
            .collect();
        self.nodes.push(Node { element, edges });
        Place::At(self.nodes.len() - 1)
    }

    fn sort(&mut self, threads: usize) {
        let below = Below::new(&self.nodes);
        let orders = parallel::in_order(
            self.nodes.len(),
            |_| std::iter::empty(),
            threads,
            || (),
            |index, ()| below.order(&self.nodes, index),
        );
        for (node, order) in self.nodes.iter_mut().zip(orders) {
            let mut edges: Vec<Option<Edge>> = node.edges.drain(..).map(Some).collect();
            node.edges = order.into_iter().filter_map(|position| edges[position].take()).collect();
        }
    }

    /// The elements of a scope, dependencies first.
    pub fn scope(&self, targets: &[usize], scope: Scope) -> Vec<usize> {
        let mut marked = vec![false; self.nodes.len()];
        let mut found = Vec::new();
        for &target in targets {
            match scope {
                Scope::All => self.walk(target, &mut marked, &mut found, |node| {
                    let builds = node.edges.iter().filter(|edge| edge.declaration.when.builds());
                    let runs = node.edges.iter().filter(|edge| edge.declaration.when.runs());
                    builds.chain(runs).map(|edge| edge.to).collect()
                }),
                Scope::Run => self.walk(target, &mut marked, &mut found, runs),
                Scope::Build => {
                    let builds = self.nodes[target].edges.iter().filter(|edge| edge.declaration.when.builds());
                    builds.for_each(|edge| self.walk(edge.to, &mut marked, &mut found, runs));
                }
                Scope::None => self.walk(target, &mut marked, &mut found, |_| Vec::new()),
            }
        }
        found
    }

    fn walk(&self, start: usize, marked: &mut [bool], found: &mut Vec<usize>, next: impl Fn(&Node) -> Vec<usize>) {
        if std::mem::replace(&mut marked[start], true) {
            return;
        }
        let mut path = vec![(start, next(&self.nodes[start]).into_iter())];
        while let Some((position, rest)) = path.last_mut() {
            match rest.next() {
                Some(to) if std::mem::replace(&mut marked[to], true) => {}
                Some(to) => path.push((to, next(&self.nodes[to]).into_iter())),
                None => {
                    found.push(*position);
                    path.pop();
                }
            }
        }
    }
}

fn runs(node: &Node) -> Vec<usize> {
    node.edges.iter().filter(|edge| edge.declaration.when.runs()).map(|edge| edge.to).collect()
}

fn circular(path: &[(Arc<Element>, usize, Option<Error>)], again: &Element) -> Error {
    let start = path.iter().position(|(element, ..)| element.id == again.id).unwrap_or(0);
    let mut names: Vec<&str> = path[start..].iter().map(|(element, ..)| &*element.full_name).collect();
    names.push(&again.full_name);
    let message = format!("the element {} depends on itself: {}", again.full_name, names.join(" -> "));
    Error::load("circular-dependency", message)
}

/// For each element all that it depends on, as bits by position.
struct Below(Vec<Vec<u64>>);

impl Below {
    fn new(nodes: &[Node]) -> Below {
        let mut below: Vec<Vec<u64>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let highest = node.edges.iter().map(|edge| edge.to + 1).max().unwrap_or(0);
            let mut bits = vec![0u64; highest.div_ceil(64)];
            for edge in &node.edges {
                bits[edge.to / 64] |= 1 << (edge.to % 64);
                bits.iter_mut().zip(&below[edge.to]).for_each(|(bit, other)| *bit |= other);
            }
            below.push(bits);
        }
        Below(below)
    }

    fn depends(&self, a: usize, b: usize) -> bool {
        self.0[a].get(b / 64).is_some_and(|bits| bits >> (b % 64) & 1 == 1)
    }

    /// The order of an element's edges.
    fn order(&self, nodes: &[Node], index: usize) -> Vec<usize> {
        let edges = &nodes[index].edges;
        let mut order: Vec<usize> = (0..edges.len()).collect();
        sort::sort(&mut order, &mut |a, b| self.compare(nodes, &edges[a], &edges[b]) == Ordering::Less);
        order
    }

    fn compare(&self, nodes: &[Node], a: &Edge, b: &Edge) -> Ordering {
        if self.depends(a.to, b.to) {
            return Ordering::Greater;
        }
        if self.depends(b.to, a.to) {
            return Ordering::Less;
        }
        let late = |edge: &Edge| edge.declaration.when == DependencyType::Runtime;
        let (element, other) = (&nodes[a.to].element, &nodes[b.to].element);
        let junctions = || match (&element.project.junction, &other.project.junction) {
            (Some(a), Some(b)) => a.name.cmp(&b.name),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        late(a).cmp(&late(b)).then_with(|| element.name.cmp(&other.name)).then_with(junctions)
    }
}

impl kinds::Graph for Graph {
    fn member(&self, id: usize) -> kinds::Member<'_> {
        let element = &self.nodes[id].element;
        kinds::Member {
            project: &element.project.name,
            name: &element.name,
            full_name: &element.full_name,
            kind: &element.kind,
        }
    }

    fn depends(&self, id: usize) -> Vec<(usize, DependencyType)> {
        self.nodes[id].edges.iter().map(|edge| (edge.to, edge.declaration.when)).collect()
    }
}
