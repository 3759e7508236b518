//! Kinds collect_integration and collect_manifest of buildstream-plugins-community: what is said about
//! everything below, as one file.

use super::{Configured, ElementView, Kind, build_scope, object, optional_texts};
use crate::project::node::{Mapping, Scalar};
use crate::values::Result;
use crate::values::assembly::{CollectIntegration, CollectManifest, Spdx};
use crate::values::record::Instructions;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub const INTEGRATION: Kind =
    Kind { forbids_runtime_depends: true, preflight: preflight_integration, ..Kind::new(configure_integration) };

pub const MANIFEST: Kind = Kind::of_build_depends(configure_manifest);

/// Before release 2.1.0 it was an element like others.
pub const OLD_MANIFEST: Kind = Kind::new(configure_old_manifest);

fn configure_integration(view: &ElementView) -> Result<Configured> {
    view.config.check_keys(&["script-path", "ignore"])?;
    let script = view.config.require_text("script-path")?.to_owned();
    let ignore = optional_texts(view.config, "ignore")?;
    let unique: BTreeSet<&String> = ignore.iter().collect();
    let plugin_key = json!({"script-path": script, "ignore": unique});
    let instructions = Instructions::CollectIntegration(CollectIntegration { ignore, script });
    Ok(Configured::new(plugin_key, instructions))
}

fn preflight_integration(view: &ElementView) -> Result<()> {
    if view.has_sources {
        return Err(object(view, "an element of kind collect_integration may have no sources"));
    }
    let ignore = optional_texts(view.config, "ignore")?;
    if ignore.is_empty() {
        return Ok(());
    }
    let below: BTreeSet<&str> = build_scope(view).into_iter().map(|id| view.graph.member(id).name).collect();
    match ignore.iter().find(|name| !below.contains(name.as_str())) {
        Some(name) => {
            let message = format!("{} is to be ignored but is no dependency; remove it", name.escape_default());
            Err(object(view, message))
        }
        None => Ok(()),
    }
}

fn configure_manifest(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    let path = config.text("path")?.map(str::to_owned);
    let is_spdx = match config.scalar("output-type")? {
        None => false,
        Some(form) => match &*form.text {
            "manifest" => false,
            "spdx" => true,
            _ => return Err(form.expected("\"manifest\" or \"spdx\"")),
        },
    };
    let spdx = spdx(config.mapping("spdx-info")?.unwrap_or(&Mapping::empty()))?;
    let source_provenance = config.bool("use-source-provenance")?.unwrap_or(true);

    let mut plugin_key = json!({"path": path});
    if is_spdx {
        plugin_key["output_type"] = "spdx".into();
        plugin_key["spdx_info"] =
            json!([spdx.creators, spdx.data_license, spdx.created, spdx.doc_namespace, spdx.name]);
    }
    if source_provenance {
        plugin_key["source_provenance"] = true.into();
    }
    let spdx = is_spdx.then_some(spdx);
    let instructions = Instructions::CollectManifest(CollectManifest { path, source_provenance, spdx });
    Ok(Configured {
        plugin_version: 2,
        runs_commands: false,
        strict_rebuild: true,
        ..Configured::new(plugin_key, instructions)
    })
}

fn spdx(info: &Mapping) -> Result<Spdx> {
    info.check_keys(&["creators", "created", "data-license", "doc-namespace", "name"])?;
    let text = |key: &str| Ok::<_, crate::values::Error>(info.text(key)?.map(str::to_owned));
    Ok(Spdx {
        created: info.scalar("created")?.map(Scalar::int).transpose()?,
        creators: info.texts("creators")?.map(|texts| texts.into_iter().map(str::to_owned).collect()),
        data_license: text("data-license")?,
        doc_namespace: text("doc-namespace")?,
        name: text("name")?,
    })
}

fn configure_old_manifest(view: &ElementView) -> Result<Configured> {
    let path = view.config.text("path")?.map(str::to_owned);
    let plugin_key: Value = json!({"path": path});
    let manifest = CollectManifest { path, source_provenance: false, spdx: None };
    let plugin_version = if view.plugin.is_before([2, 0, 4]) { 1 } else { 2 };
    Ok(Configured { plugin_version, ..Configured::new(plugin_key, Instructions::CollectManifest(manifest)) })
}
