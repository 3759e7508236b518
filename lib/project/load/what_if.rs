//! What a change would rebuild.

use super::{Line, Loaded, key_nodes};
use crate::project::cachekey::{self, Keys};
use crate::values::record::Build;
use crate::values::{Error, Result};
use std::collections::HashMap;

impl Loaded {
    /// Leaves only the lines of elements that would get another key if these elements changed: another strict
    /// key, or with `lenient`, as builds in non-strict mode go, another weak key.
    pub fn what_if(&mut self, changed: &[String], lenient: bool) -> Result<()> {
        let mut builds: HashMap<usize, Build> = HashMap::new();
        for name in changed {
            let node = self.graph.nodes.iter().position(|node| node.element.full_name == *name);
            let position = node.ok_or_else(|| Error::usage(format!("--what-if: nothing here depends on {name}")))?;
            let Some(resolved) = &self.resolved[position] else { continue };
            let mut build = resolved.build.clone();
            // Part of every key, and not what any element really has.
            build.build_root.push('\0');
            builds.insert(position, build);
        }
        let mut nodes = key_nodes(&self.graph, &self.resolved);
        for (&position, build) in &builds {
            if let Some(subject) = &mut nodes[position].subject {
                subject.build = build;
            }
        }
        let then = cachekey::keys(&nodes, self.session.settings.threads);
        let key = |keys: &Keys| if lenient { keys.weak } else { keys.strict };
        self.lines.retain(|line| match line {
            Line::Element(position) => key(&then[*position]) != key(&self.keys[*position]),
            Line::Broken { .. } => true,
        });
        Ok(())
    }
}
