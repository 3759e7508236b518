//! Kinds bazel_file and bazel_source of buildstream-plugins-community.

use super::SourceView;
use super::draft::{Draft, check_keys, need, reference, version};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::json;

pub fn file(view: &SourceView) -> Result<Source> {
    let identifiers = view.config.texts("canonical-ids")?.unwrap_or_default();
    let url = need(view, "url")?;
    check_keys(view, &["canonical-ids", "url", "ref", "version", "version-guess-pattern"])?;
    let reference = reference(view)?;
    let mut unique = json!({"canonical-ids": identifiers, "plugin_version": "1", "ref": reference, "url": url});
    if let Some((key, text)) = version(view)? {
        unique[key] = text.into();
    }
    let draft = Draft::new(view).with_url(url, view.urls.resolve(url, true)?).with_ref(reference);
    Ok(draft.finish(reference.map(|_| unique)))
}

/// What a file of the sources before it lists.
pub fn source(view: &SourceView) -> Result<Source> {
    check_keys(view, &["workspace-dir", "allow-host-bazel", "repo-file", "targets", "ref"])?;
    let allow_host = view.config.bool("allow-host-bazel")?.unwrap_or(false);
    let file = view.config.text("repo-file")?.unwrap_or(".bst-sources");
    let targets = view.config.texts("targets")?.filter(|targets| !targets.is_empty());
    let targets = targets.unwrap_or_else(|| vec!["//..."]);
    let directory = view.config.text("workspace-dir")?.unwrap_or(".");
    let reference = reference(view)?;
    let unique = reference.map(|reference| json!([allow_host, file, targets, directory, reference]));
    let draft = Draft::new(view).with("allow-host-bazel", allow_host).with("repo-file", file);
    Ok(draft.with("targets", targets).with("workspace-dir", directory).with_ref(reference).finish(unique))
}
