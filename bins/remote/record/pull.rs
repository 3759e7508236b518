//! bst-pull: brings a record's artifact into the store, if it is not there, or is a failure of which a
//! server may have a success.

use super::Context;
use crate::artifact::pull::{self, Pulled};
use crate::artifact::{message, query};
use crate::options;
use crate::run::Treated;
use crate::transfer::walk;
use bst_plumbing::store::commit::Rules;
use bst_plumbing::store::lookup::{Found, Lookup, Lookups};
use bst_plumbing::store::query::{How, Query};
use bst_plumbing::values::record::State;
use bst_plumbing::values::transfer::{Transfer, TransferState};
use bst_plumbing::values::{Exit, Record, Result};

impl Context {
    /// Treats one record.
    pub async fn pull(self, mut record: Record) -> Treated {
        let outcome = self.pull_into(&mut record).await;
        (record, outcome)
    }

    async fn pull_into(&self, record: &mut Record) -> Result<Exit> {
        let mut field = Transfer::default();
        let outcome = self.pull_first(record).await;
        match self.without_network(record, outcome)? {
            Ok(Some(pulled)) => {
                field.state = TransferState::Pulled;
                field.place = Some(pulled.place);
                (field.blobs, field.bytes) = (pulled.volume.blobs, pulled.volume.bytes);
            }
            Ok(None) => {}
            Err(error) => {
                field.state = TransferState::Failed;
                field.message = Some(error.to_string());
            }
        }
        let state = self.say_what_is_here(record)?;
        let here = matches!(state, State::Cached | State::Failed);
        if field.state == TransferState::Absent && here {
            field.state = TransferState::Present;
        }
        record.set("pull", &field)?;
        Ok(match (field.state, here) {
            (TransferState::Failed, _) => Exit::Environment,
            (_, true) => Exit::Done,
            (_, false) => Exit::No,
        })
    }

    async fn pull_first(&self, record: &Record) -> Result<Option<Pulled>> {
        let caches = self.caches_of(record)?;
        let element: String = record.require("element")?;
        for (_, name) in options::names(record, self.non_strict)? {
            let here = Lookups::new(&self.store).look_up(&name)?;
            if let Lookup::Found(mine) = &here {
                if mine.artifact.build_success && !self.lacks_build(mine)? {
                    return Ok(None);
                }
            }
            let Some(found) = query::find(&caches, &name).await? else { continue };
            if let Lookup::Found(mine) = &here {
                let same = mine.message == found.message.digest;
                if same && !self.lacks_build(mine)? {
                    return Ok(None);
                }
                // One failure is as good as another.
                if !same && !found.message.artifact.build_success {
                    continue;
                }
            }
            let pulled = pull::take(&caches, &self.store, &name, found, self.build).await?;
            self.store.adopt(&name, &element, &pulled.message.bytes, Rules::default())?;
            return Ok(Some(pulled));
        }
        Ok(None)
    }

    /// Whether something is wanted for a shell that is not here.
    fn lacks_build(&self, found: &Found) -> Result<bool> {
        if self.build {
            for tree in message::parts(&found.artifact)?.build {
                if !walk::is_complete(&self.store.cas(), tree)? {
                    return Ok(true);
                }
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
}
