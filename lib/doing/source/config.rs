//! Reading what a record says of a source.

use super::original::Download;
use crate::store::Store;
use crate::values::{Code, Error, Result, hex, record::Source};
use serde_json::Value;

/// A value of the kind's configuration, as text.
pub(super) fn text<'a>(source: &'a Source, name: &str) -> Option<&'a str> {
    source.config.get(name).and_then(Value::as_str)
}

/// The same, where it must be there.
pub(super) fn need<'a>(source: &'a Source, name: &str) -> Result<&'a str> {
    text(source, name).ok_or_else(|| lacks(source, name))
}

/// A switch, which may come as a word.
pub(super) fn flag(source: &Source, name: &str, default: bool) -> bool {
    source.config.get(name).map_or(default, truth)
}

/// Whether a value says yes.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(word) => word.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// The URL as written.
pub(super) fn url(source: &Source) -> Result<&str> {
    source.url.as_deref().ok_or_else(|| lacks(source, "url"))
}

/// The ref, for kinds whose ref is a text.
pub(super) fn reference(source: &Source) -> Result<&str> {
    reference_value(source)?.as_str().ok_or_else(|| lacks(source, "ref"))
}

/// A text of the ref, for kinds whose ref is a mapping.
pub(super) fn reference_text<'a>(source: &'a Source, name: &str) -> Result<&'a str> {
    reference_value(source)?.get(name).and_then(Value::as_str).ok_or_else(|| lacks(source, name))
}

/// The ref.
pub(super) fn reference_value(source: &Source) -> Result<&Value> {
    source.reference.as_ref().ok_or_else(|| no_ref(source))
}

/// What enters keys for the source.
pub(super) fn unique(source: &Source) -> Result<&Value> {
    source.unique.as_ref().ok_or_else(|| no_ref(source))
}

fn no_ref(source: &Source) -> Error {
    let kind = source.kind.escape_default();
    Error::new(Code::NoRef, format!("a source of kind {kind} has no ref; bst-track finds one"))
}

/// The download of a source that is one file: kept below a name that stands for its URL.
pub(super) fn download(
    source: &Source,
    store: &Store,
    place: &str,
    sha256: &str,
    urls: Vec<String>,
) -> Result<Download> {
    if hex::decode(sha256.as_bytes()).is_none() {
        return Err(Error::malformed(format!(
            "the ref of a source of kind {} is \"{}\"; expected 64 lower-case hexadecimal digits",
            source.kind,
            sha256.escape_default()
        )));
    }
    Ok(Download {
        urls,
        sha256: sha256.to_owned(),
        path: store.sources().mirror(&source.kind, place)?.join(sha256),
        accept: None,
    })
}

/// That a record lacks something.
pub(super) fn lacks(source: &Source, name: &str) -> Error {
    Error::malformed(format!("a source of kind {} has no \"{name}\" in the record", source.kind.escape_default()))
}
