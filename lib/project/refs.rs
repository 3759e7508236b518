//! project.refs and junction.refs (spec: keys 2.3).

use super::compose::check_mapping_composited;
use super::conditional::{self, Options};
use super::node::Mapping;
use super::yaml;
use crate::values::Result;
use std::path::{Path, PathBuf};

/// Such a file. One that is not there is empty.
#[derive(Debug, Default)]
pub struct Refs {
    /// Where it is, or would be.
    pub path: PathBuf,
    projects: Option<Mapping>,
}

impl Refs {
    /// Reads the file of this name in a project's directory.
    pub fn load(directory: &Path, name: &str, options: &Options) -> Result<Refs> {
        let path = directory.join(name);
        let mut node = match yaml::load(&path, name) {
            Ok(node) => node,
            Err(error) if error.reason() == Some("missing-file") => return Ok(Refs { path, projects: None }),
            Err(error) => return Err(error),
        };
        conditional::process(&mut node, options, &[])?;
        check_mapping_composited(&node)?;
        node.check_keys(&["projects"])?;
        Ok(Refs { path, projects: node.mapping("projects")?.cloned() })
    }

    /// The entry of a source: the project's name, the element's name in it, the source's place in the list.
    pub fn find(&self, project: &str, element: &str, index: usize) -> Result<Option<&Mapping>> {
        let of_project = self.projects.as_ref().and_then(|projects| projects.mapping(project).ok()?);
        let of_element = of_project.and_then(|project| project.list(element).ok()?);
        of_element.and_then(|list| list.items.get(index)).map(|node| node.mapping()).transpose()
    }
}
