//! The kinds that configure, build, install and strip: manual, autotools, cmake, make, meson, and their like.
//! They differ in their defaults only.

use super::layout::{Placed, digest_key, instructions, key, places};
use super::{Configured, ElementView, Kind, join, optional_texts, variable};
use crate::values::Result;
use crate::values::record::{Command, Commands, Instructions};
use serde_json::{Map, Value, json};

pub const KIND: Kind = Kind { takes_dependency_config: true, ..Kind::new(configure) };

/// bazel_build: the same with a place for bazel's own files.
pub const BAZEL: Kind = Kind { takes_dependency_config: true, ..Kind::new(configure_bazel) };

/// Key in the configuration, and what results call the phase.
const STEPS: [(&str, &str); 4] = [
    ("configure-commands", "configure"),
    ("build-commands", "build"),
    ("install-commands", "install"),
    ("strip-commands", "strip"),
];

pub fn configure(view: &ElementView) -> Result<Configured> {
    let (plugin_key, commands) = read(view)?;
    Ok(Configured::new(Value::Object(plugin_key), Instructions::Commands(commands)))
}

fn configure_bazel(view: &ElementView) -> Result<Configured> {
    let (plugin_key, mut commands) = read(view)?;
    commands.writable.push("/bazel-home".to_owned());
    Ok(Configured::new(Value::Object(plugin_key), Instructions::Commands(commands)))
}

fn read(view: &ElementView) -> Result<(Map<String, Value>, Commands)> {
    view.config.check_keys(&STEPS.map(|(step, _)| step))?;
    let subdirectory = variable(view, "command-subdir")?;
    let mut plugin_key = Map::new();
    let mut commands = Vec::new();
    for (step, phase) in STEPS {
        let texts = optional_texts(view.config, step)?;
        plugin_key.insert(step.to_owned(), json!(texts));
        commands.extend(texts.into_iter().map(|command| Command { command, phase: phase.to_owned() }));
    }
    let placed = places(view, |dependency, config| {
        let Some(config) = config else { return Ok(Placed::at("/", dependency)) };
        config.check_keys(&["digest-environment", "location"])?;
        let digest_environment = config.text("digest-environment")?.map(str::to_owned);
        Ok(Placed { digest_environment, ..Placed::at(config.text("location")?.unwrap_or("/"), dependency) })
    })?;
    add_to_key(view, &mut plugin_key, subdirectory.as_deref(), &placed)?;

    let build_root = view.variables.variable("build-root")?.unwrap_or_default().to_string();
    let install_root = view.variables.variable("install-root")?.unwrap_or_default().to_string();
    let commands = Commands {
        collect: install_root.clone(),
        commands,
        cwd: subdirectory.map_or_else(|| build_root.clone(), |subdirectory| join(&build_root, &subdirectory)),
        layout: instructions(&placed),
        root_read_only: true,
        sources: Some(build_root.clone()),
        writable: vec![build_root, install_root],
        ..Commands::default()
    };
    Ok((plugin_key, commands))
}

/// What is in the key only where it is not as usual.
fn add_to_key(
    view: &ElementView,
    plugin_key: &mut Map<String, Value>,
    subdirectory: Option<&str>,
    placed: &[Placed],
) -> Result<()> {
    if let Some(subdirectory) = subdirectory {
        plugin_key.insert("command-subdir".to_owned(), subdirectory.into());
    }
    // Any text counts, also "False".
    if variable(view, "notparallel")?.is_some() {
        plugin_key.insert("notparallel".to_owned(), true.into());
    }
    if placed.iter().any(|place| !place.location.is_empty() && place.location != "/") {
        plugin_key.insert("layout".to_owned(), key(placed));
    }
    let digests = digest_key(placed);
    if !digests.is_empty() {
        // BuildStream's own spelling.
        plugin_key.insert("digest-enviornment".to_owned(), Value::Object(digests));
    }
    Ok(())
}
