//! Kinds of buildstream-plugins-community that put files together without a command: check_forbidden,
//! collect_integration, snap_image.

use super::{Failure, Run, Stop};
use crate::doing::staging::split::Selection;
use crate::doing::staging::tree::{Directory, File, Node, components};
use crate::values::Result;
use crate::values::assembly::{CheckForbidden, CollectIntegration, SnapImage};
use crate::values::result::FailureClass;

impl Run<'_> {
    /// Fails if something was found that must not be there.
    pub(super) fn check_forbidden(&mut self, check: &CheckForbidden) -> Result<(), Stop> {
        if check.found.is_empty() {
            return self.files(Directory::default());
        }
        let mut failure = Failure::new(FailureClass::Collect, "check", "Forbidden elements are depended on");
        let ways: Vec<String> = check.found.iter().map(|way| way.join(" -> ")).collect();
        failure.detail = Some(ways.join("\n"));
        Err(failure.into())
    }

    /// Writes a script of all integration commands.
    pub(super) fn collect_integration(&mut self, collect: &CollectIntegration) -> Result<(), Stop> {
        let mut script = String::from("#!/bin/sh\nset -e\n\n");
        for dependency in self.dependencies {
            if collect.ignore.iter().any(|name| name == dependency.name()) {
                continue;
            }
            let commands = dependency.public_list(&self.builder.store, "integration-commands")?;
            if !commands.is_empty() {
                script += &format!("# integration commands from {}\n", dependency.name());
                script.extend(commands.iter().map(|command| format!("{command}\n\n")));
            }
        }
        let mut output = Directory::default();
        self.put_file(&mut output, &collect.script, &script, true)?;
        self.files(output)
    }

    /// Everything below, split, with the metadata of a snap.
    pub(super) fn snap_image(&mut self, snap: &SnapImage) -> Result<(), Stop> {
        let selection = Selection { include: &snap.include, exclude: &snap.exclude, orphans: snap.include_orphans };
        let mut tree = self.stage_selected(&[], &selection)?;
        self.put_file(&mut tree, &format!("{}/meta/snap.yaml", snap.directory), &snap.metadata, false)?;
        let files = tree.make(&self.builder.store.cas(), &snap.directory)?.clone();
        self.files(files)
    }

    /// Puts a file with this text at a path of a tree.
    fn put_file(&self, tree: &mut Directory, path: &str, text: &str, executable: bool) -> Result<()> {
        let cas = self.builder.store.cas();
        let mut names = components(path);
        let name = names.pop().unwrap_or("file").to_owned();
        let digest = cas.put(text.as_bytes())?;
        let file = File { digest, executable, properties: None, owner: 0 };
        tree.make(&cas, &names.join("/"))?.entries_mut().insert(name, Node::File(file));
        Ok(())
    }
}
