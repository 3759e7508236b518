//! Kind ostree of buildstream-plugins-community: a root as a commit of an OSTree repository.

use super::layout::{Placed, instructions, places};
use super::{Configured, ElementView, Kind, join, texts};
use crate::values::Result;
use crate::values::record::{Command, Commands, Instructions};
use serde_json::json;

pub const KIND: Kind = Kind { takes_dependency_config: true, ..Kind::of_build_depends(configure) };

fn configure(view: &ElementView) -> Result<Configured> {
    view.config.check_keys(&["ostree-branch", "initial-commands"])?;
    let branch = view.config.require_text("ostree-branch")?;
    let initial = texts(view.config, "initial-commands")?;
    let sysroot = view.variables.variable("sysroot")?.unwrap_or_else(|| "/".into());
    let placed = places(view, |dependency, config| {
        if let Some(config) = config {
            config.check_keys(&["sysroot"])?;
            if config.bool("sysroot")?.unwrap_or(false) {
                return Ok(Placed::at(&*sysroot, dependency));
            }
        }
        Ok(Placed::at("/", dependency))
    })?;
    let plugin_key = json!({"branch": branch, "initial-commands": initial});

    let build_root = view.variables.variable("build-root")?.unwrap_or_default().to_string();
    let install_root = view.variables.variable("install-root")?.unwrap_or_default().to_string();
    let repository = quoted(&join(&build_root, "barerepo"));
    let (tree, result) = (quoted(&join(&build_root, "sysroot")), quoted(&install_root));
    let steps = [
        format!("ostree init --repo {repository}"),
        format!(
            "ostree commit --repo {repository} --consume {tree} --branch {} --timestamp '2011-11-11 11:11:11+00:00'",
            quoted(branch)
        ),
        format!("ostree init --repo {result} --mode archive"),
        format!("ostree pull-local --repo {result} {repository}"),
    ];
    let command = |phase: &str, command: String| Command { command, phase: phase.to_owned() };
    let initial = initial.into_iter().map(|text| command("initial", text));
    let commands = Commands {
        collect: install_root.clone(),
        commands: initial.chain(steps.map(|text| command("commit", text))).collect(),
        cwd: "/".to_owned(),
        layout: instructions(&placed),
        writable: vec![build_root, install_root],
        ..Commands::default()
    };
    Ok(Configured { strict_rebuild: true, ..Configured::new(plugin_key, Instructions::Commands(commands)) })
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
