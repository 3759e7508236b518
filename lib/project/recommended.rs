//! The servers that projects recommend: `artifacts` and `source-caches` of project.conf.

use super::conf::{self, Project};
use super::loader::Session;
use super::remotes::{self, Remote};
use super::settings::Settings;
use super::userconfig::Paths;
use crate::values::Result;
use std::path::Path;
use std::sync::Arc;

/// A project whose recommendations, and those of the projects behind its junctions, can be asked for.
pub struct Recommended {
    session: Arc<Session>,
    top: Arc<Project>,
}

/// What one project recommends, behind what the projects recommend that it is a part of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recommendations {
    pub artifacts: Vec<Remote>,
    pub source_caches: Vec<Remote>,
}

impl Drop for Recommended {
    fn drop(&mut self) {
        self.session.clear();
    }
}

impl Recommended {
    /// Reads the project that a directory lies in.
    pub fn load(settings: Settings, directory: &Path) -> Result<Recommended> {
        let session = Session::new(settings);
        let (directory, _) = conf::find(directory)?;
        let top = Project::load(&session, &directory, None)?;
        Ok(Recommended { session, top })
    }

    /// The name of the project.
    pub fn name(&self) -> &str {
        &self.top.name
    }

    /// What holds for an element, given by its full name: that of its own project, which its junctions lead
    /// to. `expand` puts home and variables into paths.
    pub fn of(&self, element: &str, expand: &dyn Fn(&str) -> String) -> Result<Recommendations> {
        let mut project = match element.rsplit_once(':') {
            Some((junctions, _)) => self.top.through(junctions, None)?,
            None => self.top.clone(),
        };
        let mut found = Recommendations::default();
        loop {
            let full = project.full()?;
            let paths = Paths { expand, base: Some(&project.directory) };
            found.artifacts.splice(0..0, remotes::servers(&full.artifacts, &paths)?);
            found.source_caches.splice(0..0, remotes::servers(&full.source_caches, &paths)?);
            let Some(junction) = &project.junction else { return Ok(found) };
            let above = junction.project.clone();
            project = above;
        }
    }
}
