//! Kind docker of buildstream-plugins: an image of a registry.

use super::draft::{Draft, check_keys, reference};
use super::{SourceView, object, plugincode};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Value, json};

const KEYS: [&str; 7] = ["architecture", "registry-url", "image", "os", "ref", "track", "url"];

pub fn configure(view: &SourceView) -> Result<Source> {
    let version_key: &[&str] = if view.plugin.is_before([2, 5, 0]) { &[] } else { &["version"] };
    check_keys(view, &[&KEYS[..], version_key].concat())?;
    let config = view.config;
    let has = |key| config.get(key).is_some();
    if has("url") && (has("image") || has("registry-url")) {
        return Err(object(view, "give either \"url\", or \"image\" and \"registry-url\""));
    }
    if !has("url") && !has("image") {
        return Err(object(view, "the source has neither \"url\" nor \"image\"; give one"));
    }
    if has("url") && view.plugin.is_before([2, 2, 0]) {
        return Err(object(view, "this release of kind docker takes no \"url\"; give \"registry-url\" and \"image\""));
    }
    ["track", "architecture", "os"].into_iter().try_for_each(|key| config.text(key).map(drop))?;

    let mut unique = Vec::new();
    let url = match config.text("url")? {
        Some(url) => {
            unique.push(json!(url));
            url.to_owned()
        }
        None => {
            let registry = plugincode::url(view, "registry-url", "_DOCKER_HUB_URL =").or_else(|error| {
                if has("registry-url") { Err(error) } else { Ok("https://registry.hub.docker.com".to_owned()) }
            })?;
            unique.extend([json!(registry), json!(config.require_text("image")?)]);
            registry
        }
    };
    let resolved = view.urls.resolve(&url, true)?;
    let reference = reference(view)?;
    unique.push(json!(reference.map(|reference| format!("sha256:{reference}"))));
    unique.extend(config.text("version")?.map(|version| json!(version)));
    let draft = Draft::new(view).with_url(&url, resolved).with_ref(reference);
    Ok(draft.finish(reference.map(|_| Value::Array(unique))))
}
