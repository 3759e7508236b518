//! The data of one element: what its kind's defaults, its project and its own file say, composed and expanded.

use super::Defaults;
use super::defaults::section;
use crate::project::compose::{check_mapping_composited, compose};
use crate::project::loader::Element;
use crate::project::node::{Mapping, Node};
use crate::project::variables::Variables;
use crate::values::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The data.
pub struct Layers {
    pub defaults: Arc<Defaults>,
    pub variables: Variables,
    pub environment: BTreeMap<String, String>,
    /// The names in the order of composition.
    pub environment_order: Vec<String>,
    /// Sorted.
    pub environment_nocache: Vec<String>,
    pub public: Mapping,
    pub config: Mapping,
    pub sandbox: Mapping,
}

/// Variables that only the program sets.
const PROTECTED: [&str; 3] = ["project-name", "element-name", "max-jobs"];

impl Layers {
    /// Composes and expands.
    pub fn new(element: &Element) -> Result<Layers> {
        let node = &element.node;
        let defaults = element.project.kinds.defaults(&element.project, &element.kind, node.mark)?;

        let variables = Variables::new(variables(element, &defaults)?)?;
        if !element.is_first_pass() {
            variables.check()?;
        }
        let mut environment = composed(defaults.environment.clone(), &section(node, "environment")?)?;
        variables.expand_mapping(&mut environment)?;
        let mut nocache = defaults.environment_nocache.clone();
        nocache.extend(node.texts("environment-nocache")?.unwrap_or_default().into_iter().map(str::to_owned));
        nocache.sort();
        nocache.dedup();
        let mut public = public(element, &defaults)?;
        variables.expand_mapping(&mut public)?;
        let mut config = composed(defaults.config.clone(), &section(node, "config")?)?;
        variables.expand_mapping(&mut config)?;
        let mut sandbox = composed(defaults.sandbox.clone(), &section(node, "sandbox")?)?;
        variables.expand_mapping(&mut sandbox)?;

        let texts: Vec<(String, String)> = environment
            .iter()
            .map(|(name, value)| Ok((name.to_string(), value.scalar()?.text.to_string())))
            .collect::<Result<_>>()?;
        Ok(Layers {
            environment_order: texts.iter().map(|(name, _)| name.clone()).collect(),
            environment: texts.into_iter().collect(),
            environment_nocache: nocache,
            variables,
            public,
            config,
            sandbox,
            defaults,
        })
    }
}

fn composed(mut base: Mapping, own: &Mapping) -> Result<Mapping> {
    compose(own, &mut base)?;
    check_mapping_composited(&base)?;
    Ok(base)
}

fn variables(element: &Element, defaults: &Defaults) -> Result<Mapping> {
    let mut variables = composed(defaults.variables.clone(), &section(&element.node, "variables")?)?;
    for name in PROTECTED {
        if let Some(mark) = variables.get(name).map(Node::mark).filter(|mark| !mark.is_synthetic()) {
            let message = format!("the variable \"{name}\" is set by the program; choose another name");
            return Err(Error::load("protected-variable-redefined", message).at(mark.place()));
        }
    }
    variables.set("element-name", Node::text(&*element.name));
    Ok(variables)
}

/// The element's own public data; of what the defaults say only the split rules count.
fn public(element: &Element, defaults: &Defaults) -> Result<Mapping> {
    let mut public = section(&element.node, "public")?;
    let mut bst = section(&public, "bst")?;
    let mut splits = defaults.split_rules.clone();
    compose(&section(&bst, "split-rules")?, &mut splits)?;
    bst.set("split-rules", Node::Mapping(splits));
    public.set("bst", Node::Mapping(bst));
    check_mapping_composited(&public)?;
    Ok(public)
}
