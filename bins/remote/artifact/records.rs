//! What the programs do with one record, and what they write into it.

use super::pull::{self, Pulled};
use super::push::{self, Outcome, Report};
use super::query::{self, Found};
use crate::options::{self, Servers, What};
use crate::run::Treated;
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::edge::environment;
use bst_plumbing::store::Store;
use bst_plumbing::store::commit::Rules;
use bst_plumbing::store::lookup::{Lookup, Lookups};
use bst_plumbing::store::query::{How, Query};
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::record::{By, Cache, State};
use bst_plumbing::values::transfer::{ServerTransfer, Transfer, TransferState as Word};
use bst_plumbing::values::{Code, Exit, Record, Result};
use std::sync::Arc;

/// What the programs need for every record.
#[derive(Clone)]
pub struct Context {
    pub program: &'static str,
    pub caches: Arc<Servers>,
    pub store: Store,
    pub non_strict: bool,
    /// Also what a shell in the build root needs.
    pub build: bool,
    /// A failure may take the place of a success.
    pub replace: bool,
}

impl Context {
    /// From the command line of a program.
    pub fn new(program: &'static str, arguments: &Arguments) -> Result<Context> {
        Ok(Context {
            program,
            caches: Arc::new(Servers::new(program, What::Artifacts, arguments)?),
            store: Store::new(environment::store_root()?),
            non_strict: arguments.has("non-strict"),
            build: arguments.has("buildtree"),
            replace: arguments.has("replace"),
        })
    }

    /// bst-pull: brings the record's artifact into the store, if it is not there, or is a failure of which a
    /// server may have a success.
    pub async fn pull(self, mut record: Record) -> Treated {
        let outcome = self.pull_into(&mut record).await;
        (record, outcome)
    }

    async fn pull_into(&self, record: &mut Record) -> Result<Exit> {
        let names = options::names(record, self.non_strict)?;
        let mut field = Transfer::default();
        match self.pull_first(record, &names).await {
            Ok(Some(pulled)) => {
                field.state = Word::Pulled;
                field.place = Some(pulled.place);
                (field.blobs, field.bytes) = (pulled.volume.blobs, pulled.volume.bytes);
            }
            Ok(None) => {}
            // A cache that cannot be reached is no reason not to go on without it.
            Err(error) if error.code() == Code::Network => {
                eprintln!("{}: {}: {error}", self.program, record.label());
                field.state = Word::Failed;
                field.message = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
        let state = self.say_what_is_here(record)?;
        if field.state == Word::Absent && matches!(state, State::Cached | State::Failed) {
            field.state = Word::Present;
        }
        record.set("pull", &field)?;
        Ok(match (field.state, state) {
            (Word::Failed, _) => Exit::Environment,
            (_, State::Cached | State::Failed) => Exit::Done,
            _ => Exit::No,
        })
    }

    async fn pull_first(&self, record: &Record, names: &[(By, ArtifactName)]) -> Result<Option<Pulled>> {
        let Some((_, first)) = names.first() else { return Ok(None) };
        let caches = self.caches.of(first.project());
        let element: String = record.require("element")?;
        for (_, name) in names {
            let here = Lookups::new(&self.store).look_up(name)?;
            if matches!(&here, Lookup::Found(found) if found.artifact.build_success && !self.lacks_build(found)?) {
                return Ok(None);
            }
            let Some(found) = query::find(&caches, name).await? else { continue };
            if let Lookup::Found(mine) = &here {
                let same = mine.message == found.message.digest;
                if !same && !found.message.artifact.build_success {
                    continue;
                }
                if same && !self.lacks_build(mine)? {
                    return Ok(None);
                }
            }
            let pulled = pull::take(&caches, &self.store, name, found, self.build).await?;
            let rules = Rules { replace: self.replace, ..Rules::default() };
            self.store.adopt(name, &element, &pulled.message.bytes, rules)?;
            return Ok(Some(pulled));
        }
        Ok(None)
    }

    /// Whether something is wanted for a shell that is not here.
    fn lacks_build(&self, found: &bst_plumbing::store::lookup::Found) -> Result<bool> {
        if !self.build {
            return Ok(false);
        }
        let parts = super::message::parts(&found.artifact)?;
        for tree in parts.build {
            if !crate::transfer::walk::is_complete(&self.store.cas(), tree)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes what the store has for the record, as bst-cache-query does.
    fn say_what_is_here(&self, record: &mut Record) -> Result<State> {
        let how = How { non_strict: self.non_strict, ..How::default() };
        let answer = Query::new(&self.store, how).treat(record)?;
        Ok(answer.map_or(State::Absent, |answer| answer.cache.state))
    }

    /// bst-push: sends the record's artifact to the servers.
    pub async fn push(self, mut record: Record) -> Treated {
        let outcome = self.push_from(&mut record).await;
        (record, outcome)
    }

    async fn push_from(&self, record: &mut Record) -> Result<Exit> {
        let mut field = Transfer::default();
        let outcome = self.push_one(record).await;
        let exit = match outcome {
            Ok(Some(report)) => {
                self.say_what_is_left_out(record, &report);
                field.state = summary(&report);
                (field.blobs, field.bytes) = (report.volume.blobs, report.volume.bytes);
                let server = |(url, outcome)| ServerTransfer { state: word(outcome), url };
                field.servers = report.servers.into_iter().map(server).collect();
                Exit::Done
            }
            Ok(None) => Exit::No,
            // What was built is built, whether others get it or not.
            Err(error) if error.code() == Code::Network => {
                eprintln!("{}: {}: {error}", self.program, record.label());
                field.state = Word::Failed;
                field.message = Some(error.to_string());
                Exit::Environment
            }
            Err(error) => return Err(error),
        };
        record.set("push", &field)?;
        Ok(exit)
    }

    async fn push_one(&self, record: &Record) -> Result<Option<Report>> {
        let Some(key) = record.get("key")? else { return Ok(None) };
        let name = record.artifact_name(key)?;
        if !self.store.artifacts().exists(&name) {
            return Ok(None);
        }
        push::push(&self.caches.of(name.project()), &self.store, &name, self.replace).await.map(Some)
    }

    fn say_what_is_left_out(&self, record: &Record, report: &Report) {
        if !report.left_out.is_empty() {
            eprintln!(
                "{}: {}: its build root is not in the store and was not pushed; whoever pulls it has no shell in it",
                self.program,
                record.label()
            );
        }
    }

    /// bst-remote-query: says what servers have for the record.
    pub async fn query(self, mut record: Record) -> Treated {
        let outcome = self.query_into(&mut record).await;
        (record, outcome)
    }

    async fn query_into(&self, record: &mut Record) -> Result<Exit> {
        let names = options::names(record, self.non_strict)?;
        let mut cache = Cache::default();
        for (by, name) in &names {
            if let Some(Found { message, place }) = query::find(&self.caches.of(name.project()), name).await? {
                let state = if message.artifact.build_success { State::Cached } else { State::Failed };
                let key = message.artifact.strong_key.parse().ok();
                cache = Cache { by: Some(*by), key, state, place: Some(place), ..Cache::default() };
                break;
            }
        }
        let exit = if cache.state == State::Absent { Exit::No } else { Exit::Done };
        record.set("cache", &cache)?;
        Ok(exit)
    }
}

fn word(outcome: Outcome) -> Word {
    match outcome {
        Outcome::Pushed => Word::Pushed,
        Outcome::Present => Word::Present,
        Outcome::Kept => Word::Kept,
    }
}

/// One word for all servers: what changed counts most.
fn summary(report: &Report) -> Word {
    let has = |outcome| report.servers.iter().any(|(_, other)| *other == outcome);
    let changed = [Outcome::Pushed, Outcome::Kept].into_iter().find(|outcome| has(*outcome));
    match changed {
        None if report.volume.blobs > 0 => Word::Pushed,
        None => Word::Present,
        Some(outcome) => word(outcome),
    }
}
