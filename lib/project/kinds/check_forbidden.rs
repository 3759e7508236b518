//! Kind check_forbidden of buildstream-plugins-community: refuses to have certain elements below.

use super::{Configured, ElementView, Kind, texts};
use crate::values::Result;
use crate::values::assembly::CheckForbidden;
use crate::values::record::Instructions;
use serde_json::json;
use std::collections::{BTreeSet, HashSet};

pub const KIND: Kind = Kind::new(configure);

fn configure(view: &ElementView) -> Result<Configured> {
    view.config.check_keys(&["forbidden"])?;
    let forbidden: BTreeSet<String> = texts(view.config, "forbidden")?.into_iter().collect();
    let plugin_key = json!({"forbidden": forbidden});
    let instructions = Instructions::CheckForbidden(CheckForbidden { found: found(view, &forbidden) });
    Ok(Configured::new(plugin_key, instructions))
}

/// The ways from a direct build dependency to forbidden elements.
fn found(view: &ElementView, forbidden: &BTreeSet<String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let builds = view.dependencies.iter().filter(|dependency| dependency.when.builds());
    for dependency in builds {
        // Each entry knows how long the way to it is: what is longer has been left again.
        let mut way: Vec<String> = Vec::new();
        let mut todo = vec![(dependency.id, 0)];
        while let Some((id, depth)) = todo.pop() {
            if !seen.insert(id) {
                continue;
            }
            let member = view.graph.member(id);
            way.truncate(depth);
            way.push(member.full_name.to_owned());
            if forbidden.contains(member.name) {
                found.push(way.clone());
                continue;
            }
            let runs = view.graph.depends(id).into_iter().filter(|(_, when)| when.runs());
            todo.extend(runs.map(|(id, _)| (id, depth + 1)));
        }
    }
    found
}
