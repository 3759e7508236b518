//! The sources of an element.

use crate::project::compose::{check_mapping_composited, compose};
use crate::project::conf::{Project, ProjectUrls};
use crate::project::loader::Element;
use crate::project::mark::Mark;
use crate::project::node::{Mapping, Node, Scalar, excerpt};
use crate::project::plugins::{Family, Plugin, Role};
use crate::project::refs::Refs;
use crate::project::sources::{self, SourceView};
use crate::project::variables::Variables;
use crate::values::record::{Origin, RefStorage, Source};
use crate::values::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// Resolves them; a workspace that is open stands for all of them.
pub(super) fn resolve(element: &Element, variables: &Variables) -> Result<Vec<Source>> {
    if let Some(path) = element.project.session.workspace(&element.full_name)? {
        return workspace(element, &path).map(|source| vec![source]);
    }
    let list = element.node.list("sources")?.map_or(&[][..], |list| &list.items[..]);
    list.iter().enumerate().map(|(index, node)| source(element, node.mapping()?, index, variables)).collect()
}

/// The kinds of an element's sources.
pub(super) fn kinds(element: &Element) -> impl Iterator<Item = &Scalar> {
    let list = element.node.list("sources").ok().flatten().map_or(&[][..], |list| &list.items[..]);
    list.iter().filter_map(|node| node.mapping().ok()?.scalar("kind").ok()?)
}

fn source(element: &Element, node: &Mapping, index: usize, variables: &Variables) -> Result<Source> {
    let project = &element.project;
    let kind = node.require("kind")?.scalar()?;
    if &*kind.text == "workspace" {
        return Err(kind.expected("a kind of source that can be written in a file"));
    }
    let mut own = node.clone();
    own.remove("kind");
    let directory = node.text("directory")?.filter(|directory| !directory.is_empty());
    if directory.is_some() {
        own.remove("directory");
    }
    let provenance = node.mapping("provenance")?.filter(|provenance| !provenance.is_empty());
    if let Some(provenance) = provenance {
        own.remove("provenance");
        check_provenance(element, provenance)?;
    }
    let plugin = project.kinds.plugin(project, Role::Source, &kind.text, node.mark)?;
    let mut config = overrides(element, &kind.text)?;
    compose(&own, &mut config)?;
    check_mapping_composited(&config)?;
    variables.expand_mapping(&mut config)?;

    let stored = Stored::find(element, index)?;
    let urls = ProjectUrls { project, first_pass: element.is_first_pass(), mark: node.mark };
    let view = SourceView {
        kind: &kind.text,
        plugin: &plugin,
        directory,
        config: &config,
        refs: match &stored {
            Stored::Inline => Some(&config),
            Stored::Entry(_, entry) => Some(entry),
            Stored::Nowhere(_) => None,
        },
        provenance,
        urls: &urls,
        digests: &project.session.digests,
        helpers: &project.settings().helpers,
        project_directory: &project.directory,
        element: &element.full_name,
        index,
        mark: node.mark,
    };
    let mut source = sources::configure(&view)?;
    source.origin = stored.origin(node.mark, index);
    Ok(source)
}

fn overrides(element: &Element, kind: &str) -> Result<Mapping> {
    let config = element.project.config(element.is_first_pass())?;
    let of_kind = config.sources.mapping(kind)?;
    Ok(of_kind.map(|of_kind| of_kind.mapping("config")).transpose()?.flatten().cloned().unwrap_or_else(Mapping::empty))
}

fn check_provenance(element: &Element, provenance: &Mapping) -> Result<()> {
    if !element.is_first_pass() {
        let known = &element.project.full()?.provenance;
        if let Some((key, value)) = provenance.iter().find(|(key, _)| !known.contains(key)) {
            let message = format!(
                "expected one of the attributes {}, which source-provenance-attributes names, found \"{}\"",
                known.join(", "),
                excerpt(key)
            );
            return Err(Error::load("undefined-source-provenance-attribute", message).at(value.mark().place()));
        }
    }
    provenance.iter().try_for_each(|(_, value)| value.scalar().map(|_| ()))
}

/// Where the ref of a source is kept (spec: keys 2.3).
enum Stored<'a> {
    Inline,
    Entry(&'a Refs, &'a Mapping),
    /// In a file of refs that has no entry for it.
    Nowhere(&'a Refs),
}

impl<'a> Stored<'a> {
    fn find(element: &'a Element, index: usize) -> Result<Stored<'a>> {
        let project = &element.project;
        let find = |refs: &'a Refs| refs.find(&project.name, &element.name, index);
        if let Some(top) = element.project.session.top_of(project) {
            if top.ref_storage == RefStorage::ProjectRefs {
                let refs = refs_of(top, element)?;
                if let Some(entry) = find(refs)? {
                    return Ok(Stored::Entry(refs, entry));
                }
            }
        }
        if project.ref_storage == RefStorage::Inline {
            return Ok(Stored::Inline);
        }
        let refs = refs_of(project, element)?;
        Ok(find(refs)?.map_or(Stored::Nowhere(refs), |entry| Stored::Entry(refs, entry)))
    }

    fn origin(&self, mark: Mark, index: usize) -> Option<Origin> {
        let text = |path: &Path| path.to_str().map(str::to_owned);
        Some(match self {
            Stored::Inline => Origin {
                column: mark.column,
                file: text(&mark.file.path()?)?,
                index,
                line: mark.line,
                storage: RefStorage::Inline,
            },
            Stored::Entry(refs, _) | Stored::Nowhere(refs) => {
                Origin { column: 0, file: text(&refs.path)?, index, line: 0, storage: RefStorage::ProjectRefs }
            }
        })
    }
}

fn refs_of<'a>(project: &'a Arc<Project>, element: &Element) -> Result<&'a Refs> {
    if &*element.kind == "junction" { Ok(&project.junction_refs) } else { Ok(&project.full()?.refs) }
}

/// The workspace that stands for the sources of an element.
fn workspace(element: &Element, path: &Path) -> Result<Source> {
    let kind = "workspace";
    let plugin = Plugin { role: Role::Source, kind: kind.to_owned(), family: Family::Core, code: None, defaults: None };
    let mut config = Mapping::empty();
    config.set("path", Node::text(&*path.to_string_lossy()));
    let urls = ProjectUrls { project: &element.project, first_pass: element.is_first_pass(), mark: element.mark() };
    sources::configure(&SourceView {
        kind,
        plugin: &plugin,
        directory: None,
        config: &config,
        refs: Some(&config),
        provenance: None,
        urls: &urls,
        digests: &element.project.session.digests,
        helpers: &element.project.settings().helpers,
        project_directory: &element.project.directory,
        element: &element.full_name,
        index: 0,
        mark: element.mark(),
    })
}
