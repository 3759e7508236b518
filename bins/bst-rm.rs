//! Drops artifacts: bst-rm(1).

use bst_plumbing::edge::cli::{self, programs::RM};
use bst_plumbing::edge::{environment, pipe, selection};
use bst_plumbing::store::inventory::{Entry, Inventory};
use bst_plumbing::store::{Store, naming, remove};
use bst_plumbing::values::{Error, Exit, Key, Result};
use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&RM, |arguments| {
        let store = Store::new(environment::store_root()?);
        let selection = selection::of(arguments)?;
        let inventory = Inventory::new(&store);
        let mut drop = Drop { store: &store, dry_run: arguments.has("dry-run"), writer: pipe::stdout(), any: false };
        if !arguments.operands().is_empty() {
            for word in arguments.operand_texts()? {
                for name in naming::names(&store, word)? {
                    if let Some(entry) = inventory.entry(&name)?.filter(|entry| selection.has(entry)) {
                        drop.entry(&entry)?;
                    }
                }
            }
        } else if !selection.is_everything() {
            for entry in inventory.all() {
                let entry = entry?;
                if selection.has(&entry) {
                    drop.entry(&entry)?;
                }
            }
        } else if std::io::stdin().is_terminal() {
            return Err(Error::usage("say what to drop: keys, records on standard input, or a selection"));
        } else {
            let mut reader = pipe::Reader::new(std::io::stdin());
            while let Some(record) = reader.next_record() {
                let record = record?;
                let name = record.artifact_name(record.require::<Key>("key")?)?;
                if let Some(entry) = inventory.entry(&name)? {
                    drop.entry(&entry)?;
                }
            }
        }
        drop.writer.flush()?;
        Ok(if drop.any { Exit::Done } else { Exit::No })
    })
}

struct Drop<'a> {
    store: &'a Store,
    dry_run: bool,
    writer: pipe::Writer<pipe::Stdout>,
    any: bool,
}

impl Drop<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<()> {
        if !self.dry_run {
            remove::remove(self.store, &entry.name)?;
        }
        self.any = true;
        self.writer.push(&entry.to_record()?)
    }
}
