//! Kinds patch, patch_queue and quilt: changes to the sources before them.

use super::SourceView;
use super::draft::{Draft, check_keys};
use crate::project::node::Scalar;
use crate::project::paths::{self, Want};
use crate::values::record::Source;
use crate::values::{Error, Result};
use serde_json::{Value, json};

pub fn patch(view: &SourceView) -> Result<Source> {
    check_keys(view, &["path", "strip-level"])?;
    let path = view.config.require("path")?.scalar()?;
    let full = paths::inside(view.project_directory, path, Want::File)?;
    let level = view.config.scalar("strip-level")?.map_or(Ok(1), Scalar::int)?;
    let digest = view.digests.file(&full)?;
    let unique = json!([&*path.text, digest.hex(), level]);
    Ok(Draft::new(view).with_base().with("strip-level", level).finish(Some(unique)))
}

/// Every file of a directory, in order of their names.
pub fn queue(view: &SourceView) -> Result<Source> {
    let keys: &[&str] = if view.plugin.is_before([2, 1, 0]) { &["path", "strip"] } else { &["path"] };
    check_keys(view, keys)?;
    let path = view.config.require("path")?.scalar()?;
    let full = paths::inside(view.project_directory, path, Want::Directory)?;
    let failed = |error| Error::io("cannot read", &full, error);
    let entries = std::fs::read_dir(&full).map_err(failed)?;
    let mut names = entries.map(|entry| Ok(entry.map_err(failed)?.file_name())).collect::<Result<Vec<_>>>()?;
    names.sort();
    let digest = |name| Ok(Value::String(view.digests.file(&full.join(name))?.hex()));
    let unique = names.into_iter().map(digest).collect::<Result<Vec<_>>>()?;
    Ok(Draft::new(view).with_base().finish(Some(Value::Array(unique))))
}

/// A queue that the sources before it bring along.
pub fn quilt(view: &SourceView) -> Result<Source> {
    let path = view.config.text("path")?.unwrap_or_default();
    Ok(Draft::new(view).with("path", path).finish(Some(json!([path]))))
}
