//! From a project's directory and names of elements to records with keys.

mod record;
mod what_if;

use super::cachekey::{self, Keys, Which};
use super::conf::{self, Project};
use super::graph::{Graph, Scope};
use super::loader::{Session, Walk};
use super::resolve::{self, Failure, Resolved};
use super::settings::Settings;
use super::{conflicts, parallel};
use crate::store::Store;
use crate::values::name::ArtifactName;
use crate::values::{Error, Result};
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

    /// Gives elements the keys of non-strict mode: that of the artifact which the store has under the strict or
    /// the weak key, or else one made of the dependencies' (spec: keys 4).
    pub fn be_lenient(&mut self, store: &Store) {
        let artifacts = store.artifacts();
        let cached = |position: usize| {
            let element = &self.graph.nodes[position].element;
            let Keys { weak, strict } = self.keys[position];
            strict.into_iter().chain(weak).find_map(|key| {
                let name = ArtifactName::new(&element.project.name, &element.name, key).ok()?;
                artifacts.read(&name).ok()??.strong_key.parse().ok()
            })
        };
        let strong = cachekey::strong_keys(&key_nodes(&self.graph, &self.resolved), &self.keys, cached);
        self.keys.iter_mut().zip(strong).for_each(|(keys, strong)| keys.strict = strong);
    }

    /// Whether the user's configuration wants non-strict mode for this project.
    pub fn user_is_lenient(&self) -> bool {
        let top = self.top.as_ref();
        top.and_then(|top| top.settings().user.project(&top.name)?.strict).is_some_and(|strict| !strict)
    }

    /// The error of an element.
    pub fn error(&self, position: usize) -> Option<&Error> {
        self.errors[position].as_ref()
    }

    /// The text that a key of the element is the hash of.
    pub fn explain(&self, position: usize, which: Which) -> Option<Vec<u8>> {
        cachekey::explain(&key_nodes(&self.graph, &self.resolved), position, which, &self.keys)
    }
}
