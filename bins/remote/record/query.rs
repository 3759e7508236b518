//! bst-remote-query: says what servers have for a record.

use super::Context;
use crate::artifact::query::{self, Found};
use crate::options;
use crate::run::Treated;
use bst_plumbing::store::query::{How, Query};
use bst_plumbing::values::record::{Cache, Identity, State};
use bst_plumbing::values::{Exit, Record, Result};

impl Context {
    /// Treats one record.
    pub async fn query(self, mut record: Record) -> Treated {
        let outcome = self.query_into(&mut record).await;
        (record, outcome)
    }

    async fn query_into(&self, record: &mut Record) -> Result<Exit> {
        if !self.is_meant(record)? {
            return Ok(Exit::Done);
        }
        if self.store_first {
            let how = How { non_strict: self.non_strict, exists: self.by_ref, ..How::default() };
            let answer = Query::new(&self.store, how).treat(record)?;
            let state = answer.map_or(State::Absent, |answer| answer.cache.state);
            // A failure here may be a success there.
            if state == State::Cached {
                return Ok(Exit::Done);
            }
            let remote = self.ask(record).await;
            return match (state, remote) {
                (State::Failed, Ok(cache)) if cache.state != State::Cached => Ok(Exit::CachedFailure),
                // What is here counts, whether the server answers or not.
                (State::Failed, Err(error)) => {
                    self.without_network(record, Err(error)).map(|_: Result<(), _>| Exit::CachedFailure)
                }
                (_, remote) => self.say_remote(record, &remote?),
            };
        }
        let cache = self.ask(record).await?;
        self.say_remote(record, &cache)
    }

    /// Whether `--element` means the record.
    fn is_meant(&self, record: &Record) -> Result<bool> {
        let Identity { project, element } = record.identity()?;
        Ok(self.selection.has_element(&project, &element))
    }

    async fn ask(&self, record: &Record) -> Result<Cache> {
        let caches = self.caches_of(record)?;
        let mut cache = Cache::default();
        for (by, name) in options::names(record, self.non_strict)? {
            if let Some(Found { message, place }) = query::find(&caches, &name).await? {
                let state = if message.artifact.build_success { State::Cached } else { State::Failed };
                let key = message.artifact.strong_key.parse().ok();
                cache = Cache { by: Some(by), key, state, place: Some(place), ..Cache::default() };
                break;
            }
        }
        Ok(cache)
    }

    fn say_remote(&self, record: &mut Record, cache: &Cache) -> Result<Exit> {
        for field in ["artifact", "result"] {
            record.remove(field);
        }
        record.set("cache", cache)?;
        Ok(match cache.state {
            State::Cached => Exit::Done,
            State::Failed => Exit::CachedFailure,
            _ => Exit::No,
        })
    }
}
