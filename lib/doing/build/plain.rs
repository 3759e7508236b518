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
        self.files(output)
    }

    /// Nothing but dependencies.
    pub(super) fn stack(&mut self) -> Result<(), Stop> {
        self.files(Directory::default())
    }

    /// Stores the directories of a tree whose files are in the store already, and makes it the outcome.
    pub(super) fn files(&mut self, tree: Directory) -> Result<(), Stop> {
        self.work.base = Some(self.put_tree(&tree)?);
        self.work.files = Some("/".to_owned());
        Ok(())
    }
}
