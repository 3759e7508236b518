//! Where sources come from, as BuildStream's `%{source-info}` tells it.

use crate::values::record::Source;
use serde_json::{Map, Value, json};

/// The list for the sources of an element.
pub(super) fn source_info(sources: &[Source]) -> Value {
    Value::Array(sources.iter().filter_map(of_source).collect())
}

fn of_source(source: &Source) -> Option<Value> {
    let reference = match &source.reference {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (medium, version_type) = match source.kind.as_str() {
        "local" => ("local", "cas-digest"),
        "workspace" => ("workspace", "cas-digest"),
        "patch" => ("local", "sha256"),
        "tar" | "zip" | "remote" => ("remote-file", "sha256"),
        "git" | "git_repo" | "git_tag" => ("git", "commit"),
        "bzr" => ("bzr", "commit"),
        _ => return None,
    };
    // The address itself, not one of the mirrors: it is the last to be tried.
    let path = source.config.get("path").and_then(Value::as_str);
    let url = source.urls.last().map(String::as_str).or(source.url.as_deref()).or(path)?;
    let version = reference.or_else(|| source.unique.as_ref().and_then(version_in))?;
    let mut info = Map::new();
    info.insert("kind".to_owned(), json!(source.kind));
    info.insert("medium".to_owned(), json!(medium));
    info.insert("url".to_owned(), json!(url));
    info.insert("version".to_owned(), json!(version));
    info.insert("version-type".to_owned(), json!(version_type));
    Some(Value::Object(info))
}

/// The digest or hash among what enters the key.
fn version_in(unique: &Value) -> Option<String> {
    match unique {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => list.iter().rev().find_map(version_in),
        Value::Object(map) => map.values().find_map(version_in),
        _ => None,
    }
}
