//! The build scope: what an element's build stages.

use super::graph::{Graph, Index};
use crate::values::record::Staged;

/// Finds build scopes; keeps its tables from one to the next.
#[derive(Debug, Default)]
pub struct Scopes {
    /// By node: in which search it was last seen, and its position in that search's result.
    seen: Vec<(u32, usize)>,
    search: u32,
}

impl Scopes {
    /// The build dependencies of an element with their runtime dependencies, in staging order (spec: keys
    /// 3.4). `None` where it is not known: an element of it has no key, or no record in the stream.
    pub fn build_scope(&mut self, graph: &Graph, index: Index) -> Option<Vec<Staged>> {
        self.seen.resize(graph.len(), (0, 0));
        self.search += 1;
        let mut staged: Vec<Staged> = Vec::new();
        for &first in &graph[index].build {
            self.visit(graph, first, &mut staged)?;
        }
        Some(staged)
    }

    /// Depth first, the element after its runtime dependencies; without recursion, for chains may be long.
    fn visit(&mut self, graph: &Graph, first: Index, staged: &mut Vec<Staged>) -> Option<()> {
        let mut path: Vec<(Index, usize)> = Vec::new();
        self.enter(first, &mut path);
        while let Some((index, next)) = path.last_mut() {
            let node = &graph[*index];
            if !node.known {
                return None;
            }
            if let Some(&dependency) = node.run.get(*next) {
                *next += 1;
                self.enter(dependency, &mut path);
                continue;
            }
            self.seen[*index].1 = staged.len();
            staged.push(Staged {
                element: node.identity.element.clone(),
                key: node.effective.or(node.key)?,
                project: node.identity.project.clone(),
                runtime: node.run.iter().map(|&dependency| self.seen[dependency].1).collect(),
            });
            path.pop();
        }
        Some(())
    }

    fn enter(&mut self, index: Index, path: &mut Vec<(Index, usize)>) {
        if self.seen[index].0 != self.search {
            self.seen[index] = (self.search, 0);
            path.push((index, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Key;

    #[test]
    fn dependencies_come_after_what_they_need_at_run_time() {
        let mut graph = Graph::default();
        let key = |number: u8| Some(Key::new([number; 32]));
        for number in 0..5 {
            graph.node("p", &format!("{number}.bst"), key(number));
        }
        graph.connect(0, vec![], vec![]);
        graph.connect(1, vec![], vec![0]);
        graph.connect(2, vec![0], vec![1, 0]);
        graph.connect(3, vec![], vec![]);
        graph.connect(4, vec![3, 2, 1], vec![]);
        let scope = Scopes::default().build_scope(&graph, 4).unwrap();
        let shown: Vec<_> = scope.iter().map(|staged| (staged.element.as_str(), staged.runtime.as_slice())).collect();
        assert_eq!(shown, [("3.bst", &[][..]), ("0.bst", &[]), ("1.bst", &[1]), ("2.bst", &[2, 1])]);
    }

    #[test]
    fn a_scope_with_an_unknown_element_is_not_known() {
        let mut graph = Graph::default();
        let missing = graph.node("p", "missing.bst", Some(Key::new([0; 32])));
        let element = graph.node("p", "a.bst", Some(Key::new([1; 32])));
        graph.connect(element, vec![missing], vec![]);
        assert_eq!(Scopes::default().build_scope(&graph, element), None);
    }
}
