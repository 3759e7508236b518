//! Projects that are there several times: an error unless they are declared as duplicates or as internal
//! (spec: keys 3.5).

use super::conf::Project;
use super::graph::Graph;
use super::loader::Session;
use crate::values::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The projects of a load, where a name is there several times.
pub struct Conflicts<'a> {
    graph: &'a Graph,
    /// By name, only those that several projects have.
    several: HashMap<String, Vec<Arc<Project>>>,
    /// The projects that the first one needs for itself.
    always: Vec<Arc<Project>>,
}

impl<'a> Conflicts<'a> {
    /// Looks for names that are there several times.
    pub fn new(session: &Session, graph: &'a Graph) -> Conflicts<'a> {
        let mut several: HashMap<String, Vec<Arc<Project>>> = HashMap::new();
        for project in session.projects() {
            several.entry(project.name.clone()).or_default().push(project);
        }
        several.retain(|_, projects| projects.len() > 1);
        let always = if several.is_empty() { None } else { session.top() };
        Conflicts { graph, several, always: always.into_iter().cloned().collect() }
    }

    /// The error of an element that needs projects which exclude one another.
    pub fn of(&self, position: usize) -> Option<Error> {
        if self.several.is_empty() {
            return None;
        }
        let used = self.used(position);
        let mut names: Vec<&String> = self.several.keys().collect();
        names.sort();
        names.into_iter().find_map(|name| {
            let projects = self.several[name].iter().filter(|project| used.contains(&Arc::as_ptr(project)));
            check(name, &projects.cloned().collect::<Vec<_>>()).err()
        })
    }

    /// The projects that are loaded when this element is the only target.
    fn used(&self, position: usize) -> HashSet<*const Project> {
        let mut used = HashSet::new();
        let mut waiting = self.always.clone();
        for member in self.graph.scope(&[position], super::graph::Scope::All) {
            let node = &self.graph.nodes[member];
            waiting.push(node.element.project.clone());
            for edge in &node.edges {
                let through = edge.declaration.junction.as_deref();
                waiting.extend(through.and_then(|path| node.element.project.through(path, None).ok()));
            }
        }
        while let Some(project) = waiting.pop() {
            if used.insert(Arc::as_ptr(&project)) {
                waiting.extend(project.junction.as_ref().map(|junction| junction.project.clone()));
                waiting.extend(project.used());
            }
        }
        used
    }
}

fn check(name: &str, projects: &[Arc<Project>]) -> Result<()> {
    let (mut primary, mut duplicated) = (0, 0);
    for project in projects {
        let (mut duplicate, mut internal) = (false, false);
        for above in project.ancestors() {
            let list = above.duplicates.iter().find(|(known, _)| **known == *name).map(|(_, list)| list);
            if let Some(list) = list {
                duplicate |= above.leads_to(list, project)?;
            }
            internal |= above.leads_to(&above.internal, project)?;
        }
        duplicated += usize::from(duplicate);
        primary += usize::from(!duplicate && !internal);
    }
    if primary > 1 || (primary == 1 && duplicated > 0) {
        let places: Vec<String> = projects.iter().map(|project| project.place()).collect();
        let message = format!(
            "the project \"{name}\" is there several times: {}; declare each as a duplicate, or all but one as internal, \
             under \"junctions\" of project.conf, or override one junction with the other",
            places.join(", ")
        );
        return Err(Error::load("conflicting-junction", message));
    }
    Ok(())
}
