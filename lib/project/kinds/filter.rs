//! Kind filter: a part of its one build dependency.

use super::{Configured, ElementView, Kind, flag, refuse, sorted, texts};
use crate::values::Result;
use crate::values::record::{Instructions, Split};
use serde_json::json;

pub const KIND: Kind = Kind { forbids_sources: true, preflight, ..Kind::new(configure) };

fn configure(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    config.check_keys(&["include", "exclude", "include-orphans", "pass-integration"])?;
    let split = Split {
        include: texts(config, "include")?,
        exclude: texts(config, "exclude")?,
        include_orphans: flag(config, "include-orphans")?,
        pass_integration: config.bool("pass-integration")?.unwrap_or(false),
        integrate: false,
    };
    let plugin_key = json!({
        "include": sorted(&split.include),
        "exclude": sorted(&split.exclude),
        "orphans": split.include_orphans,
    });
    Ok(Configured {
        plugin_version: 1,
        runs_commands: false,
        strict_rebuild: true,
        ..Configured::new(plugin_key, Instructions::Filter(split))
    })
}

fn preflight(view: &ElementView) -> Result<()> {
    let builds: Vec<_> = view.dependencies.iter().filter(|dependency| dependency.when.builds()).collect();
    let [filtered] = builds[..] else {
        let message = format!(
            "an element of kind filter has exactly one dependency at build time, found {}; list the one to filter \
             under \"build-depends\"",
            builds.len()
        );
        return Err(refuse(view, "filter-bdepend-wrong-count", message));
    };
    if filtered.when.runs() {
        let message = format!(
            "{} is filtered and cannot be a dependency at run time as well; list it under \"build-depends\" only",
            filtered.path
        );
        return Err(refuse(view, "filter-bdepend-also-rdepend", message));
    }
    if filtered.kind == "stack" {
        let message =
            format!("{} is of kind stack and has no files to filter; filter what it depends on", filtered.path);
        return Err(refuse(view, "filter-bdepend-no-artifact", message));
    }
    Ok(())
}
