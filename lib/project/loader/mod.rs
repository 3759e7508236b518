//! Loading elements, and the projects behind junctions, in the order in which BuildStream loads them: of
//! several errors the same one is found first.

mod dependencies;
mod element;
mod junctions;
mod links;
mod overrides;
mod prefetch;
mod staged;
mod walk;

pub use dependencies::{Declaration, Dependency, read as declarations};
pub use element::Element;
pub use walk::{Outcome, Walk};

use super::conf::Project;
use super::localdigest::Digests;
use super::mark::Mark;
use super::settings::Settings;
use super::workspaces::{self, Workspaces};
use crate::values::{Error, Result};
use links::Links;
use prefetch::Files;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What all projects of one load share.
pub struct Session {
    pub settings: Settings,
    /// Of what projects have on disk.
    pub digests: Digests,
    /// Where the first project is, without symbolic links.
    pub(super) top_directory: OnceLock<PathBuf>,
    top: OnceLock<Arc<Project>>,
    workspaces: OnceLock<Result<Workspaces>>,
    projects: Mutex<Vec<Arc<Project>>>,
    elements: Mutex<Vec<Arc<Element>>>,
    files: Files,
}

/// What a project has loaded so far.
#[derive(Default)]
pub struct Tables {
    /// Elements by name, without what they depend on.
    elements: HashMap<String, Arc<Element>>,
    /// What stands for an element, after links and overrides.
    resolved: HashMap<String, Arc<Element>>,
    /// Projects by junction.
    junctions: HashMap<String, Arc<Project>>,
    /// Junction paths that are being searched for.
    searching: HashSet<String>,
    links: Links,
    /// Projects that lead here by junctions that were overridden.
    other_parents: Vec<Arc<Project>>,
    /// Junctions that project.conf includes files through.
    included: HashSet<String>,
    /// Projects that project.conf needs, for files or for plugins.
    used: Vec<Arc<Project>>,
}

impl Session {
    /// A session in which nothing is loaded yet.
    pub fn new(settings: Settings) -> Arc<Session> {
        let scratch = settings.store.as_deref().map(|store| store.join("plumbing"));
        let digests = Digests::new(scratch.as_deref(), settings.threads);
        Arc::new(Session {
            settings,
            digests,
            top_directory: OnceLock::new(),
            top: OnceLock::new(),
            workspaces: OnceLock::new(),
            projects: Mutex::default(),
            elements: Mutex::default(),
            files: Files::default(),
        })
    }

    /// The projects, in the order in which they were loaded.
    pub fn projects(&self) -> Vec<Arc<Project>> {
        lock(&self.projects).clone()
    }

    /// The elements, each at its number.
    pub fn elements(&self) -> Vec<Arc<Element>> {
        lock(&self.elements).clone()
    }

    /// The first project: the one that was asked for.
    pub fn top(&self) -> Option<&Arc<Project>> {
        self.top.get()
    }

    /// Where an element's workspace is, if one is open.
    pub fn workspace(&self, full_name: &str) -> Result<Option<PathBuf>> {
        let Some(top) = self.top() else { return Ok(None) };
        let workspaces = self.workspaces.get_or_init(|| workspaces::load(&top.directory));
        Ok(workspaces.as_ref().map_err(Clone::clone)?.get(full_name).cloned())
    }

    pub(super) fn enter(&self, project: &Arc<Project>) {
        self.top.get_or_init(|| project.clone());
        lock(&self.projects).push(project.clone());
    }

    /// The first project, unless it is this one.
    pub fn top_of(&self, project: &Project) -> Option<&Arc<Project>> {
        project.junction.as_ref().and_then(|_| self.top())
    }

    /// Lets projects go: they hold each other.
    pub fn clear(&self) {
        for project in lock(&self.projects).drain(..) {
            *project.tables() = Tables::default();
        }
        lock(&self.elements).clear();
    }
}

impl Project {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }

    /// Remembers that project.conf includes a file through a junction.
    pub(super) fn note_included(&self, junction: &str, other: &Arc<Project>) {
        let first = junction.split(':').next().unwrap_or(junction);
        self.tables().included.insert(first.to_owned());
        self.note_used(other);
    }

    /// Remembers that project.conf needs another project.
    pub(super) fn note_used(&self, other: &Arc<Project>) {
        self.tables().used.push(other.clone());
    }

    /// Whether project.conf needs the project behind a junction.
    fn needs_behind(&self, junction: &str) -> bool {
        self.tables().included.contains(junction)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same error, at a place if there is one.
fn at(error: Error, mark: Option<Mark>) -> Error {
    match mark {
        Some(mark) => error.at(mark.place()),
        None => error,
    }
}
