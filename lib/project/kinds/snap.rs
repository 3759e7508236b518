//! Kind snap_image of buildstream-plugins-community.

use super::{Configured, ElementView, Kind, flag, sorted, texts, yamltext};
use crate::values::Result;
use crate::values::assembly::SnapImage;
use crate::values::record::Instructions;
use serde_json::json;

pub const KIND: Kind = Kind::of_build_depends(configure);

fn configure(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    config.check_keys(&["directory", "include", "exclude", "metadata", "include-orphans"])?;
    let metadata = config.require("metadata")?.to_json();
    let snap = SnapImage {
        directory: config.require_text("directory")?.to_owned(),
        include: texts(config, "include")?,
        exclude: texts(config, "exclude")?,
        include_orphans: flag(config, "include-orphans")?,
        metadata: yamltext::dump(&metadata),
    };
    let plugin_key = json!({
        "directory": snap.directory,
        "include": sorted(&snap.include),
        "exclude": sorted(&snap.exclude),
        "include-orphans": snap.include_orphans,
        "metadata": metadata,
    });
    Ok(Configured { plugin_version: 1, ..Configured::new(plugin_key, Instructions::SnapImage(snap)) })
}
