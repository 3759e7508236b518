//! Kind local: files of the project; and the workspace that stands for the sources of an element.

use super::SourceView;
use super::draft::{Draft, check_keys};
use crate::project::canonical;
use crate::project::localdigest::Digests;
use crate::project::paths::{self, Want};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Map, Value};
use std::path::Path;

pub fn configure(view: &SourceView) -> Result<Source> {
    check_keys(view, &["path"])?;
    let path = view.config.require("path")?.scalar()?;
    let full = paths::inside(view.project_directory, path, Want::Any)?;
    let digest = view.digests.tree(&full)?;
    Ok(Draft::new(view).with_base().finish(Some(digest.hex().into())))
}

/// The one source of an element with a workspace that is open at `path`; without key if it is not there.
pub fn workspace(path: &Path, digests: &Digests) -> Result<Source> {
    let unique = match path.exists() {
        true => Some(Value::String(digests.workspace(path)?.hex())),
        false => None,
    };
    let mut config = Map::new();
    config.insert("path".to_owned(), path.to_string_lossy().into());
    Ok(Source {
        config,
        key: unique.as_ref().map(canonical::key),
        kind: "workspace".to_owned(),
        unique,
        ..Source::default()
    })
}
