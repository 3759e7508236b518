//! The projects behind junctions.

use super::{Element, at, element::normal};
use crate::project::conf::{Junction, Project};
use crate::project::mark::Mark;
use crate::project::node::{List, Scalar, excerpt};
use crate::project::resolve;
use crate::values::{Code, Error, Result};
use std::path::PathBuf;
use std::sync::Arc;

/// How many links may lead to each other.
pub(super) const LONGEST_CHAIN: usize = 100;

/// The error of links that never end.
pub(super) fn endless(name: &str) -> Error {
    Error::load("circular-reference", format!("the links at {} lead to each other without end", excerpt(name)))
}

impl Project {
    /// The project that a path of junctions, `a.bst:b.bst`, leads to. `mark`: what asks for it.
    pub fn through(self: &Arc<Project>, path: &str, mark: Option<Mark>) -> Result<Arc<Project>> {
        if let Some(project) = self.known(path) {
            return Ok(project);
        }
        if !self.tables().searching.insert(path.to_owned()) {
            let message = format!("finding the project of the junction {} needs that project itself", excerpt(path));
            return Err(at(Error::load("circular-reference", message), mark));
        }
        let mut project = Ok(self.clone());
        for name in path.split(':') {
            project = project.and_then(|project| project.behind(name, mark));
        }
        self.tables().searching.remove(path);
        project
    }

    /// The project that a path leads to, if each of its junctions was followed before.
    fn known(self: &Arc<Project>, path: &str) -> Option<Arc<Project>> {
        path.split(':').try_fold(self.clone(), |project, name| project.tables().junctions.get(name).cloned())
    }

    /// The project that a path leads to if it is loaded already.
    pub(super) fn loaded(self: &Arc<Project>, path: &str, mark: Mark) -> Result<Option<Arc<Project>>> {
        let mut project = self.clone();
        for name in path.split(':') {
            let Some(next) = project.loaded_behind(name, mark, 0)? else { return Ok(None) };
            project = next;
        }
        Ok(Some(project))
    }

    fn loaded_behind(self: &Arc<Project>, name: &str, mark: Mark, depth: usize) -> Result<Option<Arc<Project>>> {
        if let Some(project) = self.tables().junctions.get(name) {
            return Ok(Some(project.clone()));
        }
        if depth > LONGEST_CHAIN {
            return Err(at(endless(name), Some(mark)));
        }
        if let Some(project) = self.overriding_project(name)? {
            self.tables().junctions.insert(name.to_owned(), project.clone());
            return Ok(Some(project));
        }
        let Some(element) = self.file(&normal(name), Some(mark), false)? else { return Ok(None) };
        let Some(target) = &element.target else { return Ok(None) };
        let (project, name) = match target.text.rsplit_once(':') {
            Some((junctions, name)) => match self.loaded(junctions, target.mark)? {
                Some(project) => (project, name),
                None => return Ok(None),
            },
            None => (self.clone(), &*target.text),
        };
        project.loaded_behind(&normal(name), target.mark, depth + 1)
    }

    /// The project behind one junction of this project.
    fn behind(self: &Arc<Project>, name: &str, mark: Option<Mark>) -> Result<Arc<Project>> {
        if let Some(project) = self.tables().junctions.get(name) {
            return Ok(project.clone());
        }
        let project = match self.overriding_project(name)? {
            Some(project) => project,
            None => {
                let name = normal(name);
                self.element_at(&name, mark, 0)?;
                let element = self.file(&name, mark, false)?.ok_or_else(|| at(endless(&name), mark))?;
                if let Some(target) = &element.target {
                    let (project, name) = self.locate(&target.text, Some(target.mark))?;
                    return project.through(&name, Some(target.mark));
                }
                self.enter_junction(&element, mark)?
            }
        };
        self.tables().junctions.insert(name.to_owned(), project.clone());
        // The links that overrides of this project, and of those above, name must be known from now on.
        let mut above = project.clone();
        while let Some(junction) = &above.junction {
            above.load_overrides()?;
            let parent = junction.project.clone();
            above = parent;
        }
        Ok(project)
    }

    fn enter_junction(self: &Arc<Project>, element: &Arc<Element>, mark: Option<Mark>) -> Result<Arc<Project>> {
        if &*element.kind != "junction" {
            let message = format!("expected a junction, found that {} is of kind {}", element.full_name, element.kind);
            return Err(at(Error::load("invalid-data", message), mark));
        }
        if let Some(first) = element.declared()?.first() {
            let message =
                format!("the junction {} depends on {}; a junction depends on nothing", element.name, first.path());
            return Err(Error::load("invalid-junction", message).at(first.mark.place()));
        }
        let resolved = resolve::junction(element)?;
        let directory = self.sources_of(element, &resolved, mark)?.join(&resolved.path);
        let junction = Junction {
            project: self.clone(),
            name: element.name.clone(),
            full_name: element.full_name.clone(),
            overrides: resolved.overrides,
            options: resolved.options,
            aliases: resolved.aliases,
            identity: resolved.identity,
            mark,
        };
        Project::load(&self.session, &directory, Some(junction)).map_err(|error| {
            if error.reason() != Some("missing-project-conf") {
                return error;
            }
            let message = format!(
                "the junction {} leads to {}, where no project.conf is",
                element.full_name,
                directory.display()
            );
            at(Error::load("invalid-junction", message), mark)
        })
    }

    /// Where the sources of a junction are: in place, or staged, here or by `bst`.
    fn sources_of(&self, element: &Element, resolved: &resolve::Junction, mark: Option<Mark>) -> Result<PathBuf> {
        if resolved.sources.iter().any(|source| source.unique.is_none()) {
            let message = format!(
                "a source of the junction {} has no ref; bst-track {} finds one",
                element.full_name, element.name
            );
            return Err(at(Error::load("subproject-inconsistent", message), mark));
        }
        if let Some(local) = &resolved.local {
            return Ok(local.clone());
        }
        if let Some(staged) = super::staged::directory(element, resolved)? {
            return Ok(staged);
        }
        let message = format!(
            "the project of the junction {} is not here; fetch it with: bst-key -C '{}' --deps=none {} | bst-fetch",
            element.full_name,
            self.session.top().map(|top| top.directory.display().to_string()).unwrap_or_default(),
            element.full_name
        );
        Err(at(Error::load("subproject-fetch-needed", message).with_code(Code::Project), mark))
    }

    /// The projects from which this one can be reached, nearest first.
    pub fn ancestors(&self) -> Vec<Arc<Project>> {
        let mut found: Vec<Arc<Project>> = Vec::new();
        let mut starts: Vec<Arc<Project>> = self.junction.iter().map(|junction| junction.project.clone()).collect();
        starts.extend(self.tables().other_parents.iter().cloned());
        for start in starts {
            let mut next = Some(start);
            while let Some(project) = next {
                if found.iter().any(|known| Arc::ptr_eq(known, &project)) {
                    break;
                }
                next = project.junction.as_ref().map(|junction| junction.project.clone());
                found.push(project);
            }
        }
        found
    }

    /// Whether one of the junction paths of a list leads to a project.
    pub fn leads_to(self: &Arc<Project>, list: &List, project: &Arc<Project>) -> Result<bool> {
        for item in list.items.iter() {
            let path = item.scalar()?;
            if self.loaded(&path.text, path.mark)?.is_some_and(|found| Arc::ptr_eq(&found, project)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How to say where this project is.
    pub fn place(&self) -> String {
        self.junction.as_ref().map_or_else(|| "the first project".to_owned(), |junction| junction.full_name.clone())
    }

    /// The projects that this one needs for files or plugins.
    pub fn used(&self) -> Vec<Arc<Project>> {
        self.tables().used.clone()
    }

    /// The project and the name in it that a path, `a.bst:b.bst:name.bst`, means.
    pub(super) fn locate(self: &Arc<Project>, path: &str, mark: Option<Mark>) -> Result<(Arc<Project>, String)> {
        match path.rsplit_once(':') {
            Some((junctions, name)) => Ok((self.through(junctions, mark)?, normal(name))),
            None => Ok((self.clone(), normal(path))),
        }
    }

    /// The element that a name of this project means: itself, what overrides it, or what the link leads to;
    /// without what it depends on.
    pub(super) fn element_at(
        self: &Arc<Project>,
        name: &str,
        mark: Option<Mark>,
        depth: usize,
    ) -> Result<Arc<Element>> {
        let name = normal(name);
        if let Some(element) = self.tables().resolved.get(&name) {
            return Ok(element.clone());
        }
        if depth > LONGEST_CHAIN {
            return Err(at(endless(&name), mark));
        }
        let element = self.file(&name, mark, false)?.ok_or_else(|| at(endless(&name), mark))?;
        let resolved = match self.overriding_element(&name, depth + 1)? {
            Some(instead) => instead,
            None => match &element.target {
                Some(target) => self.behind_link(target, depth + 1)?,
                None => element,
            },
        };
        self.tables().resolved.insert(name, resolved.clone());
        Ok(resolved)
    }

    fn behind_link(self: &Arc<Project>, target: &Scalar, depth: usize) -> Result<Arc<Element>> {
        let (project, name) = self.locate(&target.text, Some(target.mark))?;
        project.element_at(&name, Some(target.mark), depth)
    }
}
