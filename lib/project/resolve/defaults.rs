//! The defaults of a kind in a project: the plugin's own, with the project's split rules and overrides.

use crate::project::compose::compose;
use crate::project::conf::{Project, builtin};
use crate::project::mark::Mark;
use crate::project::node::{Mapping, Node};
use crate::project::plugins::{self, Family, Host, Origins, Plugin, Role};
use crate::project::yaml;
use crate::values::Result;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What all elements of a kind in a project have in common.
pub struct Defaults {
    pub plugin: Plugin,
    /// Base variables, with the kind's.
    pub variables: Mapping,
    /// The project's environment, with the kind's.
    pub environment: Mapping,
    /// Names that are not part of the key: the project's and the kind's.
    pub environment_nocache: Vec<String>,
    pub sandbox: Mapping,
    pub config: Mapping,
    pub split_rules: Mapping,
}

/// Defaults that were made before, and where kinds come from.
#[derive(Default)]
pub struct Cache {
    defaults: Mutex<HashMap<Arc<str>, Result<Arc<Defaults>>>>,
    plugins: Mutex<HashMap<(Role, Arc<str>), Arc<Plugin>>>,
}

impl Cache {
    /// The defaults of a kind. `mark`: what uses it.
    pub fn defaults(&self, project: &Arc<Project>, kind: &Arc<str>, mark: Mark) -> Result<Arc<Defaults>> {
        let known = self.defaults.lock().unwrap_or_else(PoisonError::into_inner).get(kind).cloned();
        known.unwrap_or_else(|| {
            let plugin = self.plugin(project, Role::Element, kind, mark)?;
            let made = Defaults::load(project, kind, &plugin).map(Arc::new);
            self.defaults.lock().unwrap_or_else(PoisonError::into_inner).insert(kind.clone(), made.clone());
            made
        })
    }

    /// Where a kind comes from. A kind that is not there is looked for again, because the error names who
    /// uses it.
    pub fn plugin(&self, project: &Arc<Project>, role: Role, kind: &str, mark: Mark) -> Result<Arc<Plugin>> {
        let key = (role, Arc::from(kind));
        let known = self.plugins.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(plugin) = known {
            return Ok(plugin);
        }
        let python = &project.settings().python;
        let found = Arc::new(plugins::find(&Of(project.clone()), role, kind, mark, python)?);
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
        Ok(found)
    }
}

/// A project as plugins see it.
struct Of(Arc<Project>);

impl Host for Of {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn origins(&self) -> &Origins {
        &self.0.origins
    }

    fn through(&self, junction: &str, mark: Mark) -> Result<Arc<dyn Host>> {
        let other = self.0.through(junction, Some(mark))?;
        self.0.note_used(&other);
        Ok(Arc::new(Of(other)))
    }
}

impl Defaults {
    fn load(project: &Arc<Project>, kind: &str, plugin: &Plugin) -> Result<Defaults> {
        let first_pass = matches!(kind, "junction" | "link");
        let empty = Mapping::empty;
        let mut defaults = match (&plugin.defaults, &plugin.family) {
            (Some(path), _) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                yaml::load(path, &name)?
            }
            (None, Family::Core) => builtin::element(kind).unwrap_or_else(empty),
            (None, _) => empty(),
        };
        let base_splits = if first_pass { empty() } else { project.full()?.split_rules.clone() };
        set_split_rules(&mut defaults, base_splits)?;
        let config = project.config(first_pass)?;
        if let Some(overrides) = config.elements.mapping(kind)?.filter(|overrides| !overrides.is_empty()) {
            compose(overrides, &mut defaults)?;
        }

        let mut variables = config.variables.clone();
        compose(&section(&defaults, "variables")?, &mut variables)?;
        let (mut environment, mut nocache, mut sandbox) = match first_pass {
            true => (empty(), Vec::new(), empty()),
            false => {
                let full = project.full()?;
                (full.environment.clone(), full.environment_nocache.clone(), full.sandbox.clone())
            }
        };
        compose(&section(&defaults, "environment")?, &mut environment)?;
        nocache.extend(defaults.texts("environment-nocache")?.unwrap_or_default().into_iter().map(str::to_owned));
        compose(&section(&defaults, "sandbox")?, &mut sandbox)?;
        Ok(Defaults {
            plugin: plugin.clone(),
            variables,
            environment,
            environment_nocache: nocache,
            sandbox,
            config: section(&defaults, "config")?,
            split_rules: section(&section(&section(&defaults, "public")?, "bst")?, "split-rules")?,
        })
    }
}

/// A mapping in a mapping; empty if it is not there.
pub(super) fn section(node: &Mapping, key: &str) -> Result<Mapping> {
    Ok(node.mapping(key)?.cloned().unwrap_or_else(Mapping::empty))
}

/// The plugin's own split rules go onto the project's.
fn set_split_rules(defaults: &mut Mapping, mut base: Mapping) -> Result<()> {
    let mut public = section(defaults, "public")?;
    let mut bst = section(&public, "bst")?;
    compose(&section(&bst, "split-rules")?, &mut base)?;
    bst.set("split-rules", Node::Mapping(base));
    public.set("bst", Node::Mapping(bst));
    defaults.set("public", Node::Mapping(public));
    Ok(())
}
