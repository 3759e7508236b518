//! Where direct build dependencies are staged: the `config` of dependencies that most kinds take.

use super::{DependencyView, ElementView};
use crate::project::node::Mapping;
use crate::values::Result;
use crate::values::record::Layout;
use serde_json::{Map, Value, json};

/// A build dependency in its place.
pub struct Placed<'a> {
    pub location: String,
    /// How the key names it.
    pub path: String,
    pub project: &'a str,
    pub element: &'a str,
    pub digest_environment: Option<String>,
    /// Whether it is what the kind works on, as against what it works with.
    pub is_input: bool,
}

impl<'a> Placed<'a> {
    /// A direct dependency at a location.
    pub fn at(location: impl Into<String>, dependency: &DependencyView<'a>) -> Placed<'a> {
        Placed {
            location: location.into(),
            path: dependency.path.to_owned(),
            project: dependency.project,
            element: dependency.full_name,
            digest_environment: None,
            is_input: false,
        }
    }
}

/// Calls `place` once for each `config` of each build dependency, or with none, and gives the places in order.
pub fn places<'a>(
    view: &ElementView<'a>,
    mut place: impl FnMut(&DependencyView<'a>, Option<&Mapping>) -> Result<Placed<'a>>,
) -> Result<Vec<Placed<'a>>> {
    let mut placed = Vec::new();
    for dependency in view.dependencies.iter().filter(|dependency| dependency.when.builds()) {
        if dependency.configs.is_empty() {
            placed.push(place(dependency, None)?);
        }
        for config in dependency.configs {
            placed.push(place(dependency, Some(config))?);
        }
    }
    Ok(placed)
}

/// What the key says of places: location to paths.
pub fn key(placed: &[Placed]) -> Value {
    let mut key = Map::new();
    for place in placed {
        add(&mut key, &place.location, &place.path);
    }
    Value::Object(key)
}

/// What the key says of the variables that get a digest: variable to paths.
pub fn digest_key(placed: &[Placed]) -> Map<String, Value> {
    let mut key = Map::new();
    for place in placed {
        if let Some(variable) = &place.digest_environment {
            add(&mut key, variable, &place.path);
        }
    }
    key
}

fn add(key: &mut Map<String, Value>, name: &str, path: &str) {
    if let Value::Array(paths) = key.entry(name).or_insert_with(|| json!([])) {
        paths.push(path.into());
    }
}

/// What building does with places, locations in order. Nothing where everything is at `/`.
pub fn instructions(placed: &[Placed]) -> Vec<Layout> {
    if placed.iter().all(|place| place.location == "/" && place.digest_environment.is_none()) {
        return Vec::new();
    }
    let mut layout: Vec<Layout> = placed
        .iter()
        .map(|place| Layout {
            digest_environment: place.digest_environment.clone(),
            element: place.element.to_owned(),
            location: place.location.clone(),
            project: place.project.to_owned(),
        })
        .collect();
    layout.sort_by(|a, b| a.location.cmp(&b.location));
    layout
}
