//! Kinds that put together what others built: compose and filter.

use super::{Run, Stop};
use crate::doing::staging::merge;
use crate::doing::staging::split::{Selection, SplitRules};
use crate::doing::staging::tree::Directory;
use crate::values::record::Split;
use crate::values::{Code, Error, Result};
use serde_json::{Value, json};
use std::collections::HashSet;

impl Run<'_> {
    /// All dependencies as one, integrated and split.
    pub(super) fn compose(&mut self, split: &Split) -> Result<(), Stop> {
        let selection = Selection { include: &split.include, exclude: &split.exclude, orphans: split.include_orphans };
        let mut tree = self.stage(&[])?;
        let mut manifest = HashSet::new();
        if !selection.is_everything() {
            for at in 0..self.dependencies.len() {
                self.add_selected(at, &selection, &mut manifest)?;
            }
        }
        if split.integrate {
            let steps = self.integration_steps(0..self.dependencies.len())?;
            if !steps.is_empty() {
                let before: HashSet<String> = match selection.is_everything() {
                    true => HashSet::new(),
                    false => tree.paths(&self.builder.store.cas())?.into_iter().collect(),
                };
                let mut scene = self.scene(tree, &[])?;
                if let Err(stop) = self.integrate(&mut scene, &steps) {
                    return Err(self.leave_root(scene.tree, stop));
                }
                tree = scene.tree;
                if !selection.is_everything() {
                    update(&mut manifest, &before, &tree.paths(&self.builder.store.cas())?);
                }
            }
        }
        if selection.is_everything() {
            return self.files(tree);
        }
        self.log.say("INFO", &format!("Composing {} files", manifest.len()))?;
        let cas = self.builder.store.cas();
        let mut output = Directory::default();
        merge::merge(&mut output, tree.clone(), &cas, Some(&|path| manifest.contains(path)))?;
        if !self.builder.keep {
            return self.files(output);
        }
        // The root as BuildStream leaves it.
        const INSTALL: &str = "/buildstream/install";
        tree.replace(&cas, INSTALL, output)?;
        self.files_at(tree, INSTALL)
    }

    /// A part of the one build dependency.
    pub(super) fn filter(&mut self, split: &Split) -> Result<(), Stop> {
        let [at] = self.job.direct[..] else {
            return Err(Error::malformed(format!(
                "a filter has one build dependency, this one has {}",
                self.job.direct.len()
            ))
            .into());
        };
        let selection = Selection { include: &split.include, exclude: &split.exclude, orphans: split.include_orphans };
        let what = "Staging artifact";
        let since = self.log.begin(what)?;
        let output = self.select(at, &selection)?;
        self.log.end(since, true, what)?;
        if split.pass_integration {
            self.work.public = Some(self.passed_on(at)?);
        }
        self.files(output)
    }

    /// What a selection takes of a dependency.
    fn select(&self, at: usize, selection: &Selection) -> Result<Directory> {
        let cas = self.builder.store.cas();
        let dependency = &self.dependencies[at];
        let public = dependency.public(&self.builder.store)?;
        let rules = SplitRules::new(public)?;
        let unknown = [rules.unknown(selection.include), rules.unknown(selection.exclude)].concat();
        if !unknown.is_empty() {
            let message = format!("Unknown domains declared: {} has no {}", dependency.name(), unknown.join(", "));
            return Err(Error::new(Code::Staging, message));
        }
        let files = Directory::load(&cas, &dependency.files, 0)?;
        if selection.is_everything() {
            return Ok(files);
        }
        let mut output = Directory::default();
        merge::merge(&mut output, files, &cas, Some(&|path| rules.takes(selection, path)))?;
        Ok(output)
    }

    fn add_selected(&self, at: usize, selection: &Selection, manifest: &mut HashSet<String>) -> Result<()> {
        let dependency = &self.dependencies[at];
        let rules = SplitRules::new(dependency.public(&self.builder.store)?)?;
        let cas = self.builder.store.cas();
        let paths = Directory::load(&cas, &dependency.files, 0)?.paths(&cas)?;
        manifest.extend(paths.into_iter().filter(|path| rules.takes(selection, path)));
        Ok(())
    }

    /// The element's public data with the integration commands of a dependency before its own.
    fn passed_on(&self, at: usize) -> Result<Value> {
        let mut commands = self.dependencies[at].public_list(&self.builder.store, "integration-commands")?;
        let mut public = self.job.build.public.clone();
        let own = public["bst"]["integration-commands"].as_array().cloned().unwrap_or_default();
        commands.extend(own.into_iter().filter_map(|command| command.as_str().map(str::to_owned)));
        if !public.is_object() {
            public = json!({});
        }
        if !public["bst"].is_object() {
            public["bst"] = json!({});
        }
        public["bst"]["integration-commands"] = json!(commands);
        Ok(public)
    }

    /// A root in which something failed is left as it is.
    fn leave_root(&mut self, tree: Directory, stop: Stop) -> Stop {
        let left = self.put_tree(&tree);
        match (stop, left) {
            (Stop::Failed(failure), Ok(digest)) => {
                self.work.base = Some(digest);
                self.work.buildroot = Some("/".to_owned());
                self.work.buildtree = Some(self.job.build.build_root.clone());
                Stop::Failed(failure)
            }
            (stop, Ok(_)) => stop,
            (_, Err(error)) => error.into(),
        }
    }
}

/// What integration added is wanted, and what it removed is not.
fn update(manifest: &mut HashSet<String>, before: &HashSet<String>, after: &[String]) {
    let after: HashSet<&String> = after.iter().collect();
    manifest.retain(|path| after.contains(path) || !before.contains(path));
    manifest.extend(after.into_iter().filter(|path| !before.contains(*path)).cloned());
}
