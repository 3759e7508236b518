//! Projects that are there several times: an error unless they are declared as duplicates or as internal
//! (spec: keys 3.5).

use super::conf::Project;
use super::graph::{Graph, Node};
use super::loader::Session;
use crate::values::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Projects by their place in the order of loading.
type Set = BTreeSet<usize>;

/// Adds the errors of elements that need projects which exclude one another. An element is looked at as if it
/// were the only target: projects that only others need do not disturb it.
pub fn find(session: &Session, graph: &Graph, errors: &mut [Option<Error>]) {
    let projects = session.projects();
    let mut by_name: HashMap<&str, Set> = HashMap::new();
    for (index, project) in projects.iter().enumerate() {
        by_name.entry(&project.name).or_default().insert(index);
    }
    by_name.retain(|_, same| same.len() > 1);
    if by_name.is_empty() {
        return;
    }
    let numbers = projects.iter().enumerate().map(|(index, project)| (Arc::as_ptr(project), index)).collect();
    let always = closure(&projects, &numbers, session.top().cloned().into_iter().collect());
    let mut used: Vec<Arc<Set>> = Vec::with_capacity(graph.nodes.len());
    let mut known: HashMap<Arc<Set>, Option<Error>> = HashMap::new();
    for (node, error) in graph.nodes.iter().zip(errors) {
        let mut set = closure(&projects, &numbers, own(node));
        set.extend(&always);
        node.edges.iter().for_each(|edge| set.extend(used[edge.to].iter()));
        let set = Arc::new(set);
        let of_set = known.entry(set.clone()).or_insert_with(|| {
            let mut names: Vec<&&str> = by_name.keys().collect();
            names.sort();
            names.into_iter().find_map(|name| {
                let same = by_name[name].intersection(&set).map(|&index| &projects[index]);
                check(name, &same.collect::<Vec<_>>()).err()
            })
        });
        used.push(set);
        if error.is_none() {
            error.clone_from(of_set);
        }
    }
}

/// The projects that an element itself needs: its own, and those that its dependencies are looked for in.
fn own(node: &Node) -> Vec<Arc<Project>> {
    let project = &node.element.project;
    let through = |path: &str| project.through(path, None).ok();
    let others = node.edges.iter().filter_map(|edge| edge.declaration.junction.as_deref().and_then(through));
    others.chain([project.clone()]).collect()
}

/// With the projects that lead there, and those that they need for files or plugins.
fn closure(projects: &[Arc<Project>], numbers: &HashMap<*const Project, usize>, mut waiting: Vec<Arc<Project>>) -> Set {
    let mut set = Set::new();
    while let Some(project) = waiting.pop() {
        let Some(&index) = numbers.get(&Arc::as_ptr(&project)) else { continue };
        if set.insert(index) {
            let project = &projects[index];
            waiting.extend(project.junction.as_ref().map(|junction| junction.project.clone()));
            waiting.extend(project.used());
        }
    }
    set
}

fn check(name: &str, projects: &[&Arc<Project>]) -> Result<()> {
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
            "the project \"{name}\" is there several times: {}; declare each as a duplicate, or all but one as \
             internal, under \"junctions\" of project.conf, or override one junction with the other",
            places.join(", ")
        );
        return Err(Error::load("conflicting-junction", message));
    }
    Ok(())
}
