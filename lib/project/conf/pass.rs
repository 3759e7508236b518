//! What both passes read from the composed project.conf: options, variables, overrides, aliases, mirrors.

use super::Junction;
use super::mirrors::{self, Mirror};
use crate::project::compose::check_mapping_composited;
use crate::project::conditional::{self, Options};
use crate::project::node::{Mapping, Node};
use crate::project::options::{Pool, set_keeping_place};
use crate::project::settings::Settings;
use crate::project::variables::Variables;
use crate::values::Result;
use std::path::Path;

/// What one pass gives.
pub struct Config {
    /// The values of the options.
    pub options: Options,
    /// Base variables, not expanded.
    pub variables: Mapping,
    /// Overrides by kind of element.
    pub elements: Mapping,
    /// Overrides by kind of source.
    pub sources: Mapping,
    /// Expanded.
    pub aliases: Mapping,
    pub mirrors: Vec<Mirror>,
    /// The mirror whose URLs come first.
    pub default_mirror: Option<String>,
    /// Whether the mirrors are the user's.
    pub mirrors_of_user: bool,
}

/// What a pass depends on beside the text.
pub struct Frame<'a> {
    pub settings: &'a Settings,
    pub name: &'a str,
    pub element_path: &'a Path,
    pub junction: Option<&'a Junction>,
    pub real_directory: &'a Path,
    pub top_directory: &'a Path,
    /// Whether this is the first pass, which may not know all options yet.
    pub first: bool,
}

/// Keys that may not depend on a condition.
const FIXED: [&str; 9] = [
    "min-version",
    "name",
    "element-path",
    "junctions",
    "defaults",
    "fatal-warnings",
    "ref-storage",
    "options",
    "plugins",
];

impl Config {
    /// Reads the composed configuration; conditionals are resolved in it, overrides are taken out of it.
    pub(super) fn load(composed: &mut Mapping, frame: &Frame) -> Result<Config> {
        let user = frame.settings.user.project(frame.name);
        let pool = pool(composed, frame)?;
        let options = pool.resolve()?;
        conditional::process(composed, &options, &FIXED)?;
        let mut take = |key| -> Result<Mapping> {
            let taken = composed.mapping(key)?.cloned().unwrap_or_else(Mapping::empty);
            composed.remove(key);
            Ok(taken)
        };
        let (elements, sources) = (take("elements")?, take("sources")?);
        check_mapping_composited(composed)?;

        let mut variables = composed.require("variables")?.mapping()?.clone();
        set_keeping_place(&mut variables, "project-name", frame.name);
        set_keeping_place(&mut variables, "max-jobs", &frame.settings.max_jobs());
        pool.export(&mut variables);

        let of_urls = with_places(&variables, frame)?;
        let mut aliases = composed.mapping("aliases")?.cloned().unwrap_or_else(Mapping::empty);
        let of_user = user.and_then(|user| user.mirrors.clone());
        let mirrors_of_user = of_user.is_some();
        let mut list = of_user.or(composed.list("mirrors")?.cloned()).map(Node::List);
        if let Some(list) = &mut list {
            of_urls.expand(list)?;
        }
        let mirrors = mirrors::read(list.as_ref())?;
        of_urls.expand_mapping(&mut aliases)?;
        let configured = user.and_then(|user| user.default_mirror.clone());
        let default_mirror = configured.or_else(|| mirrors.first().map(|mirror| mirror.name.clone()));
        Ok(Config { options, variables, elements, sources, aliases, mirrors, default_mirror, mirrors_of_user })
    }
}

fn pool(composed: &Mapping, frame: &Frame) -> Result<Pool> {
    let mut pool = Pool::default();
    if let Some(options) = composed.mapping("options")? {
        pool.declare(options, &frame.settings.machine, frame.element_path)?;
    }
    if let Some(junction) = frame.junction {
        pool.set_from_yaml(&junction.options)?;
    }
    if let Some(options) = frame.settings.user.project(frame.name).and_then(|user| user.options.as_ref()) {
        pool.set_from_yaml(options)?;
    }
    if frame.junction.is_none() {
        pool.set_from_words(&frame.settings.options, frame.first)?;
    }
    Ok(pool)
}

/// The variables that aliases and mirrors may use: the project's, and where it lies on this machine.
fn with_places(variables: &Mapping, frame: &Frame) -> Result<Variables> {
    let mut variables = variables.clone();
    for (name, path) in [("project", frame.real_directory), ("toplevel", frame.top_directory)] {
        let path = path.to_string_lossy();
        variables.set(&format!("{name}-root"), Node::text(&*path));
        variables.set(&format!("{name}-root-uri"), Node::text(format!("file://{}", mirrors::quoted(&path, "/"))));
    }
    Variables::new(variables)
}
