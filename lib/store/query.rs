//! The answers of bst-cache-query: what the store has for the key of a record.

use super::lookup::{Answer, Lookups};
use super::{Store, preimage::Preimages};
use crate::values::record::{By, PolicyField, State};
use crate::values::result::FailureClass;
use crate::values::{Error, Key, Record, Result, name::ArtifactName};
use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

/// Which failures answer for their key without being built again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Replay {
    #[default]
    All,
    None,
    Classes(Vec<FailureClass>),
}

impl FromStr for Replay {
    type Err = Error;

    fn from_str(text: &str) -> Result<Replay> {
        match text {
            "all" => return Ok(Replay::All),
            "none" => return Ok(Replay::None),
            _ => {}
        }
        let classes = text.split(',').map(|word| {
            FailureClass::from_word(word).ok_or_else(|| {
                let known: Vec<_> = FailureClass::ALL.iter().map(|class| class.word()).collect();
                let word = word.escape_default();
                Error::usage(format!("\"{word}\" is no class; write all, none, or some of {}", known.join(",")))
            })
        });
        classes.collect::<Result<_>>().map(Replay::Classes)
    }
}

/// How keys are looked up.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Where the strict key has nothing, the weak key may.
    pub non_strict: bool,
    /// Failures older than this are built again.
    pub failure_ttl: Option<Duration>,
    pub replay: Option<Replay>,
    /// By the ref alone: whether all is there that it names is not looked at, and no result is read.
    pub exists: bool,
}

/// Looks up the keys of records, one after the other.
#[derive(Debug)]
pub struct Query<'a> {
    lookups: Lookups<'a>,
    preimages: Preimages,
    how: How,
    weak: HashMap<ArtifactName, Answer>,
}

impl<'a> Query<'a> {
    pub fn new(store: &'a Store, how: How) -> Query<'a> {
        let (lookups, preimages) = (Lookups::new(store), store.preimages());
        Query { lookups, preimages, how, weak: HashMap::new() }
    }

    /// Adds `cache`, and where there is an artifact `artifact` and `result`. Returns the answer, and nothing
    /// for a record without a key.
    pub fn treat(&mut self, record: &mut Record) -> Result<Option<Answer>> {
        for field in ["cache", "artifact", "result"] {
            record.remove(field);
        }
        let Some(key) = record.get::<Key>("key")? else {
            if record.has("error") {
                return Ok(None);
            }
            return Err(Error::malformed("expected a field \"key\", found none"));
        };
        if !record.has("element") && !record.has("project") {
            // A key of the command line that no element has.
            let answer = Answer::absent();
            record.set("cache", &answer.cache)?;
            return Ok(Some(answer));
        }
        let name = record.artifact_name(key)?;
        let weak = if self.how.non_strict { record.get::<Key>("weak_key")? } else { None };
        let policy = record.get::<PolicyField>("policy")?;
        // Only so that bst-diff can tell later: a store that cannot be written to is no reason to fail.
        let _ = self.preimages.keep(record);
        let mut answer = self.answer(&name, weak)?;
        self.judge_failure(&mut answer, policy.as_ref())?;
        record.set_ordered("cache", &answer.cache)?;
        if let Some(artifact) = &answer.artifact {
            record.set_ordered("artifact", artifact)?;
        }
        match (answer.text.take(), &answer.result) {
            (Some(text), _) => record.set_raw("result", text),
            (None, Some(result)) => record.set_ordered("result", result)?,
            (None, None) => {}
        }
        Ok(Some(answer))
    }

    /// What is there under a name, or else under a weak key of the same element.
    pub fn answer(&mut self, name: &ArtifactName, weak: Option<Key>) -> Result<Answer> {
        let strict = self.lookups.answer(name, By::Strict, self.how.exists)?;
        let Some(weak) = weak.filter(|weak| *weak != name.key()) else { return Ok(strict) };
        if matches!(strict.cache.state, State::Cached | State::Failed) {
            return Ok(strict);
        }
        let weak = name.with_key(weak);
        let known = match self.weak.get(&weak) {
            Some(known) => known.clone(),
            None => {
                let answer = self.lookups.answer(&weak, By::Weak, self.how.exists)?;
                self.weak.insert(weak, answer.clone());
                answer
            }
        };
        Ok(if known.cache.state == State::Absent { strict } else { known })
    }

    /// Says whether a failure is replayed, if anybody asks: the record's policy, or else the switches.
    fn judge_failure(&self, answer: &mut Answer, policy: Option<&PolicyField>) -> Result<()> {
        let own = |field: fn(&PolicyField) -> &Option<String>| policy.and_then(|policy| field(policy).as_deref());
        let ttl = match own(|policy| &policy.failure_ttl) {
            Some(text) => Some(duration(text)?),
            None => self.how.failure_ttl,
        };
        let replay =
            own(|policy| &policy.replay).map(Replay::from_str).transpose()?.or_else(|| self.how.replay.clone());
        if answer.cache.state != State::Failed || (ttl.is_none() && replay.is_none()) {
            return Ok(());
        }
        let result = answer.result.clone().unwrap_or_default();
        let class = result.class.unwrap_or(FailureClass::Unknown);
        let built = result.finished.or(result.started);
        let reason = if !replay.is_none_or(|replay| replay.covers(class)) {
            Some("class")
        } else if ttl.is_some_and(|ttl| built.is_none_or(|built| built.age() > ttl)) {
            Some("expired")
        } else {
            None
        };
        answer.cache.replay = Some(reason.is_none());
        answer.cache.reason = reason.map(str::to_owned);
        Ok(())
    }
}

impl Replay {
    /// Whether failures of a class are replayed.
    pub fn covers(&self, class: FailureClass) -> bool {
        match self {
            Replay::All => true,
            Replay::None => false,
            Replay::Classes(classes) => classes.contains(&class),
        }
    }
}

/// A duration as people write it: `90s`, `2h 30m`, `7d`.
pub fn duration(text: &str) -> Result<Duration> {
    humantime::parse_duration(text).map_err(|error| {
        let text = text.escape_default();
        Error::usage(format!("\"{text}\" is no duration ({error}); write 90s, 2h30m, 7d, ..."))
    })
}
