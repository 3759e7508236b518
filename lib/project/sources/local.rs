//! Kind local: files of the project; and the workspace that stands for the sources of an element.

use super::SourceView;
use super::draft::{Draft, check_keys};
use crate::project::paths::{self, Want};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::Value;
use std::path::Path;

pub fn configure(view: &SourceView) -> Result<Source> {
    check_keys(view, &["path"])?;
    let path = view.config.require("path")?.scalar()?;
    let full = paths::inside(view.project_directory, path, Want::Any)?;
    let digest = view.digests.tree(&full)?;
    Ok(Draft::new(view).with_base().finish(Some(digest.hex().into())))
}

/// Kind workspace: the directory that stands for the sources of an element. Without key if it is not there.
pub fn workspace(view: &SourceView) -> Result<Source> {
    let path = Path::new(view.config.require_text("path")?);
    let unique = match path.exists() {
        true => Some(Value::String(view.digests.workspace(path)?.hex())),
        false => None,
    };
    Ok(Draft::new(view).finish(unique))
}
