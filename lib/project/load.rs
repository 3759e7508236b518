//! From a project's directory and names of elements to records with keys.

use super::cachekey::{self, Keys};
use super::conf::{self, Project};
use super::graph::{Graph, Scope};
use super::loader::{Session, Walk};
use super::resolve::{self, Failure, Resolved};
use super::settings::Settings;
use super::{conflicts, parallel};
use crate::values::record::{self, Dependency, Staged};
use crate::values::{Code, Error, Record, Result};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Names of elements; none: the project's default targets.
    pub targets: Vec<String>,
    /// Every element below the element path, whatever `targets` says.
    pub all: bool,
    pub scope: Scope,
}

/// What was loaded.
pub struct Loaded {
    session: Arc<Session>,
    pub graph: Graph,
    /// By position in the graph.
    resolved: Vec<Option<Resolved>>,
    /// By position: its own error, or that of something that it depends on.
    errors: Vec<Option<Error>>,
    keys: Vec<Keys>,
    /// What there is to say, in order.
    pub lines: Vec<Line>,
    /// The elements that were named, which carry `stage`.
    named: Vec<bool>,
    /// Whether the project itself could not be loaded: then there is one line.
    top: Option<Arc<Project>>,
}

/// One record to be.
pub enum Line {
    /// The element at a position of the graph.
    Element(usize),
    /// A target that could not be loaded.
    Broken { name: String, error: Error },
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.session.clear();
    }
}

/// Loads. A project that cannot be loaded gives one line, of the element `*`.
pub fn load(settings: Settings, directory: &Path, request: &Request) -> Loaded {
    let session = Session::new(settings);
    match open(&session, directory) {
        Ok((project, workspace)) => targets(&session, &project, workspace, request),
        Err(error) => Loaded::nothing(&session, None, error),
    }
}

/// The project that a directory lies in, both passes done, and the element of the workspace that it is.
fn open(session: &Arc<Session>, directory: &Path) -> Result<(Arc<Project>, Option<String>)> {
    let (directory, workspace) = conf::find(directory)?;
    let project = Project::load(session, &directory, None)?;
    project.full()?;
    session.workspace("")?;
    Ok((project, workspace))
}

fn targets(session: &Arc<Session>, project: &Arc<Project>, workspace: Option<String>, request: &Request) -> Loaded {
    let names = match names(project, workspace, request) {
        Ok(names) => names,
        Err(error) => return Loaded::nothing(session, Some(project), error),
    };
    let threads = session.settings.threads;
    let outcomes = Walk::new(session).targets(project, &names);
    let loaded: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().cloned()).collect();
    let graph = Graph::new(&loaded, threads);
    resolve::prepare(&graph);
    let (resolved, mut errors) = resolve_all(&graph, threads);
    conflicts::find(session, &graph, &mut errors);

    let mut lines = Vec::new();
    let mut there = Vec::new();
    for (name, outcome) in names.into_iter().zip(outcomes) {
        match outcome.and_then(|element| graph.position(&element)) {
            Ok(position) => there.push(position),
            Err(error) => lines.push(Line::Broken { name, error }),
        }
    }
    lines.splice(0..0, graph.scope(&there, request.scope).into_iter().map(Line::Element));
    let mut named = vec![false; graph.nodes.len()];
    if !request.all {
        there.iter().for_each(|&position| named[position] = true);
    }
    let keys = keys(&graph, &resolved, threads);
    session.digests.save();
    Loaded { session: session.clone(), graph, resolved, errors, keys, lines, named, top: Some(project.clone()) }
}

fn names(project: &Arc<Project>, workspace: Option<String>, request: &Request) -> Result<Vec<String>> {
    let every = || elements_below(&project.element_path);
    if request.all {
        return every();
    }
    let targets = match (&request.targets[..], workspace, &project.default_targets[..]) {
        ([], Some(element), _) => vec![element],
        ([], None, []) => every()?,
        ([], None, defaults) => defaults.to_vec(),
        (targets, ..) => targets.to_vec(),
    };
    // The same element twice gives one record.
    let mut seen = std::collections::HashSet::new();
    Ok(targets.into_iter().filter(|name| seen.insert(name.clone())).collect())
}

/// Every element's file below a directory, without what BuildStream stages there, and without those of other
/// projects; sorted.
fn elements_below(directory: &Path) -> Result<Vec<String>> {
    let entries = walkdir::WalkDir::new(directory)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !entry.file_type().is_dir() || is_own(entry.path()));
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("cannot read the directory", directory, error))?;
        let is_element = !entry.path().is_dir() && entry.file_name().to_string_lossy().ends_with(".bst");
        let name = entry.path().strip_prefix(directory).ok().and_then(Path::to_str);
        names.extend(name.filter(|_| is_element).map(str::to_owned));
    }
    Ok(names)
}

/// Whether a directory below the element path belongs to the project.
fn is_own(directory: &Path) -> bool {
    directory.file_name().is_some_and(|name| name != ".bst") && !directory.join(conf::FILE).exists()
}

/// Resolves every element; beside it for each the first error that BuildStream would find when it loads that
/// element: its own, or that of a dependency.
fn resolve_all(graph: &Graph, threads: usize) -> (Vec<Option<Resolved>>, Vec<Option<Error>>) {
    let none = |_| std::iter::empty();
    let outcomes =
        parallel::in_order(graph.nodes.len(), none, threads, || (), |position, ()| resolve::element(graph, position));
    let mut errors: Vec<Option<Error>> = Vec::with_capacity(outcomes.len());
    for (node, outcome) in graph.nodes.iter().zip(&outcomes) {
        let below = || node.edges.iter().find_map(|edge| errors[edge.to].clone());
        errors.push(match outcome {
            Err(Failure::Early(error)) => Some(error.clone()),
            Err(Failure::Late(error)) => below().or_else(|| Some(error.clone())),
            Ok(_) => below(),
        });
    }
    (outcomes.into_iter().map(Result::ok).collect(), errors)
}

fn key_nodes<'a>(graph: &'a Graph, resolved: &'a [Option<Resolved>]) -> Vec<cachekey::Node<'a>> {
    let subject = |(node, resolved): (&'a super::graph::Node, &'a Option<Resolved>)| {
        let element = &node.element;
        cachekey::Node {
            subject: resolved.as_ref().map(|resolved| cachekey::Subject {
                project: &element.project.name,
                element: &element.name,
                kind: &element.kind,
                build: &resolved.build,
                sources: &resolved.sources,
            }),
            depends: node
                .edges
                .iter()
                .map(|edge| cachekey::Edge {
                    index: u32::try_from(edge.to).unwrap_or(u32::MAX),
                    when: edge.declaration.when,
                    strict: edge.declaration.strict,
                })
                .collect(),
        }
    };
    graph.nodes.iter().zip(resolved).map(subject).collect()
}

fn keys(graph: &Graph, resolved: &[Option<Resolved>], threads: usize) -> Vec<Keys> {
    cachekey::keys(&key_nodes(graph, resolved), threads)
}

impl Loaded {
    /// Nothing but the error of the project itself.
    fn nothing(session: &Arc<Session>, top: Option<&Arc<Project>>, error: Error) -> Loaded {
        Loaded {
            session: session.clone(),
            graph: Graph::new(&[], 1),
            resolved: Vec::new(),
            errors: Vec::new(),
            keys: Vec::new(),
            lines: vec![Line::Broken { name: "*".to_owned(), error }],
            named: Vec::new(),
            top: top.cloned(),
        }
    }

    /// The keys of an element.
    pub fn keys(&self, position: usize) -> Keys {
        self.keys[position]
    }

    /// The text that a key of the element is the hash of.
    pub fn explain(&self, position: usize, which: cachekey::Which) -> Option<Vec<u8>> {
        cachekey::explain(&key_nodes(&self.graph, &self.resolved), position, which, &self.keys)
    }

    /// The record of a line, and whether it has an error.
    pub fn record(&self, line: &Line) -> Result<(Record, Option<Error>)> {
        match line {
            Line::Broken { name, error } => {
                let mut record = Record::default();
                record.set("v", &record::VERSION)?;
                record.set("element", name)?;
                if let Some(top) = &self.top {
                    record.set("project", &top.name)?;
                }
                record.set_error(error)?;
                Ok((record, Some(error.clone())))
            }
            Line::Element(position) => self.element(*position),
        }
    }

    fn element(&self, position: usize) -> Result<(Record, Option<Error>)> {
        let element = &self.graph.nodes[position].element;
        let mut record = Record::default();
        record.set("v", &record::VERSION)?;
        record.set("project", &element.project.name)?;
        record.set("element", &element.full_name)?;
        record.set("kind", &element.kind.to_string())?;
        record.set("depends", &self.depends(position))?;
        if let Some(error) = &self.errors[position] {
            record.set_error(error)?;
            return Ok((record, Some(error.clone())));
        }
        let Some(resolved) = &self.resolved[position] else { return Ok((record, None)) };
        record.set("sources", &resolved.sources)?;
        record.set("build", &resolved.build)?;
        let keys = self.keys[position];
        if let Some(weak) = keys.weak {
            record.set("weak_key", &weak)?;
        }
        let Some(key) = keys.strict else {
            let error = self.no_ref(position);
            record.set_error(&error)?;
            return Ok((record, Some(error)));
        };
        record.set("key", &key)?;
        if self.named[position] {
            if let Some(stage) = self.stage(position) {
                record.set("stage", &stage)?;
            }
        }
        Ok((record, None))
    }

    fn depends(&self, position: usize) -> Vec<Dependency> {
        let edges = self.graph.nodes[position].edges.iter();
        edges
            .map(|edge| {
                let to = &self.graph.nodes[edge.to].element;
                Dependency {
                    element: to.full_name.clone(),
                    key: self.keys[edge.to].strict,
                    project: to.project.name.clone(),
                    strict: edge.declaration.strict,
                    when: edge.declaration.when,
                }
            })
            .collect()
    }

    /// What the build of an element stages; none if one of it has no key.
    fn stage(&self, position: usize) -> Option<Vec<Staged>> {
        let scope = self.graph.scope(&[position], Scope::Build);
        let places: HashMap<usize, usize> =
            scope.iter().enumerate().map(|(place, &element)| (element, place)).collect();
        scope
            .iter()
            .map(|&member| {
                let node = &self.graph.nodes[member];
                let runtime = node.edges.iter().filter(|edge| edge.declaration.when.runs());
                Some(Staged {
                    element: node.element.full_name.clone(),
                    key: self.keys[member].strict?,
                    project: node.element.project.name.clone(),
                    runtime: runtime.filter_map(|edge| places.get(&edge.to).copied()).collect(),
                })
            })
            .collect()
    }

    /// The error of an element without key: it names the element whose source has no ref.
    fn no_ref(&self, position: usize) -> Error {
        let lacks = |position: &usize| {
            let resolved = self.resolved[*position].as_ref();
            resolved.is_some_and(|resolved| resolved.sources.iter().any(|source| source.unique.is_none()))
        };
        let own = lacks(&position).then_some(position);
        let culprit = own.or_else(|| self.graph.scope(&[position], Scope::All).into_iter().find(lacks));
        let name = |position: usize| &*self.graph.nodes[position].element.full_name;
        let message = match culprit {
            Some(culprit) if culprit == position => {
                format!("a source of {} has no ref; bst-track finds one", name(position))
            }
            Some(culprit) => {
                format!(
                    "{} depends on {}, a source of which has no ref; bst-track finds one",
                    name(position),
                    name(culprit)
                )
            }
            None => format!("{} has no key", name(position)),
        };
        Error::new(Code::NoRef, message)
    }
}
