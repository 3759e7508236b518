//! bst-push: sends a record's artifact, or its sources, to servers.

use super::Context;
use crate::artifact::push::{self, Outcome, Report};
use crate::run::Treated;
use crate::source_cache::{self, Entry};
use crate::transfer::Volume;
use bst_plumbing::doing::source;
use bst_plumbing::values::record::Source;
use bst_plumbing::values::transfer::{ServerTransfer, Transfer, TransferState};
use bst_plumbing::values::{Code, Exit, Record, Result};

impl Context {
    /// Sends the artifact.
    pub async fn push(self, mut record: Record) -> Treated {
        let sent = self.push_artifact(&record).await;
        let outcome = self.say(&mut record, sent);
        (record, outcome)
    }

    /// Sends the sources.
    pub async fn push_sources(self, mut record: Record) -> Treated {
        let sent = self.push_entries(&record).await;
        let outcome = self.say(&mut record, sent);
        (record, outcome)
    }

    /// What was built is built, whether others get it or not: a server that fails is no error of the record.
    fn say(&self, record: &mut Record, sent: Result<Option<Transfer>>) -> Result<Exit> {
        let (field, exit) = match self.without_network(record, sent)? {
            Ok(Some(field)) => (field, Exit::Done),
            Ok(None) => (Transfer::default(), Exit::No),
            Err(error) => {
                let state = TransferState::Failed;
                (Transfer { state, message: Some(error.to_string()), ..Transfer::default() }, Exit::Environment)
            }
        };
        record.set("push", &field)?;
        Ok(exit)
    }

    async fn push_artifact(&self, record: &Record) -> Result<Option<Transfer>> {
        let Some(key) = record.get("key")? else { return Ok(None) };
        let name = record.artifact_name(key)?;
        if !self.store.artifacts().exists(&name) {
            return Ok(None);
        }
        let caches = self.caches_of(record)?;
        let report = push::push(&caches, &self.store, &name, self.replace).await?;
        if !report.left_out.is_empty() {
            eprintln!(
                "{}: {}: its build root is not in the store and was not pushed; whoever pulls it has no shell in it",
                self.program,
                record.label()
            );
        }
        let Volume { blobs, bytes } = report.volume;
        let state = summary(&report);
        let server = |(url, outcome)| ServerTransfer { state: state_of(outcome), url };
        let servers = report.servers.into_iter().map(server).collect();
        Ok(Some(Transfer { blobs, bytes, servers, state, ..Transfer::default() }))
    }

    /// Sends each source that is staged by itself, and all of them together.
    async fn push_entries(&self, record: &Record) -> Result<Option<Transfer>> {
        let sources: Vec<Source> = record.get("sources")?.unwrap_or_default();
        if sources.is_empty() {
            return Ok(None);
        }
        match source::stage(&sources, &self.store) {
            Ok(_) => {}
            // They were not fetched.
            Err(error) if error.code() == Code::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let caches = self.caches_of(record)?;
        let mut entries = sources.iter().map(Entry::of_source).collect::<Result<Vec<_>>>()?;
        entries.push(Entry::of_element(&sources)?);
        let mut field = Transfer { state: TransferState::Present, ..Transfer::default() };
        for entry in entries {
            if let Some((volume, named)) = source_cache::push(&caches, &self.store, &entry).await? {
                field.blobs += volume.blobs;
                field.bytes += volume.bytes;
                if named || volume.blobs > 0 {
                    field.state = TransferState::Pushed;
                }
            }
        }
        Ok(Some(field))
    }
}

fn state_of(outcome: Outcome) -> TransferState {
    match outcome {
        Outcome::Pushed => TransferState::Pushed,
        Outcome::Present => TransferState::Present,
        Outcome::Kept => TransferState::Kept,
    }
}

/// One word for all servers: what changed counts most.
fn summary(report: &Report) -> TransferState {
    let has = |outcome| report.servers.iter().any(|(_, other)| *other == outcome);
    match [Outcome::Pushed, Outcome::Kept].into_iter().find(|outcome| has(*outcome)) {
        Some(outcome) => state_of(outcome),
        None if report.volume.blobs > 0 => TransferState::Pushed,
        None => TransferState::Present,
    }
}
