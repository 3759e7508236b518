//! What each kind of source makes of its configuration: what enters the key, and what fetching and staging
//! need.
//!
//! A kind sees a source through [`SourceView`], everything composed and expanded, and answers with the
//! `record::Source` that travels in the element's record.

use super::localdigest::Digests;
use super::node::{Mapping, Mark};
use super::plugins::Plugin;
use crate::values::record::Source;
use crate::values::{Code, Error, Result};
use std::path::Path;

/// The aliases and mirrors of a project.
pub trait Urls {
    /// Where a URL as written leads. Refuses an undeclared alias (`source/invalid-source-alias`), and a URL
    /// without alias where that is a fatal warning of the project. `primary`: the source's own URL, as against
    /// one of the further ones that it also downloads.
    fn resolve(&self, url: &str, primary: bool) -> Result<Resolved>;
}

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// With the alias's own URL in place of the alias.
    pub url: String,
    /// Where to fetch, best first: mirrors in BuildStream's order, then `url`.
    pub urls: Vec<String>,
}

/// A source as its kind sees it.
pub struct SourceView<'a> {
    pub kind: &'a str,
    /// Where the kind comes from.
    pub plugin: &'a Plugin,
    /// As written, not expanded; absent where empty.
    pub directory: Option<&'a str>,
    /// Overrides and the source's own, expanded; without `kind`, `directory` and `provenance`.
    pub config: &'a Mapping,
    /// Where its ref stands (spec: keys 2.3): `config` itself, or the entry of project.refs or junction.refs.
    /// `None` where refs are in project.refs and it has no entry: a ref in `config` is then not used.
    pub refs: Option<&'a Mapping>,
    /// Whose homepage and issue tracker it is; part of no key.
    pub provenance: Option<&'a Mapping>,
    pub urls: &'a dyn Urls,
    /// Finds the digests of what the project has on disk.
    pub digests: &'a Digests,
    /// Absolute.
    pub project_directory: &'a Path,
    /// The element's full name, and the number of the source in it, for errors.
    pub element: &'a str,
    pub index: usize,
    /// Where the source starts in the element's file.
    pub mark: Mark,
}

/// Asks the source's kind. A source without ref comes back without `key` and `unique`.
pub fn configure(view: &SourceView) -> Result<Source> {
    Err(Error::new(
        Code::Unsupported,
        format!("no source kind \"{}\" is known here, and no helper bst-source-{} was found", view.kind, view.kind),
    )
    .at(view.mark.place()))
}
