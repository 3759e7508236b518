//! bst-remote-query: says what servers have for a record.

use super::Context;
use crate::artifact::query::{self, Found};
use crate::options;
use crate::run::Treated;
use bst_plumbing::values::record::{Cache, State};
use bst_plumbing::values::{Exit, Record, Result};

impl Context {
    /// Treats one record.
    pub async fn query(self, mut record: Record) -> Treated {
        let outcome = self.query_into(&mut record).await;
        (record, outcome)
    }

    async fn query_into(&self, record: &mut Record) -> Result<Exit> {
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
        for field in ["artifact", "result"] {
            record.remove(field);
        }
        record.set("cache", &cache)?;
        Ok(match cache.state {
            State::Cached => Exit::Done,
            State::Failed => Exit::CachedFailure,
            _ => Exit::No,
        })
    }
}
