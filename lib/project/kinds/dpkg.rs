//! Kinds dpkg_build and dpkg_deploy of buildstream-plugins-community. Their commands are completed from files
//! of the sources or of a dependency when they are built, which is left to a helper program.

use super::image::inputs;
use super::script::Script;
use super::{Configured, ElementView, Kind, build, object, texts};
use crate::values::Result;
use crate::values::record::Instructions;
use serde_json::{Value, json};

pub const BUILD: Kind = Kind { takes_dependency_config: true, ..Kind::new(configure_build) };
pub const DEPLOY: Kind = Kind { takes_dependency_config: true, ..Kind::of_build_depends(configure_deploy) };

fn configure_build(view: &ElementView) -> Result<Configured> {
    Ok(Configured { instructions: Instructions::Helper { data: Value::Null }, ..build::configure(view)? })
}

fn configure_deploy(view: &ElementView) -> Result<Configured> {
    const COMMANDS: &str = "build-commands";
    view.config.check_keys(&[COMMANDS])?;
    if view.config.get(COMMANDS).is_none() {
        return Err(object(view, "\"config\" has no \"build-commands\"; add them"));
    }
    let mut script = Script::new(view)?;
    script.root_read_only = true;
    script.placed = inputs(view)?;
    if script.placed.iter().all(|place| !place.is_input) {
        return Err(object(view, "no dependency is the input; give one \"config: {input: True}\""));
    }
    let mut plugin_key = script.key();
    plugin_key.remove("commands");
    plugin_key.insert("unedited-commands".to_owned(), json!({COMMANDS: texts(view.config, COMMANDS)?}));
    let instructions = Instructions::Helper { data: Value::Null };
    Ok(Configured { strict_rebuild: true, ..Configured::new(Value::Object(plugin_key), instructions) })
}
