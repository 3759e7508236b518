//! Repositories other than git's: bzr of buildstream-plugins, ostree of buildstream-plugins-community.

use super::SourceView;
use super::draft::{Draft, check_keys, need, reference};
use super::git::check_ref_or_track;
use crate::project::paths::{self, Want};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Value, json};

pub fn bzr(view: &SourceView) -> Result<Source> {
    let version_key: &[&str] = if view.plugin.is_before([2, 5, 0]) { &[] } else { &["version"] };
    check_keys(view, &[&["url", "track", "ref"], version_key].concat())?;
    let url = need(view, "url")?;
    let track = need(view, "track")?;
    view.config.text("ref")?;
    let resolved = view.urls.resolve(url, true)?;
    let reference = reference(view)?;
    let mut unique = vec![json!(url), json!(track), json!(reference)];
    unique.extend(view.config.text("version")?.map(|version| json!(version)));
    let unique = reference.map(|_| Value::Array(unique));
    Ok(Draft::new(view).with_url(url, resolved).with_ref(reference).finish(unique))
}

pub fn ostree(view: &SourceView) -> Result<Source> {
    check_keys(view, &["url", "ref", "track", "gpg-key"])?;
    let url = need(view, "url")?;
    let resolved = view.urls.resolve(url, true)?;
    check_ref_or_track(view)?;
    let mut draft = Draft::new(view).with_url(url, resolved);
    if let Some(path) = view.config.scalar("gpg-key")? {
        paths::inside(view.project_directory, path, Want::File)?;
        draft = draft.with_base();
    }
    let reference = reference(view)?;
    Ok(draft.with_ref(reference).finish(reference.map(|reference| json!([url, reference]))))
}
