//! What each kind of element makes of its configuration: what enters the key, and what building does.
//!
//! A kind sees an element through [`ElementView`], everything composed and expanded, and answers with
//! [`Configured`]. Nothing here reads files.

mod bazelize;
mod build;
mod check_forbidden;
mod collect;
mod compose;
mod dpkg;
mod filter;
mod flatpak;
mod foreign;
mod image;
mod import;
mod junction;
mod layout;
mod oci;
mod ostree;
mod script;
mod snap;
mod stack;
mod yamltext;

use super::helper::Helpers;
use super::node::{Mapping, Mark};
use super::plugins::{Family, Plugin};
use crate::values::error::Domain;
use crate::values::record::{DependencyType, Instructions};
use crate::values::{Error, Result};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// The variables of an element.
pub trait Variables {
    /// The expanded value; `None` where no such variable is.
    fn variable(&self, name: &str) -> Result<Option<Arc<str>>>;
    /// All of them, expanded.
    fn all(&self) -> BTreeMap<String, String>;
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
    /// Asks about kinds that are not native.
    pub helpers: &'a Helpers,
    /// Absolute.
    pub project_directory: &'a Path,
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

impl Configured {
    /// What most kinds say: version 0, runs commands, no strict rebuild.
    fn new(plugin_key: Value, instructions: Instructions) -> Configured {
        Configured { plugin_key, plugin_version: 0, instructions, runs_commands: true, strict_rebuild: false }
    }
}

/// A native kind.
#[derive(Clone, Copy)]
struct Kind {
    forbids_build_depends: bool,
    forbids_runtime_depends: bool,
    forbids_sources: bool,
    /// Whether dependencies may have `config`.
    takes_dependency_config: bool,
    configure: fn(&ElementView) -> Result<Configured>,
    preflight: fn(&ElementView) -> Result<()>,
}

impl Kind {
    /// A kind that forbids nothing and is content with everything.
    const fn new(configure: fn(&ElementView) -> Result<Configured>) -> Kind {
        Kind {
            forbids_build_depends: false,
            forbids_runtime_depends: false,
            forbids_sources: false,
            takes_dependency_config: false,
            configure,
            preflight: |_| Ok(()),
        }
    }

    /// A kind of which everything is put together from build dependencies.
    const fn of_build_depends(configure: fn(&ElementView) -> Result<Configured>) -> Kind {
        Kind { forbids_runtime_depends: true, forbids_sources: true, ..Kind::new(configure) }
    }
}

/// Asks the element's kind to read its configuration, also that of its dependencies. BuildStream does this
/// before it looks at the element's sources.
pub fn configure(view: &ElementView) -> Result<Configured> {
    let Some(kind) = known(view.plugin) else { return foreign::configure(view) };
    if !kind.takes_dependency_config {
        refuse_dependency_config(view)?;
    }
    (kind.configure)(view)
}

/// Asks the element's kind whether it is content with what dependencies and sources there are. BuildStream does
/// this after it has looked at the element's sources and dependencies.
pub fn preflight(view: &ElementView) -> Result<()> {
    let Some(kind) = known(view.plugin) else { return Ok(()) };
    let builds = view.dependencies.iter().any(|dependency| dependency.when.builds());
    let runs = view.dependencies.iter().any(|dependency| dependency.when.runs());
    let (no_builds, no_runs) = (kind.forbids_build_depends, kind.forbids_runtime_depends);
    let forbidden = [
        (no_builds && no_runs && (builds || runs), "element-forbidden-depends", "dependencies"),
        (no_runs && runs, "element-forbidden-rdepends", "dependencies at run time; list them under \"build-depends\""),
        (no_builds && builds, "element-forbidden-bdepends", "dependencies at build time"),
        (kind.forbids_sources && view.has_sources, "element-forbidden-sources", "sources"),
    ];
    if let Some((_, reason, what)) = forbidden.into_iter().find(|(found, ..)| *found) {
        return Err(refuse(view, reason, format!("an element of kind {} may have no {what}", view.kind)));
    }
    (kind.preflight)(view)
}

fn known(plugin: &Plugin) -> Option<Kind> {
    match (&plugin.family, plugin.package()) {
        (Family::Core, _) => core(&plugin.kind),
        (_, Some("buildstream-plugins")) => of_plugins(&plugin.kind),
        (_, Some("buildstream-plugins-community")) => of_community(plugin),
        _ => None,
    }
}

fn core(kind: &str) -> Option<Kind> {
    Some(match kind {
        "compose" => compose::KIND,
        "filter" => filter::KIND,
        "import" => import::KIND,
        "junction" => junction::JUNCTION,
        "link" => junction::LINK,
        "manual" => build::KIND,
        "script" => script::KIND,
        "stack" => stack::KIND,
        _ => return None,
    })
}

fn of_plugins(kind: &str) -> Option<Kind> {
    match kind {
        "autotools" | "cmake" | "make" | "meson" | "pip" | "setuptools" => Some(build::KIND),
        _ => None,
    }
}

fn of_community(plugin: &Plugin) -> Option<Kind> {
    Some(match &*plugin.kind {
        "cargo" | "makemaker" | "modulebuild" | "pyproject" | "qmake" => build::KIND,
        "bazel_build" => build::BAZEL,
        "bazelize" => bazelize::KIND,
        "check_forbidden" => check_forbidden::KIND,
        "collect_integration" => collect::INTEGRATION,
        "collect_manifest" if plugin.is_before([2, 1, 0]) => collect::OLD_MANIFEST,
        "collect_manifest" => collect::MANIFEST,
        "dpkg_build" => dpkg::BUILD,
        "dpkg_deploy" => dpkg::DEPLOY,
        "fastboot_bootimg" => image::FASTBOOT_BOOTIMG,
        "fastboot_ext4" => image::FASTBOOT_EXT4,
        "flatpak_image" => flatpak::IMAGE,
        "flatpak_repo" => flatpak::REPO,
        "oci" => oci::KIND,
        "ostree" => ostree::KIND,
        "snap_image" => snap::KIND,
        "tar_element" => image::TAR,
        "x86image" => image::X86,
        _ => return None,
    })
}

fn refuse_dependency_config(view: &ElementView) -> Result<()> {
    let mut configs = view.dependencies.iter().filter(|dependency| dependency.when.builds()).flat_map(|d| d.configs);
    match configs.next() {
        Some(config) => {
            let message = format!("elements of kind {} take no \"config\" of their dependencies; remove it", view.kind);
            Err(Error::load("invalid-dependency-config", message).at(config.mark.place()))
        }
        None => Ok(()),
    }
}

/// The numbers of everything that the element stages, in staging order (spec: keys 3.4).
fn build_scope(view: &ElementView) -> Vec<usize> {
    let mut scope = Vec::new();
    let mut seen = HashSet::new();
    for dependency in view.dependencies.iter().filter(|dependency| dependency.when.builds()) {
        // An element, and whether what it needs to run has been put before it.
        let mut todo = vec![(dependency.id, false)];
        while let Some((id, is_done)) = todo.pop() {
            if is_done {
                scope.push(id);
            } else if seen.insert(id) {
                todo.push((id, true));
                let depends = view.graph.depends(id);
                todo.extend(depends.into_iter().rev().filter(|(_, when)| when.runs()).map(|(id, _)| (id, false)));
            }
        }
    }
    scope
}

/// An error of the element's own domain, with BuildStream's reason.
fn refuse(view: &ElementView, reason: &str, message: impl Into<String>) -> Error {
    Error::of_project(Domain::Element, reason, message).at(view.mark.place())
}

/// The same where BuildStream gives no reason.
fn object(view: &ElementView, message: impl Into<String>) -> Error {
    Error::in_domain(Domain::Element, message).at(view.mark.place())
}

/// A variable that is there and not empty.
fn variable(view: &ElementView, name: &str) -> Result<Option<String>> {
    let value = view.variables.variable(name)?;
    Ok(value.filter(|value| !value.is_empty()).map(|value| value.to_string()))
}

/// The texts of a list that must be there.
fn texts(config: &Mapping, key: &str) -> Result<Vec<String>> {
    Ok(config.require(key)?.list()?.texts()?.into_iter().map(str::to_owned).collect())
}

/// The texts of a list, none where it is absent.
fn optional_texts(config: &Mapping, key: &str) -> Result<Vec<String>> {
    Ok(config.texts(key)?.unwrap_or_default().into_iter().map(str::to_owned).collect())
}

/// A boolean that must be there.
fn flag(config: &Mapping, key: &str) -> Result<bool> {
    config.require(key)?.scalar()?.bool()
}

/// A copy in order of code points, as keys hold lists whose order means nothing.
fn sorted(texts: &[String]) -> Vec<&String> {
    let mut sorted: Vec<&String> = texts.iter().collect();
    sorted.sort();
    sorted
}

/// A path below a directory, as Python joins them: an absolute one stands for itself.
fn join(directory: &str, path: &str) -> String {
    match (directory, path) {
        (_, path) if path.starts_with('/') => path.to_owned(),
        ("", path) => path.to_owned(),
        (directory, path) if directory.ends_with('/') => format!("{directory}{path}"),
        (directory, path) => format!("{directory}/{path}"),
    }
}
