//! What each kind of element makes of its configuration: what enters the key, and what building does.
//!
//! A kind sees an element through [`ElementView`], everything composed and expanded, and answers with
//! [`Configured`]. Nothing here reads files.

use super::node::{Mapping, Mark};
use super::plugins::Plugin;
use crate::values::record::{DependencyType, Instructions};
use crate::values::{Code, Error, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The variables of an element.
pub trait Variables {
    /// The expanded value; `None` where no such variable is.
    fn variable(&self, name: &str) -> Result<Option<Arc<str>>>;
}

/// The elements that were loaded, by number: for the kinds that look further than their own dependencies.
pub trait Graph {
    /// What is known of an element.
    fn member(&self, id: usize) -> Member<'_>;
    /// Its direct dependencies, in sorted order (spec: keys 3.3).
    fn depends(&self, id: usize) -> Vec<(usize, DependencyType)>;
}

/// An element in the graph.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    pub project: &'a str,
    /// In its own project.
    pub name: &'a str,
    pub full_name: &'a str,
    pub kind: &'a str,
}

/// An element as its kind sees it.
pub struct ElementView<'a> {
    /// Its number in `graph`.
    pub id: usize,
    pub graph: &'a dyn Graph,
    /// The name of its project.
    pub project: &'a str,
    /// Its name in the project: what stands after the last colon of the full name.
    pub name: &'a str,
    pub full_name: &'a str,
    pub kind: &'a str,
    /// Where the kind comes from.
    pub plugin: &'a Plugin,
    pub variables: &'a dyn Variables,
    /// Expanded, with the names that are not part of the key.
    pub environment: &'a BTreeMap<String, String>,
    /// Names of `environment` that are not part of the key, sorted.
    pub environment_nocache: &'a [String],
    /// Composed of defaults, overrides and the element's own, expanded.
    pub config: &'a Mapping,
    /// Composed and expanded.
    pub public: &'a Mapping,
    /// Whether it has sources. A workspace counts as the sources that it replaces.
    pub has_sources: bool,
    /// Direct dependencies in sorted order, of all types.
    pub dependencies: &'a [DependencyView<'a>],
    /// The start of the element's file, for errors that have no better place.
    pub mark: Mark,
}

/// A direct dependency as a kind sees it.
pub struct DependencyView<'a> {
    /// Its number in the graph.
    pub id: usize,
    pub project: &'a str,
    pub name: &'a str,
    pub full_name: &'a str,
    pub kind: &'a str,
    /// As the element's file writes it: `NAME` or `JUNCTION:NAME` (spec: keys 3.2).
    pub path: &'a str,
    pub when: DependencyType,
    pub strict: bool,
    /// One for each `config` that the element's file gives, expanded, in order; empty where it gives none.
    pub configs: &'a [&'a Mapping],
    /// Where the dependency is declared.
    pub mark: Mark,
}

/// What a kind makes of an element: goes into `record::Build` under the same names.
#[derive(Clone, Debug, PartialEq)]
pub struct Configured {
    /// `element-plugin-key` (spec: keys 3.7).
    pub plugin_key: Value,
    /// `element-plugin-version`.
    pub plugin_version: i64,
    pub instructions: Instructions,
    pub runs_commands: bool,
    pub strict_rebuild: bool,
}

/// Asks the element's kind to read its configuration, also that of its dependencies. BuildStream does this
/// before it looks at the element's sources.
pub fn configure(view: &ElementView) -> Result<Configured> {
    Err(Error::new(
        Code::Unsupported,
        format!("no kind \"{}\" is known here, and no helper bst-element-{} was found", view.kind, view.kind),
    )
    .at(view.mark.place()))
}

/// Asks the element's kind whether it is content with what kind of dependencies and sources there are.
/// BuildStream does this after it has looked at the element's sources and dependencies.
pub fn preflight(view: &ElementView) -> Result<()> {
    configure(view).map(|_| ())
}
