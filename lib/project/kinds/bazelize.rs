//! Kind bazelize of buildstream-plugins-community: BUILD files from what is below. Building is left to a
//! helper program.

use super::{Configured, ElementView, Kind, flag, sorted, texts};
use crate::values::Result;
use crate::values::record::Instructions;
use serde_json::{Value, json};

pub const KIND: Kind = Kind::of_build_depends(configure);

fn configure(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    config.check_keys(&["include", "exclude", "include-orphans"])?;
    let plugin_key = json!({
        "include": sorted(&texts(config, "include")?),
        "exclude": sorted(&texts(config, "exclude")?),
        "include-orphans": flag(config, "include-orphans")?,
    });
    Ok(Configured {
        plugin_version: if view.plugin.is_before([2, 4, 0]) { 3 } else { 4 },
        runs_commands: false,
        strict_rebuild: true,
        ..Configured::new(plugin_key, Instructions::Helper { data: Value::Null })
    })
}
