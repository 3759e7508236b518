//! From an element's file to what its kind and its sources' kinds make of it (spec: keys 2.7).

mod defaults;
mod layers;
mod sources;

pub use defaults::{Cache, Defaults};
pub use layers::Layers;

use super::cachekey;
use super::conf::Project;
use super::graph::Graph;
use super::kinds::{self, DependencyView, ElementView};
use super::loader::Element;
use super::node::{Mapping, Scalar};
use super::plugins::Role;
use super::sandbox;
use crate::values::error::Domain;
use crate::values::record::{Build, Source};
use crate::values::{Error, Key, Result};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// An element, resolved.
pub struct Resolved {
    pub build: Build,
    pub sources: Vec<Source>,
}

/// Why an element cannot be resolved.
pub enum Failure {
    /// Found before what it depends on was looked at.
    Early(Error),
    /// Found after that.
    Late(Error),
}

/// What a junction's own file says.
pub struct Junction {
    pub path: String,
    pub options: Mapping,
    pub overrides: Vec<(Arc<str>, Scalar)>,
    pub aliases: Mapping,
    pub identity: bool,
    pub sources: Vec<Source>,
    /// The directory, if it is the one source and lies on this machine.
    pub local: Option<PathBuf>,
    /// Its weak key.
    pub key: Option<Key>,
}

/// What a link leads to.
pub fn link_target(element: &Element) -> Result<Scalar> {
    let layers = Layers::new(element)?;
    layers.config.check_keys(&["target"])?;
    let target = layers.config.require("target")?.scalar()?.clone();
    if element.node.list("sources")?.is_some_and(|sources| !sources.items.is_empty()) {
        let message = format!("the link {} has sources; a link has nothing but a target", element.full_name);
        return Err(Error::of_project(Domain::Element, "element-forbidden-sources", message).at(element.mark().place()));
    }
    Ok(target)
}

/// Resolves a junction, which depends on nothing.
pub fn junction(element: &Arc<Element>) -> Result<Junction> {
    let layers = Layers::new(element)?;
    let config = &layers.config;
    config.check_keys(&["path", "options", "overrides", "aliases", "map-aliases"])?;
    let mapping = |key| Ok::<_, Error>(config.mapping(key)?.cloned().unwrap_or_else(Mapping::empty));
    let mut overrides = Vec::new();
    for (path, instead) in mapping("overrides")?.iter() {
        let instead = instead.scalar()?;
        if *instead.text == *element.name {
            let message = format!("the junction {} overrides {path} with itself", element.full_name);
            return Err(
                Error::of_project(Domain::Element, "override-junction-with-self", message).at(instead.mark.place())
            );
        }
        overrides.push((path.clone(), instead.clone()));
    }
    let identity = match config.scalar("map-aliases")? {
        None => false,
        Some(scalar) => match &*scalar.text {
            "identity" => true,
            "none" => false,
            _ => return Err(scalar.expected("identity or none")),
        },
    };
    let sources = sources::resolve(element, &layers.variables)?;
    let local = match &sources[..] {
        [source] if matches!(&*source.kind, "local" | "workspace") => local_path(&element.project, source),
        _ => None,
    };
    let key = if local.is_some() { None } else { junction_key(element, &layers, &sources)? };
    Ok(Junction {
        path: config.text("path")?.unwrap_or_default().to_owned(),
        options: mapping("options")?,
        aliases: mapping("aliases")?,
        overrides,
        identity,
        sources,
        local,
        key,
    })
}

fn local_path(project: &Project, source: &Source) -> Option<PathBuf> {
    Some(project.directory.join(source.config.get("path")?.as_str()?))
}

fn junction_key(element: &Element, layers: &Layers, sources: &[Source]) -> Result<Option<Key>> {
    let build = build_of(element, layers, junction_configured())?;
    let subject = cachekey::Subject {
        project: &element.project.name,
        element: &element.name,
        kind: &element.kind,
        build: &build,
        sources,
    };
    let node = cachekey::Node { subject: Some(subject), depends: Vec::new() };
    Ok(cachekey::keys(&[node], 1).first().and_then(|keys| keys.weak))
}

/// What the kind `junction` makes of any junction.
fn junction_configured() -> kinds::Configured {
    kinds::Configured {
        plugin_key: serde_json::Value::from(1),
        plugin_version: 0,
        instructions: crate::values::record::Instructions::Nothing,
        runs_commands: true,
        strict_rebuild: false,
    }
}

/// Finds out where the kinds of a graph come from, and what their defaults are. That may load projects, which
/// is done in order and on one thread; afterwards elements can be resolved in any order, on several.
pub fn prepare(graph: &Graph) {
    let mut seen = HashSet::new();
    for node in &graph.nodes {
        let element = &node.element;
        let project = Arc::as_ptr(&element.project);
        if seen.insert((project, Role::Element, element.kind.clone())) {
            // What cannot be found is looked for again, and is the error of the element that uses it.
            let _ = element.project.kinds.defaults(&element.project, &element.kind, element.mark());
        }
        for kind in sources::kinds(element) {
            if seen.insert((project, Role::Source, kind.text.clone())) {
                let _ = element.project.kinds.plugin(&element.project, Role::Source, &kind.text, kind.mark);
            }
        }
    }
}

/// Resolves the element at a position of the graph.
pub fn element(graph: &Graph, position: usize) -> Result<Resolved, Failure> {
    let node = &graph.nodes[position];
    let element = &node.element;
    let layers = Layers::new(element).map_err(Failure::Early)?;
    let configs = configs(&layers, node).map_err(Failure::Late)?;
    let borrowed: Vec<Vec<&Mapping>> = configs.iter().map(|list| list.iter().collect()).collect();
    let paths: Vec<String> = node.edges.iter().map(|edge| edge.declaration.path()).collect();
    let dependencies: Vec<DependencyView> = node
        .edges
        .iter()
        .zip(&borrowed)
        .zip(&paths)
        .map(|((edge, configs), path)| {
            let to = &graph.nodes[edge.to].element;
            DependencyView {
                id: edge.to,
                project: &to.project.name,
                name: &to.name,
                full_name: &to.full_name,
                kind: &to.kind,
                path,
                when: edge.declaration.when,
                strict: edge.declaration.strict,
                configs,
                mark: edge.declaration.mark,
            }
        })
        .collect();
    let sources = sources::resolve(element, &layers.variables);
    let has_sources = sources.as_ref().map_or(true, |sources| !sources.is_empty());
    let view = ElementView {
        id: position,
        graph,
        project: &element.project.name,
        name: &element.name,
        full_name: &element.full_name,
        kind: &element.kind,
        plugin: &layers.defaults.plugin,
        helpers: &element.project.settings().helpers,
        project_directory: &element.project.directory,
        variables: &layers.variables,
        environment: &layers.environment,
        environment_nocache: &layers.environment_nocache,
        config: &layers.config,
        public: &layers.public,
        has_sources,
        dependencies: &dependencies,
        mark: element.mark(),
    };
    let configured = kinds::configure(&view).map_err(Failure::Early)?;
    let sources = sources.map_err(Failure::Early)?;
    kinds::preflight(&view).map_err(Failure::Late)?;
    let mut build = build_of(element, &layers, configured).map_err(Failure::Early)?;
    build.workspaced = sources.first().is_some_and(|source| source.kind == "workspace");
    Ok(Resolved { build, sources })
}

/// The configurations of each dependency, expanded.
fn configs(layers: &Layers, node: &super::graph::Node) -> Result<Vec<Vec<Mapping>>> {
    let expand = |config: &Mapping| {
        let mut config = config.clone();
        layers.variables.expand_mapping(&mut config)?;
        Ok(config)
    };
    node.edges.iter().map(|edge| edge.declaration.configs.iter().map(expand).collect()).collect()
}

fn build_of(element: &Element, layers: &Layers, configured: kinds::Configured) -> Result<Build> {
    let project = &element.project;
    let fatal_warnings =
        if element.is_first_pass() { project.early_fatal_warnings() } else { project.full()?.fatal_warnings.clone() };
    let variables: BTreeMap<String, String> =
        layers.variables.expanded().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Ok(Build {
        build_root: layers.variables.get("build-root")?.map(|text| text.to_string()).unwrap_or_default(),
        environment: layers.environment.clone(),
        environment_nocache: layers.environment_nocache.clone(),
        environment_order: layers.environment_order.clone(),
        fatal_warnings,
        instructions: configured.instructions,
        plugin_key: configured.plugin_key,
        plugin_version: configured.plugin_version,
        public: plain(&super::node::Node::Mapping(layers.public.clone())),
        runs_commands: configured.runs_commands,
        sandbox: sandbox::read(&layers.sandbox, &project.settings().machine)?,
        strict_rebuild: configured.strict_rebuild,
        variables,
        workspaced: false,
    })
}

/// A node as JSON: every text a string.
fn plain(node: &super::node::Node) -> serde_json::Value {
    use super::node::Node;
    use serde_json::Value;
    match node {
        Node::Scalar(scalar) => Value::String(scalar.text.to_string()),
        Node::List(list) => Value::Array(list.items.iter().map(plain).collect()),
        Node::Mapping(mapping) => {
            Value::Object(mapping.iter().map(|(key, node)| (key.to_string(), plain(node))).collect())
        }
    }
}
