//! Kind import: the sources as they are.

use super::{Configured, ElementView, Kind, object};
use crate::values::Result;
use crate::values::record::Instructions;
use serde_json::json;

pub const KIND: Kind = Kind { preflight, ..Kind::new(configure) };

fn configure(view: &ElementView) -> Result<Configured> {
    view.config.check_keys(&["source", "target"])?;
    let source = view.config.require_text("source")?.to_owned();
    let target = view.config.require_text("target")?.to_owned();
    let plugin_key = json!({"source": source, "target": target});
    let instructions = Instructions::Import { source, target };
    Ok(Configured { runs_commands: false, ..Configured::new(plugin_key, instructions) })
}

fn preflight(view: &ElementView) -> Result<()> {
    if view.has_sources {
        return Ok(());
    }
    Err(object(view, "an element of kind import needs a source; list one under \"sources\""))
}
