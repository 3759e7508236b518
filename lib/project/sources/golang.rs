//! Kind go_module of buildstream-plugins-community: a module of Go from its repository.

use super::SourceView;
use super::draft::{Draft, check_keys, need, reference_json};
use super::gitcommunity::check_ref;
use crate::project::node::Mapping;
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Value, json};

pub fn module(view: &SourceView) -> Result<Source> {
    check_keys(view, &["ref", "url", "module"])?;
    if let Some(inline) = view.config.mapping("ref")? {
        read(view, inline)?;
    }
    let reference = match view.refs.map_or(Ok(None), |refs| refs.mapping("ref"))? {
        Some(reference) => Some(read(view, reference)?),
        None => None,
    };
    let url = need(view, "url")?;
    let module = need(view, "module")?;
    let resolved = view.urls.resolve(url, true)?;
    let bugfix = if view.plugin.is_before([2, 2, 0]) { 0 } else { 1 };
    let unique = reference.map(|reference| json!({"bugfix": bugfix, "module": module, "ref": reference}));
    Ok(Draft::new(view).with_url(url, resolved).with_ref(reference_json(view)).finish(unique))
}

/// The ref as the key has it.
fn read(view: &SourceView, node: &Mapping) -> Result<Value> {
    let subdirectory: &[&str] = if view.plugin.is_before([2, 2, 0]) { &[] } else { &["subdirectory"] };
    node.check_keys(&[&["go-version", "git-ref", "explicit"], subdirectory].concat())?;
    let commit = node.require_text("git-ref")?;
    let mut reference = json!({"go-version": node.require_text("go-version")?, "git-ref": commit});
    if view.plugin.is_before([2, 4, 0]) {
        reference["explicit"] = node.require("explicit")?.scalar()?.bool()?.into();
    } else if node.get("explicit").is_some() {
        // No longer read, but that it is there still is in the key.
        reference["explicit"] = Value::Null;
    }
    if let Some(directory) = node.text("subdirectory")? {
        reference["subdirectory"] = directory.into();
    }
    check_ref(view, Some(commit)).map_err(|error| error.at(node.mark.place()))?;
    Ok(reference)
}
