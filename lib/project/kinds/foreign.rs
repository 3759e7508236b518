//! Kinds that are not native: what their helper program says (bst-plugin(7)).

use super::{Configured, DependencyView, ElementView};
use crate::project::helper::{self, Answer};
use crate::project::node::Mapping;
use crate::project::plugins::Family;
use crate::values::error::Domain;
use crate::values::record::Instructions;
use crate::values::{Code, Error, Result};
use serde_json::{Value, json};

pub fn configure(view: &ElementView) -> Result<Configured> {
    let Some(program) = view.helpers.find(view.plugin) else { return Err(unknown(view)) };
    let place = |error: Error| error.or_at(|| view.mark.place());
    let answer = view.helpers.ask(&program, &question(view)?, Domain::Element).map_err(place)?;
    let broken = |what: String| {
        let message = format!("the helper program {}: {what}", program.display());
        Error::of_project(Domain::Plugin, "helper-failed", message).at(view.mark.place())
    };
    let Answer { unique_key, plugin_version, runs_commands, strict_rebuild, instructions, data, .. } = answer;
    let instructions = match instructions {
        Some(instructions) => serde_json::from_value(instructions)
            .map_err(|error| broken(format!("its \"instructions\" are not as bst-record(5) says: {error}")))?,
        None => Instructions::Helper { data },
    };
    Ok(Configured {
        plugin_key: unique_key.ok_or_else(|| broken("its answer has no \"unique_key\"".to_owned()))?,
        plugin_version,
        instructions,
        runs_commands,
        strict_rebuild,
    })
}

fn question(view: &ElementView) -> Result<Value> {
    Ok(json!({
        "v": helper::VERSION,
        "ask": "element",
        "project": view.project,
        "project_directory": view.project_directory.to_string_lossy(),
        "element": view.full_name,
        "name": view.name,
        "kind": view.kind,
        "config": view.config.to_json(),
        "variables": view.variables.all(),
        "environment": view.environment,
        "public": view.public.to_json(),
        "has_sources": view.has_sources,
        "depends": view.dependencies.iter().map(dependency).collect::<Vec<_>>(),
    }))
}

fn dependency(view: &DependencyView) -> Value {
    json!({
        "project": view.project,
        "element": view.full_name,
        "name": view.name,
        "kind": view.kind,
        "path": view.path,
        "type": view.when,
        "strict": view.strict,
        "config": view.configs.iter().map(|config| Mapping::to_json(config)).collect::<Vec<_>>(),
    })
}

/// That nobody knows the kind.
fn unknown(view: &ElementView) -> Error {
    let whose = match &view.plugin.family {
        Family::Core => "BuildStream's own",
        Family::Package { name, .. } => name,
        Family::Own => "the project's own",
    };
    let message = format!(
        "the kind \"{}\", {whose}, is not native, and there is no program bst-element-{} that knows it, neither on the \
         search path nor beside the kind's code; see bst-plugin(7)",
        view.kind, view.kind
    );
    Error::new(Code::Unsupported, message).at(view.mark.place())
}
