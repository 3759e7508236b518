//! Overrides: elements and junctions of a subproject for which a project above uses its own.

use super::{Element, at};
use crate::project::conf::Project;
use crate::project::mark::Mark;
use crate::project::node::Scalar;
use crate::values::Result;
use std::sync::Arc;

/// A project above, and what it uses instead.
type Override = (Arc<Project>, Scalar);

impl Project {
    /// The overrides of an element of this project: the nearest project first.
    fn overrides(self: &Arc<Project>, name: &str) -> Vec<Override> {
        let mut found = Vec::new();
        let (mut project, mut path) = (self.clone(), name.to_owned());
        while let Some(junction) = &project.junction {
            if let Some(instead) = project.own_override(&path) {
                found.push((junction.project.clone(), instead));
            }
            path = format!("{}:{path}", junction.name);
            let parent = junction.project.clone();
            project = parent;
        }
        found
    }

    /// What the junction to this project says about a path; it may have said it of a link to that path.
    fn own_override(&self, path: &str) -> Option<Scalar> {
        let overrides = &self.junction.as_ref()?.overrides;
        if overrides.is_empty() {
            return None;
        }
        let exact = overrides.iter().find(|(key, _)| &**key == path);
        let tables = self.tables();
        let found = exact.or_else(|| overrides.iter().find(|(key, _)| tables.links.expand(key) == path));
        found.map(|(_, instead)| instead.clone())
    }

    /// The element that stands for one of this project, if it is overridden. The highest project wins.
    pub(super) fn overriding_element(self: &Arc<Project>, name: &str, depth: usize) -> Result<Option<Arc<Element>>> {
        let Some((project, instead)) = self.overrides(name).pop() else { return Ok(None) };
        let (project, name) = project.locate(&instead.text, Some(instead.mark))?;
        project.element_at(&name, Some(instead.mark), depth).map(Some)
    }

    /// The project that stands for the one behind a junction of this project, if that is overridden.
    pub(super) fn overriding_project(self: &Arc<Project>, junction: &str) -> Result<Option<Arc<Project>>> {
        let mut overrides = self.overrides(junction);
        let Some((above, instead)) = overrides.pop() else { return Ok(None) };
        let project = above.through(&instead.text, Some(instead.mark))?;
        let mut tables = project.tables();
        if !Arc::ptr_eq(&project, self) {
            tables.other_parents.push(self.clone());
        }
        tables.other_parents.extend(overrides.into_iter().map(|(parent, _)| parent));
        drop(tables);
        Ok(Some(project))
    }

    /// Loads what the overrides of this project name, as far as it can be loaded without loading projects:
    /// links among them must be known before overrides are looked for.
    pub(super) fn load_overrides(self: &Arc<Project>) -> Result<()> {
        let Some(junction) = &self.junction else { return Ok(()) };
        for (path, instead) in &junction.overrides {
            let mut next = Some((path.to_string(), instead.mark));
            let mut steps = 0;
            while let Some((path, mark)) = next {
                steps += 1;
                if steps > super::junctions::LONGEST_CHAIN {
                    return Err(at(super::junctions::endless(&path), Some(mark)));
                }
                next = self.load_path(&path, mark)?;
            }
        }
        Ok(())
    }

    /// Loads the element at a path, if its project is there; gives the target if it is a link.
    fn load_path(self: &Arc<Project>, path: &str, mark: Mark) -> Result<Option<(String, Mark)>> {
        let (junction, name, project) = match path.rsplit_once(':') {
            Some((junction, name)) => match self.loaded(junction, mark)? {
                Some(project) => (Some(junction), name, project),
                None => return Ok(None),
            },
            None => (None, path, self.clone()),
        };
        let Some(element) = project.file(name, Some(mark), true)? else { return Ok(None) };
        let Some(target) = &element.target else { return Ok(None) };
        let path = match junction {
            Some(junction) => format!("{junction}:{}", target.text),
            None => target.text.to_string(),
        };
        Ok(Some((path, target.mark)))
    }
}
