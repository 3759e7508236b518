//! Kinds that run no command: import and stack.

use super::{Failure, Run, Stop};
use crate::doing::source;
use crate::doing::staging::merge;
use crate::doing::staging::tree::Directory;
use crate::values::result::FailureClass;

impl Run<'_> {
    /// Takes a part of the sources as a part of the files.
    pub(super) fn import(&mut self, from: &str, to: &str) -> Result<(), Stop> {
        let store = &self.builder.store;
        let cas = store.cas();
        let since = self.log.begin("Staging sources")?;
        let sources = source::stage(&self.job.sources, store)?;
        self.work.sources = Some(sources);
        self.log.end(since, true, "Staging sources")?;
        let mut input = Directory::load(&cas, &sources, 0)?;
        let element = crate::values::name::local_name(&self.job.identity.element);
        let missing = format!("import element at {element}: No files were found inside directory '{from}'");
        let selected = match input.get(&cas, from)? {
            Some(selected) if !selected.is_empty() => selected.clone(),
            _ => return Err(Failure::new(FailureClass::Collect, "import", missing).into()),
        };
        let mut output = Directory::default();
        merge::merge(output.make(&cas, to)?, selected, &cas, None)?;
        if !self.builder.keep {
            return self.files(output);
        }
        // The root as BuildStream leaves it.
        let mut root = Directory::default();
        root.replace(&cas, "/input", input)?;
        root.replace(&cas, "/output", output)?;
        self.files_at(root, "/output")
    }

    /// Nothing but dependencies.
    pub(super) fn stack(&mut self) -> Result<(), Stop> {
        self.files(Directory::default())
    }

    /// Makes a tree, whose files are in the store already, the outcome.
    pub(super) fn files(&mut self, tree: Directory) -> Result<(), Stop> {
        self.files_at(tree, "/")
    }

    /// Makes a part of a root the outcome.
    pub(super) fn files_at(&mut self, root: Directory, path: &str) -> Result<(), Stop> {
        self.work.base = Some(self.put_tree(&root)?);
        self.work.files = Some(path.to_owned());
        if self.builder.keep {
            self.work.buildroot = Some("/".to_owned());
            self.work.buildtree = Some(self.job.build.build_root.clone());
        }
        Ok(())
    }
}
