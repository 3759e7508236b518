//! Kind script, and what the other kinds that run a script share.

use super::layout::{Placed, instructions, key, places};
use super::{Configured, ElementView, Kind, texts, variable};
use crate::values::Result;
use crate::values::record::{Command, Commands, Instructions};
use serde_json::{Map, Value, json};

pub const KIND: Kind = Kind { takes_dependency_config: true, ..Kind::of_build_depends(configure) };

/// A script: groups of commands in a root that is made of build dependencies.
pub struct Script<'a> {
    pub cwd: String,
    pub install_root: String,
    pub root_read_only: bool,
    groups: Vec<(String, Vec<String>)>,
    pub placed: Vec<Placed<'a>>,
    /// Directories that can be written to besides the install root.
    pub writable: Vec<String>,
}

impl<'a> Script<'a> {
    /// A script in the directory of variable `cwd` whose result is that of `install-root`.
    pub fn new(view: &ElementView) -> Result<Script<'a>> {
        let or_root = |name| Ok(variable(view, name)?.unwrap_or_else(|| "/".to_owned()));
        Ok(Script {
            cwd: or_root("cwd")?,
            install_root: or_root("install-root")?,
            root_read_only: false,
            groups: Vec::new(),
            placed: Vec::new(),
            writable: Vec::new(),
        })
    }

    /// Adds commands; a group that is there already gets these instead, and keeps its turn.
    pub fn add(&mut self, group: impl Into<String>, commands: Vec<String>) {
        let group = group.into();
        match self.groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, old)) => *old = commands,
            None => self.groups.push((group, commands)),
        }
    }

    /// What enters the key.
    pub fn key(&self) -> Map<String, Value> {
        let groups: Map<String, Value> =
            self.groups.iter().map(|(name, commands)| (name.clone(), json!(commands))).collect();
        let mut plugin_key = Map::new();
        plugin_key.insert("commands".to_owned(), Value::Object(groups));
        plugin_key.insert("cwd".to_owned(), json!(self.cwd));
        plugin_key.insert("install-root".to_owned(), json!(self.install_root));
        plugin_key.insert("layout".to_owned(), key(&self.placed));
        plugin_key.insert("root-read-only".to_owned(), json!(self.root_read_only));
        plugin_key
    }

    /// The whole answer.
    pub fn configured(self) -> Configured {
        let plugin_key = Value::Object(self.key());
        let commands = self.groups.into_iter().flat_map(|(phase, commands)| {
            commands.into_iter().map(move |command| Command { command, phase: phase.clone() })
        });
        let mut writable = vec![self.install_root.clone()];
        writable.extend(self.writable);
        let commands = Commands {
            collect: self.install_root,
            collect_on_failure: true,
            commands: commands.collect(),
            cwd: self.cwd,
            layout: instructions(&self.placed),
            root_read_only: self.root_read_only,
            sources: None,
            writable,
        };
        Configured { strict_rebuild: true, ..Configured::new(plugin_key, Instructions::Commands(commands)) }
    }
}

fn configure(view: &ElementView) -> Result<Configured> {
    view.config.check_keys(&["commands", "root-read-only"])?;
    let mut script = Script::new(view)?;
    script.add("commands", texts(view.config, "commands")?);
    script.root_read_only = view.config.bool("root-read-only")?.unwrap_or(false);
    script.placed = places(view, |dependency, config| {
        let Some(config) = config else { return Ok(Placed::at("/", dependency)) };
        config.check_keys(&["location"])?;
        Ok(Placed::at(config.text("location")?.unwrap_or("/"), dependency))
    })?;
    Ok(script.configured())
}
