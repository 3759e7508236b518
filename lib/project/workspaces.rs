//! Workspaces: directories that stand in the place of elements' sources.

use super::mark::File;
use super::node::Mapping;
use super::yaml;
use crate::values::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The file in a workspace that names its project and element.
pub const MARKER: &str = ".bstproject.yaml";

/// The format of workspaces.yml.
const FORMAT: i64 = 4;

/// The open workspaces of a project: by full name of the element, where they are.
pub type Workspaces = HashMap<String, PathBuf>;

/// Reads `.bst2/workspaces.yml` of the first project; without it there are none.
pub fn load(project: &Path) -> Result<Workspaces> {
    let node = match yaml::load(&project.join(".bst2/workspaces.yml"), "workspaces.yml") {
        Ok(node) => node,
        Err(error) if error.reason() == Some("missing-file") => return Ok(Workspaces::new()),
        Err(error) => return Err(error),
    };
    let version = node.scalar("format-version")?.map(|scalar| scalar.int()).transpose()?.unwrap_or(0);
    if version != FORMAT {
        let message = format!("workspaces.yml has the format {version}; expected {FORMAT}, which BuildStream 2 writes");
        return Err(Error::load("invalid-data", message));
    }
    let Some(workspaces) = node.mapping("workspaces")? else { return Ok(Workspaces::new()) };
    let mut found = Workspaces::new();
    for (element, node) in workspaces.iter() {
        found.insert(element.to_string(), project.join(node.mapping()?.require_text("path")?));
    }
    Ok(found)
}

/// The project and the element that a workspace belongs to.
pub fn owner(marker: &Path) -> Result<(PathBuf, String)> {
    let node = yaml::load(marker, MARKER)?;
    let first = node.require("projects")?.list()?.items.first().map(|node| node.mapping()).transpose()?;
    let empty = Mapping::new(Vec::new(), super::mark::Mark::new(File::named(MARKER), 1, 0));
    let first = first.unwrap_or(&empty);
    Ok((PathBuf::from(first.require_text("project-path")?), first.require_text("element-name")?.to_owned()))
}
