//! What is blocked by what, as a tree: failed elements, and below each those that need it.

use super::Shown;
use crate::edge::colour::{Brush, Style};
use crate::edge::words::{one_line, reason};
use crate::values::Key;
use crate::values::name::local_name;
use crate::values::record::Action;
use std::collections::{HashMap, HashSet};

/// The tree; nothing if nothing failed.
pub(super) fn tree(all: &[Shown], brush: Brush) -> String {
    let forest = Forest::new(all, brush);
    let mut text = String::new();
    let mut expanded = HashSet::new();
    for (index, shown) in all.iter().enumerate() {
        if shown.failed() {
            forest.draw(index, &mut expanded, &mut text);
        }
    }
    text
}

type Name<'a> = (&'a str, &'a str, Option<Key>);

struct Forest<'a> {
    all: &'a [Shown],
    /// By element: those blocked elements that depend on it directly.
    above: HashMap<Name<'a>, Vec<usize>>,
    brush: Brush,
}

impl<'a> Forest<'a> {
    fn new(all: &'a [Shown], brush: Brush) -> Forest<'a> {
        let mut above: HashMap<Name<'a>, Vec<usize>> = HashMap::new();
        for (index, shown) in all.iter().enumerate() {
            if shown.schedule.as_ref().is_some_and(|schedule| schedule.action == Action::Blocked) {
                for dependency in &shown.depends {
                    let name = (dependency.project.as_str(), local_name(&dependency.element), dependency.key);
                    let users = above.entry(name).or_default();
                    if users.last() != Some(&index) {
                        users.push(index);
                    }
                }
            }
        }
        Forest { all, above, brush }
    }

    fn above(&self, index: usize) -> &[usize] {
        let shown = &self.all[index];
        let name = (shown.identity.project.as_str(), local_name(&shown.identity.element), shown.key);
        self.above.get(&name).map_or(&[], Vec::as_slice)
    }

    /// One failed element with all above it, without recursion: a chain may be long.
    fn draw(&self, root: usize, expanded: &mut HashSet<usize>, text: &mut String) {
        let mut pending = vec![(root, String::new(), String::new())];
        while let Some((index, lead, below)) = pending.pop() {
            let first = expanded.insert(index);
            let above = self.above(index);
            *text += &lead;
            *text += &self.label(index);
            if !first && !above.is_empty() {
                *text += " (see above)";
            }
            *text += "\n";
            if first {
                for (number, &user) in above.iter().enumerate().rev() {
                    let is_last = number + 1 == above.len();
                    let (branch, stem) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
                    pending.push((user, format!("{below}{branch}"), format!("{below}{stem}")));
                }
            }
        }
    }

    fn label(&self, index: usize) -> String {
        let shown = &self.all[index];
        let name = self.brush.paint(Style::BoldBlue, &one_line(&shown.identity.element));
        if !shown.failed() {
            return name;
        }
        let why = match (&shown.error, &shown.result) {
            (Some(problem), _) => one_line(&problem.message),
            (None, Some(result)) => reason(result),
            (None, None) => String::new(),
        };
        format!("{name} {}", self.brush.paint(Style::Red, &format!("{}: {why}", shown.state.word())))
    }
}
