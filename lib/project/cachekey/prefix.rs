//! The starts that texts have in common.
//!
//! The dependencies in a text are, for each direct build dependency in order, that dependency and what it
//! needs to run, without what came before (spec: keys 3.4). Elements whose first build dependencies are the
//! same therefore share the start of their text. The starts form a tree: one level down is one more build
//! dependency. Only starts that several elements have are kept.

use super::Node;
use super::text::HEAD;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// A set of elements that is emptied at no cost.
pub struct Marks {
    round: u32,
    rounds: Vec<u32>,
    /// Scratch of [`run`]: an element, and how many of its dependencies have been looked at.
    stack: Vec<(u32, u32)>,
}

impl Marks {
    /// For a graph of so many elements.
    pub fn new(count: usize) -> Marks {
        Marks { round: 1, rounds: vec![0; count], stack: Vec::new() }
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.round += 1;
    }

    /// Puts an element in; whether it was not in it before.
    pub fn insert(&mut self, index: u32) -> bool {
        std::mem::replace(&mut self.rounds[index as usize], self.round) != self.round
    }
}

/// Appends `start` and what it needs to run, dependencies first, leaving out what is marked.
pub fn run(nodes: &[Node], start: u32, marks: &mut Marks, out: &mut Vec<u32>) {
    if !marks.insert(start) {
        return;
    }
    marks.stack.push((start, 0));
    while let Some((index, next)) = marks.stack.pop() {
        let Some(edge) = nodes[index as usize].depends.get(next as usize) else {
            out.push(index);
            continue;
        };
        marks.stack.push((index, next + 1));
        if edge.when.runs() && marks.insert(edge.index) {
            marks.stack.push((edge.index, 0));
        }
    }
}

/// A start that several elements have.
#[derive(Default)]
struct Prefix {
    /// The start that this one makes longer by one build dependency.
    parent: usize,
    depends: u32,
    /// What this one has that its parent has not.
    adds: OnceLock<Box<[u32]>>,
    /// The hash up to its end, for each form; nothing where a key is missing.
    states: [OnceLock<Option<Sha256>>; 3],
}

/// The starts that more than one element has, as a tree.
pub struct Prefixes {
    /// The first is the empty one.
    all: Vec<Prefix>,
    /// The longest of each element, and how many of its build dependencies are in it.
    of: Vec<(usize, usize)>,
}

impl Prefixes {
    pub fn new(nodes: &[Node]) -> Prefixes {
        let lists: Vec<Vec<u32>> = nodes.iter().map(|node| node.builds().collect()).collect();
        let mut order: Vec<usize> = (0..nodes.len()).collect();
        order.sort_unstable_by(|&a, &b| lists[a].cmp(&lists[b]));
        let mut prefixes = Prefixes { all: vec![Prefix::default()], of: vec![(0, 0); nodes.len()] };
        // The starts of the element at hand that are shared, from the shortest.
        let mut path: Vec<usize> = Vec::new();
        let mut with_last = 0;
        for (position, &index) in order.iter().enumerate() {
            let list = &lists[index];
            let with_next = order.get(position + 1).map_or(0, |&next| common(list, &lists[next]));
            path.truncate(with_last);
            for &depends in &list[path.len()..with_last.max(with_next)] {
                let parent = path.last().copied().unwrap_or(0);
                path.push(prefixes.all.len());
                prefixes.all.push(Prefix { parent, depends, ..Prefix::default() });
            }
            prefixes.of[index] = (path.last().copied().unwrap_or(0), path.len());
            with_last = with_next;
        }
        prefixes
    }

    /// The hash of the text of an element up to the end of the dependencies. `form` numbers what the entries
    /// are, and `entry` gives them.
    pub fn state<'a>(
        &self,
        nodes: &[Node],
        index: usize,
        form: usize,
        entry: impl Fn(u32) -> Option<&'a [u8]>,
        marks: &mut Marks,
    ) -> Option<Sha256> {
        let (prefix, length) = self.of[index];
        let mut tail = nodes[index].builds().skip(length).peekable();
        let known = self.all[prefix].states[form].get();
        if let (Some(state), None) = (known, tail.peek()) {
            return state.clone();
        }
        let state = self.shared(nodes, prefix, form, &entry, marks)?;
        let mut more = Vec::new();
        tail.for_each(|dependency| run(nodes, dependency, marks, &mut more));
        feed(state, prefix != 0, &more, &entry)
    }

    /// The hash up to the end of a start; its elements are marked afterwards.
    fn shared<'a>(
        &self,
        nodes: &[Node],
        prefix: usize,
        form: usize,
        entry: &impl Fn(u32) -> Option<&'a [u8]>,
        marks: &mut Marks,
    ) -> Option<Sha256> {
        let mut path = Vec::new();
        let mut at = prefix;
        while at != 0 {
            path.push(at);
            at = self.all[at].parent;
        }
        marks.clear();
        let mut state = self.all[0].states[form].get_or_init(|| Some(Sha256::new_with_prefix(HEAD)));
        for &at in path.iter().rev() {
            let Prefix { parent, depends, adds, states } = &self.all[at];
            let adds = match adds.get() {
                Some(adds) => {
                    adds.iter().for_each(|&index| _ = marks.insert(index));
                    adds
                }
                None => {
                    let mut found = Vec::new();
                    run(nodes, *depends, marks, &mut found);
                    adds.get_or_init(|| found.into_boxed_slice())
                }
            };
            let longer = || feed(state.clone()?, *parent != 0, adds, entry);
            state = states[form].get_or_init(longer);
        }
        state.clone()
    }
}

/// How many items at the start of two lists are the same.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Hashes the entries of elements; nothing if one is missing. `more`: whether entries went before.
pub fn feed<'a>(
    mut state: Sha256,
    more: bool,
    elements: &[u32],
    entry: &impl Fn(u32) -> Option<&'a [u8]>,
) -> Option<Sha256> {
    const CHUNK: usize = 16 * 1024;
    let mut buffer = Vec::with_capacity(CHUNK + 512);
    let mut comma = more;
    for &index in elements {
        if comma {
            buffer.push(b',');
        }
        comma = true;
        buffer.extend_from_slice(entry(index)?);
        if buffer.len() >= CHUNK {
            state.update(&buffer);
            buffer.clear();
        }
    }
    state.update(&buffer);
    Some(state)
}
