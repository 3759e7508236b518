//! Kind compose: all build dependencies as one.

use super::{Configured, ElementView, Kind, flag, sorted, texts};
use crate::values::Result;
use crate::values::record::{Instructions, Split};
use serde_json::json;

pub const KIND: Kind = Kind::of_build_depends(configure);

fn configure(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    config.check_keys(&["integrate", "include", "exclude", "include-orphans"])?;
    let split = Split {
        integrate: flag(config, "integrate")?,
        include: texts(config, "include")?,
        exclude: texts(config, "exclude")?,
        include_orphans: flag(config, "include-orphans")?,
        pass_integration: false,
    };
    let mut plugin_key = json!({
        "integrate": split.integrate,
        "include": sorted(&split.include),
        "orphans": split.include_orphans,
    });
    if !split.exclude.is_empty() {
        plugin_key["exclude"] = json!(sorted(&split.exclude));
    }
    Ok(Configured {
        runs_commands: split.integrate,
        strict_rebuild: true,
        ..Configured::new(plugin_key, Instructions::Compose(split))
    })
}
