//! Kinds junction and link. What they lead to is the loader's affair; here they are elements like others.

use super::{Configured, ElementView, Kind};
use crate::project::node::Mapping;
use crate::values::error::Domain;
use crate::values::record::Instructions;
use crate::values::{Error, Result};
use serde_json::json;

pub const JUNCTION: Kind =
    Kind { forbids_build_depends: true, forbids_runtime_depends: true, ..Kind::new(configure_junction) };

pub const LINK: Kind = Kind {
    forbids_build_depends: true,
    forbids_runtime_depends: true,
    forbids_sources: true,
    ..Kind::new(configure_link)
};

fn configure_junction(view: &ElementView) -> Result<Configured> {
    check_junction(view.name, view.config)?;
    Ok(Configured::new(json!(1), Instructions::Nothing))
}

/// Checks the configuration of the junction that its project knows as `name`.
pub fn check_junction(name: &str, config: &Mapping) -> Result<()> {
    config.check_keys(&["path", "options", "overrides", "aliases", "map-aliases"])?;
    config.text("path")?;
    config.mapping("options")?;
    if let Some(overrides) = config.mapping("overrides")? {
        for (key, junction) in overrides.iter() {
            let junction = junction.scalar()?;
            if *junction.text == *name {
                let message = format!("the junction {name} overrides {key} of its project with itself; name another");
                let error = Error::of_project(Domain::Element, "override-junction-with-self", message);
                return Err(error.at(junction.mark.place()));
            }
        }
    }
    config.mapping("aliases")?;
    match config.scalar("map-aliases")? {
        Some(strategy) if !matches!(&*strategy.text, "none" | "identity") => {
            Err(strategy.expected("\"none\" or \"identity\""))
        }
        _ => Ok(()),
    }
}

fn configure_link(view: &ElementView) -> Result<Configured> {
    view.config.check_keys(&["target"])?;
    view.config.require_text("target")?;
    Ok(Configured::new(json!(1), Instructions::Nothing))
}
