//! What all kinds of sources do alike on the way to a `record::Source`.

use super::{Resolved, SourceView};
use crate::project::canonical;
use crate::project::node::Node;
use crate::values::Result;
use crate::values::record::Source;
use serde_json::Value;

/// Refuses keys that are neither the kind's own nor common to all sources.
pub fn check_keys(view: &SourceView, own: &[&str]) -> Result<()> {
    view.config.check_keys(&[own, &["kind", "directory", "provenance"]].concat())
}

/// The keys of a kind's own, and those with which a version is guessed, where the release has them.
pub fn with_version<'a>(own: &[&'a str], has_version: bool) -> Vec<&'a str> {
    let more: &[&str] = if has_version { &["version", "version-guess-pattern"] } else { &[] };
    [own, more].concat()
}

/// A text of the configuration that must be there.
pub fn need<'a>(view: &SourceView<'a>, key: &str) -> Result<&'a str> {
    view.config.require_text(key)
}

/// The ref where it is a text.
pub fn reference<'a>(view: &SourceView<'a>) -> Result<Option<&'a str>> {
    match view.refs {
        Some(refs) => refs.text("ref"),
        None => Ok(None),
    }
}

/// What a configured version adds to a key: the version, or else the pattern that finds it.
pub fn version<'a>(view: &SourceView<'a>) -> Result<Option<(&'static str, &'a str)>> {
    let version = view.config.text("version")?.map(|version| ("version", version));
    let pattern = view.config.text("version-guess-pattern")?.map(|pattern| ("version-guess-pattern", pattern));
    Ok(version.or(pattern))
}

/// A source that is being filled in.
pub struct Draft<'a, 'b> {
    view: &'b SourceView<'a>,
    source: Source,
}

impl<'a, 'b> Draft<'a, 'b> {
    /// Starts with the configuration as it is, without what has a field of its own.
    pub fn new(view: &'b SourceView<'a>) -> Draft<'a, 'b> {
        let mut config = view.config.to_json();
        ["kind", "directory", "provenance", "url", "ref"].iter().for_each(|key| drop(config.remove(*key)));
        let source = Source {
            config,
            directory: view.directory.map(str::to_owned),
            kind: view.kind.to_owned(),
            ..Source::default()
        };
        Draft { view, source }
    }

    /// Relative paths in the configuration start from the project's directory.
    #[must_use]
    pub fn with_base(mut self) -> Self {
        self.source.base = Some(self.view.project_directory.to_string_lossy().into_owned());
        self
    }

    /// Sets a value of the configuration: a default, or one that is no text.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.source.config.insert(key.to_owned(), value.into());
        self
    }

    /// Sets the URL, which comes resolved.
    #[must_use]
    pub fn with_url(mut self, url: &str, resolved: Resolved) -> Self {
        self.source.url = Some(url.to_owned());
        self.source.urls = resolved.urls;
        self
    }

    /// Adds where a further URL leads.
    #[must_use]
    pub fn with_further(mut self, url: &str, resolved: Resolved) -> Self {
        self.source.also.insert(url.to_owned(), resolved.urls);
        self
    }

    /// Sets the ref.
    #[must_use]
    pub fn with_ref(mut self, reference: Option<impl Into<Value>>) -> Self {
        self.source.reference = reference.map(Into::into);
        self
    }

    /// The source, with what enters the key; nothing does where there is no ref.
    pub fn finish(mut self, unique: Option<Value>) -> Source {
        self.source.key = unique.as_ref().map(canonical::key);
        self.source.unique = unique;
        self.source
    }
}

/// The ref as it is written, whatever its form.
pub fn reference_json(view: &SourceView) -> Option<Value> {
    view.refs?.get("ref").map(Node::to_json)
}
