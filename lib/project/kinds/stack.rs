//! Kind stack: a name for its dependencies.

use super::{Configured, ElementView, Kind, refuse};
use crate::values::Result;
use crate::values::record::{DependencyType, Instructions};
use serde_json::json;

pub const KIND: Kind = Kind { forbids_sources: true, preflight, ..Kind::new(configure) };

fn configure(_: &ElementView) -> Result<Configured> {
    Ok(Configured { runs_commands: false, ..Configured::new(json!(1), Instructions::Stack) })
}

fn preflight(view: &ElementView) -> Result<()> {
    match view.dependencies.iter().find(|dependency| dependency.when != DependencyType::All) {
        Some(dependency) => {
            let message = format!(
                "every dependency of an element of kind stack is needed both to build and to run, {} is not; list it \
                 under \"depends\" without a type",
                dependency.path
            );
            Err(refuse(view, "stack-requires-build-and-run", message))
        }
        None => Ok(()),
    }
}
