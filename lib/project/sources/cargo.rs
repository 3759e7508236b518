//! Crates of Rust: cargo of buildstream-plugins, cargo2 and gen_cargo_lock of buildstream-plugins-community.

use super::draft::{Draft, check_keys, reference, reference_json};
use super::{SourceView, plugincode, refuse};
use crate::project::node::Mapping;
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Map, Value, json};

const URL_MARKER: &str = "\"url\",";

/// With a slash at its end, unless it is an alias alone.
fn base(url: &str) -> String {
    if url.ends_with([':', '/']) { url.to_owned() } else { format!("{url}/") }
}

/// The crates of the ref.
fn crates<'a>(view: &SourceView<'a>) -> Result<Option<Vec<&'a Mapping>>> {
    let Some(list) = view.refs.map_or(Ok(None), |refs| refs.list("ref"))? else { return Ok(None) };
    list.items.iter().map(|item| item.mapping()).collect::<Result<_>>().map(Some)
}

pub fn cargo(view: &SourceView) -> Result<Source> {
    if view.provenance.is_some() && !view.plugin.is_before([2, 7, 0]) {
        return Err(refuse(
            view,
            "top-level-provenance-on-custom-implementation",
            "a source of kind cargo has no provenance of its own; give it to each crate of \"ref\"",
        ));
    }
    let url = plugincode::url(view, "url", URL_MARKER)?;
    let lock = view.config.text("cargo-lock")?.unwrap_or("Cargo.lock");
    let vendor = view.config.text("vendor-dir")?.unwrap_or("crates");
    check_keys(view, &["url", "ref", "cargo-lock", "vendor-dir"])?;
    let resolved = view.urls.resolve(&base(&url), true)?;
    let mut is_resolved = false;
    let mut entries = Vec::new();
    for item in crates(view)?.unwrap_or_default() {
        let sha = item.text("sha")?;
        is_resolved = sha.is_some() && (entries.is_empty() || is_resolved);
        entries.push(json!({"name": item.require_text("name")?, "version": item.require_text("version")?, "sha": sha}));
        item.mapping("provenance")?;
    }
    let unique = is_resolved.then(|| json!([url, lock, vendor, entries]));
    let draft = Draft::new(view).with("cargo-lock", lock).with("vendor-dir", vendor).with_url(&url, resolved);
    Ok(draft.with_ref(reference_json(view)).finish(unique))
}

pub fn cargo2(view: &SourceView) -> Result<Source> {
    let old_vendor = if view.plugin.is_before([2, 0, 3]) { "crates" } else { ".vendored-crates" };
    let url = plugincode::url(view, "url", URL_MARKER)?;
    let lock = view.config.text("cargo-lock")?.unwrap_or("Cargo.lock");
    let vendor = view.config.text("vendor-dir")?.unwrap_or(old_vendor);
    let mirrors = view.config.mapping("git-mirrors")?;
    check_keys(view, &["url", "ref", "cargo-lock", "vendor-dir", "git-mirrors"])?;
    let resolved = view.urls.resolve(&base(&url), true)?;
    let mut draft = Draft::new(view).with("cargo-lock", lock).with("vendor-dir", vendor).with_url(&url, resolved);

    let mut is_resolved = true;
    let mut entries = Vec::new();
    for item in crates(view)?.unwrap_or_default() {
        if item.text("kind")? == Some("git") {
            let repository = item.require_text("repo")?;
            let mirrored = mirrored(mirrors, repository)?;
            if mirrored != repository {
                // Not fetched from, but where it has no alias that is a warning all the same.
                view.urls.resolve(repository, false)?;
            }
            draft = draft.with_further(&mirrored, view.urls.resolve(&mirrored, false)?);
            entries.push(git_crate(item)?);
        } else {
            is_resolved &= item.text("sha")?.is_some();
            entries.push(registry_crate(item)?);
        }
    }
    // The letter changes when the same crates are staged in another way.
    let letter = if view.plugin.is_before([2, 2, 0]) { "x" } else { "a" };
    // Without ref it counts as one without crates.
    let unique = is_resolved.then(|| json!([url, lock, vendor, entries, letter]));
    Ok(draft.with_ref(reference_json(view)).finish(unique))
}

fn registry_crate(item: &Mapping) -> Result<Value> {
    Ok(json!({
        "kind": "registry",
        "name": item.require_text("name")?,
        "sha": item.text("sha")?,
        "version": item.require_text("version")?,
    }))
}

fn git_crate(item: &Mapping) -> Result<Value> {
    let mut entry = json!({
        "commit": item.require_text("commit")?,
        "kind": "git",
        "name": item.require_text("name")?,
        "repo": item.require_text("repo")?,
        "version": item.require_text("version")?,
    });
    if let Some(query) = item.mapping("query")?.filter(|query| !query.is_empty()) {
        let mut texts = Map::new();
        for (key, value) in query.iter() {
            texts.insert(key.to_string(), Value::from(&*value.scalar()?.text));
        }
        entry["query"] = Value::Object(texts);
    }
    Ok(entry)
}

/// The URL with the longest start that `git-mirrors` knows replaced.
fn mirrored(mirrors: Option<&Mapping>, url: &str) -> Result<String> {
    let Some(mirrors) = mirrors else { return Ok(url.to_owned()) };
    let matching = mirrors.iter().filter(|(start, _)| url.starts_with(&***start));
    match matching.max_by_key(|(start, _)| start.len()) {
        Some((start, mirror)) => Ok(url.replace(&**start, &mirror.scalar()?.text)),
        None => Ok(url.to_owned()),
    }
}

/// A Cargo.lock that the ref holds as its text.
pub fn lock(view: &SourceView) -> Result<Source> {
    check_keys(view, &["ref"])?;
    let reference = reference(view)?;
    Ok(Draft::new(view).with_ref(reference).finish(reference.map(Value::from)))
}
