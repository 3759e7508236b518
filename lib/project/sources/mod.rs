//! What each kind of source makes of its configuration: what enters the key, and what fetching and staging
//! need.
//!
//! A kind sees a source through [`SourceView`], everything composed and expanded, and answers with the
//! `record::Source` that travels in the element's record.

mod bazel;
mod cargo;
mod docker;
mod download;
mod draft;
mod foreign;
mod git;
mod gitcommunity;
mod golang;
mod local;
mod patch;
mod plugincode;
mod registry;
mod vcs;

use super::helper::Helpers;
use super::localdigest::Digests;
use super::node::{Mapping, Mark};
use super::plugins::{Family, Plugin};
use crate::values::error::Domain;
use crate::values::record::Source;
use crate::values::{Error, Result};
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
    /// Asks about kinds that are not native.
    pub helpers: &'a Helpers,
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
    let source = match known(view.plugin) {
        Some(configure) => configure(view)?,
        None => foreign::configure(view)?,
    };
    if view.index == 0 && looks_at_previous(view.plugin) {
        let message = format!(
            "a source of kind {} is found by looking at those before it; list it after another source",
            view.kind
        );
        return Err(Error::in_domain(Domain::Element, message).at(view.mark.place()));
    }
    Ok(source)
}

/// Whether new refs of the kind are found in the sources before it, so that it cannot be the first.
fn looks_at_previous(plugin: &Plugin) -> bool {
    let kind = &*plugin.kind;
    match plugin.package() {
        Some("buildstream-plugins") => matches!(kind, "cargo" | "pip"),
        Some("buildstream-plugins-community") => {
            matches!(kind, "bazel_source" | "cargo2" | "gen_cargo_lock" | "git_module" | "go_module")
        }
        _ => false,
    }
}

type Configure = fn(&SourceView) -> Result<Source>;

fn known(plugin: &Plugin) -> Option<Configure> {
    match (&plugin.family, plugin.package()) {
        (Family::Core, _) => core(&plugin.kind),
        (_, Some("buildstream-plugins")) => of_plugins(&plugin.kind),
        (_, Some("buildstream-plugins-community")) => of_community(&plugin.kind),
        _ => None,
    }
}

fn core(kind: &str) -> Option<Configure> {
    Some(match kind {
        "local" => local::configure,
        "remote" => download::remote,
        "tar" => download::archive,
        "workspace" => local::workspace,
        _ => return None,
    })
}

fn of_plugins(kind: &str) -> Option<Configure> {
    Some(match kind {
        "bzr" => vcs::bzr,
        "cargo" => cargo::cargo,
        "docker" => docker::configure,
        "git" => git::configure,
        "patch" => patch::patch,
        "pip" => registry::pip,
        _ => return None,
    })
}

fn of_community(kind: &str) -> Option<Configure> {
    Some(match kind {
        "anitya" => registry::anitya,
        "bazel_file" => bazel::file,
        "bazel_source" => bazel::source,
        "cargo2" => cargo::cargo2,
        "cpan" => registry::cpan,
        "deb" | "zip" => download::archive,
        "gen_cargo_lock" => cargo::lock,
        "git_module" => gitcommunity::module,
        "git_repo" => gitcommunity::repo,
        "git_tag" => gitcommunity::tag,
        "gnu" => registry::gnu,
        "go_module" => golang::module,
        "ostree" => vcs::ostree,
        "patch_queue" => patch::queue,
        "pypi" => registry::pypi,
        "quilt" => patch::quilt,
        _ => return None,
    })
}

/// An error of the source's own domain, with BuildStream's reason.
fn refuse(view: &SourceView, reason: &str, message: impl Into<String>) -> Error {
    Error::of_project(Domain::Source, reason, message).at(view.mark.place())
}

/// The same where BuildStream gives no reason.
fn object(view: &SourceView, message: impl Into<String>) -> Error {
    Error::in_domain(Domain::Source, message).at(view.mark.place())
}
