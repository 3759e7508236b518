//! What the store has for a key: a good artifact, a failed one, nothing, or something damaged.
//!
//! As BuildStream does (spec: artifacts 1, look-up), an artifact is there only if its ref can be read, the
//! whole tree of its files is there, and so are its metadata, its public data and its logs.

use super::artifact::Artifacts;
use super::cas::TOUCH_AFTER;
use super::completeness::Completeness;
use super::glance::{Glance, Whole};
use super::{Store, artifact, fs::Shelf, metadata};
use crate::values::record::{ArtifactField, By, Cache, State};
use crate::values::result::{BuildResult, FailureClass};
use crate::values::{Digest, Key, Result, name::ArtifactName, proto, time::Time};
use serde_json::value::RawValue;
use std::cell::Cell;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// What the store has for a key.
#[derive(Clone, Debug)]
pub enum Lookup {
    Absent,
    /// A ref that holds no artifact, or one of which something is missing; counts as a miss.
    Damaged(String),
    Found(Box<Found>),
}

/// An artifact that answers for its key.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    pub artifact: proto::Artifact,
    /// The digest of the ref's bytes.
    pub message: Digest,
}

impl Lookup {
    /// The word in records.
    pub fn state(&self) -> State {
        match self {
            Lookup::Absent => State::Absent,
            Lookup::Damaged(_) => State::Damaged,
            Lookup::Found(found) if found.artifact.build_success => State::Cached,
            Lookup::Found(_) => State::Failed,
        }
    }
}

impl Answer {
    fn without(state: State, problem: Option<String>) -> Answer {
        Answer { cache: Cache::of_state(state), artifact: None, result: None, text: None, problem }
    }

    /// The answer for a key that nothing is known of.
    pub fn absent() -> Answer {
        Answer::without(State::Absent, None)
    }
}

impl Found {
    /// The strong key that the artifact says it has: in non-strict mode not always the one looked up.
    pub fn strong_key(&self) -> Option<Key> {
        self.artifact.strong_key.parse().ok()
    }
}

/// Looks keys up, and remembers which blobs and trees it saw whole.
#[derive(Debug)]
pub struct Lookups<'a> {
    store: &'a Store,
    artifacts: Artifacts,
    refs: Shelf,
    results: Shelf,
    seen: Completeness,
    without_result: Mutex<HashSet<Digest>>,
}

/// So many digests are remembered.
const MOST_WITHOUT: usize = 100_000;

/// What is there for a key, in the form of a record.
#[derive(Clone, Debug)]
pub struct Answer {
    pub cache: Cache,
    pub artifact: Option<ArtifactField>,
    pub result: Option<BuildResult>,
    /// The text of the result, if the store has it in the form of a record.
    pub text: Option<Box<RawValue>>,
    /// What is wrong, if it is damaged.
    pub problem: Option<String>,
}

impl<'a> Lookups<'a> {
    /// For one run over a store: what is expired while it goes on can be missed.
    pub fn new(store: &'a Store) -> Lookups<'a> {
        let artifacts = store.artifacts();
        let (refs, results) = (Shelf::new(artifacts.root()), Shelf::new(store.metadata().root()));
        let (seen, without_result) = (Completeness::new(store.cas()), Mutex::default());
        Lookups { store, artifacts, refs, results, seen, without_result }
    }

    /// What is there for `name`, at a glance: quicker than [`Lookups::look_up`] by a lot where artifacts are
    /// large. With `by_ref` nothing but the ref is looked at.
    pub fn answer(&self, name: &ArtifactName, by: By, by_ref: bool) -> Result<Answer> {
        let mut bytes = Vec::new();
        let file = format!("{}/{}/{}", name.project(), name.element(), name.key());
        if !self.refs.read(&file, Some(TOUCH_AFTER).filter(|_| !by_ref), &mut bytes)? {
            return Ok(Answer::without(State::Absent, None));
        }
        let seen = if by_ref { self.readable(&bytes) } else { self.whole(&bytes) };
        let whole = match seen {
            Ok(whole) => whole,
            Err(problem) => return Ok(Answer::without(State::Damaged, Some(format!("{name}: {problem}")))),
        };
        let state = if whole.view.success { State::Cached } else { State::Failed };
        let cache =
            Cache { by: Some(by), key: Some(whole.strong), place: Some("local".into()), ..Cache::of_state(state) };
        let mut answer = Answer { cache, ..Answer::without(state, None) };
        if !by_ref {
            answer.artifact = Some(whole.view.field(name));
            (answer.result, answer.text) = self.result_of(name, &whole, &bytes)?;
        }
        Ok(answer)
    }

    fn result_of(
        &self,
        name: &ArtifactName,
        whole: &Whole,
        bytes: &[u8],
    ) -> Result<(Option<BuildResult>, Option<Box<RawValue>>)> {
        let mut metadata = Vec::new();
        let file = format!("{}/{}/{}.json", name.project(), name.element(), whole.strong);
        if self.results.read(&file, None, &mut metadata)? {
            let message = Digest::of(bytes);
            if let Some((result, text)) = metadata::result_text(&metadata, whole.strong, &message) {
                if result.success == whole.view.success {
                    return Ok((Some(result), Some(text.to_owned())));
                }
            }
            let known = metadata::decode(&metadata).filter(|known| known.key == whole.strong);
            let known = known.as_ref().and_then(|known| known.result_of(&message));
            if let Some(result) = known.filter(|result| result.success == whole.view.success) {
                return Ok((Some(result.clone()), None));
            }
        }
        Ok((Some(self.result_in(whole)), None))
    }

    /// What is there for `name`. The ref counts as used, as it does when BuildStream loads it.
    pub fn look_up(&self, name: &ArtifactName) -> Result<Lookup> {
        let Some(bytes) = self.artifacts.use_bytes(name)? else { return Ok(Lookup::Absent) };
        Ok(self.judge(&bytes))
    }

    /// What a ref's bytes are worth.
    pub fn judge(&self, bytes: &[u8]) -> Lookup {
        match (self.whole(bytes), artifact::decode(bytes)) {
            (Ok(_), Some(artifact)) => Lookup::Found(Box::new(Found { message: Digest::of(bytes), artifact })),
            (Ok(_), None) => Lookup::Damaged(artifact::what_is_wrong(bytes)),
            (Err(problem), _) => Lookup::Damaged(problem),
        }
    }

    fn readable<'b>(&self, bytes: &'b [u8]) -> Result<Whole<'b>, String> {
        Glance::at(bytes).and_then(Glance::whole).ok_or_else(|| artifact::what_is_wrong(bytes))
    }

    /// The artifact that a ref's bytes are, if it counts; else what is wrong with it.
    pub fn whole<'b>(&self, bytes: &'b [u8]) -> Result<Whole<'b>, String> {
        let whole = self.readable(bytes)?;
        self.seen.artifact(&whole, bytes).map_err(|error| error.message().to_owned())?;
        Ok(whole)
    }

    /// The artifact of a build, whether it answers for its key or is only kept: its message, and whether a
    /// ref has it.
    pub fn build(&self, name: &ArtifactName) -> Result<Option<(proto::Artifact, bool)>> {
        if let Some(artifact) = self.artifacts.read(name)? {
            return Ok(Some((artifact, true)));
        }
        let Some(message) = self.store.metadata().read(name)?.and_then(|metadata| metadata.message) else {
            return Ok(None);
        };
        let bytes = self.store.cas().read(&message)?;
        Ok(artifact::decode(&bytes).map(|artifact| (artifact, false)))
    }

    /// The result of the build that made an artifact: from the metadata file, if it belongs to the artifact;
    /// else from inside the artifact; else what BuildStream says.
    pub fn result(&self, name: &ArtifactName, found: &Found) -> Result<BuildResult> {
        let strong = found.strong_key().map_or_else(|| name.clone(), |key| name.with_key(key));
        let from_file = self.store.metadata().read(&strong)?;
        if let Some(result) = from_file.as_ref().and_then(|metadata| metadata.result_of(&found.message)) {
            if result.success == found.artifact.build_success {
                return Ok(result.clone());
            }
        }
        Ok(self.result_inside(&found.artifact))
    }

    /// The result as the artifact itself tells it.
    pub fn result_inside(&self, artifact: &proto::Artifact) -> BuildResult {
        let bytes = prost::Message::encode_to_vec(artifact);
        match Glance::at(&bytes).and_then(Glance::whole) {
            Some(whole) => self.result_in(&whole),
            None => BuildResult { success: artifact.build_success, ..BuildResult::default() },
        }
    }

    /// The result in the high-diversity metadata. Many artifacts share one that has none.
    fn travelled(&self, high: &Digest) -> Option<BuildResult> {
        let mut without = self.without_result.lock().unwrap_or_else(PoisonError::into_inner);
        if without.contains(high) {
            return None;
        }
        let result = self.store.cas().read(high).ok().and_then(|bytes| metadata::result_in(&bytes));
        if result.is_none() {
            if without.len() >= MOST_WITHOUT {
                without.clear();
            }
            without.insert(*high);
        }
        result
    }

    /// The same at a glance.
    pub fn result_in(&self, whole: &Whole) -> BuildResult {
        let inside = self.travelled(&whole.high);
        // The artifact's own word on success is what BuildStream goes by.
        inside.filter(|result| result.success == whole.view.success).unwrap_or_else(|| plain_result(&whole.view))
    }
}

/// All that an artifact that BuildStream made says of its build.
fn plain_result(view: &Glance) -> BuildResult {
    BuildResult {
        success: view.success,
        description: view.error.to_owned(),
        detail: Some(view.details.to_owned()).filter(|detail| !detail.is_empty()),
        class: (!view.success).then_some(FailureClass::Unknown),
        retryable: (!view.success).then_some(false),
        log: view.log,
        started: time_in_log_name(view.log_name),
        ..Default::default()
    }
}

/// The time in `KEY8-build.YYYYMMDD-HHMMSS.log`, which is in the time zone of the builder: the same as ours,
/// as far as anybody can tell.
fn time_in_log_name(name: &str) -> Option<Time> {
    let stamp = name.strip_suffix(".log")?.rsplit_once('.')?.1;
    let (date, time) = stamp.split_once('-')?;
    if date.len() != 8 || time.len() != 6 || !stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return None;
    }
    let number = |text: &str, at: usize, length: usize| text.get(at..at + length)?.parse::<i32>().ok();
    let hour = (number(date, 0, 4)?, number(date, 4, 2)?, number(date, 6, 2)?, number(time, 0, 2)?);
    let start = start_of_hour(hour)?;
    let within = u64::try_from(number(time, 2, 2)? * 60 + number(time, 4, 2)?).ok()?;
    Some(Time::from_seconds(start.saturating_add(within)))
}

/// When an hour of local time began. The last one is remembered: the system looks for the time zone's file each
/// time that it is asked.
fn start_of_hour(hour: (i32, i32, i32, i32)) -> Option<u64> {
    thread_local! {
        static LAST: Cell<Option<((i32, i32, i32, i32), u64)>> = const { Cell::new(None) };
    }
    if let Some((last, start)) = LAST.get() {
        if last == hour {
            return Some(start);
        }
    }
    // SAFETY: the structure is plain numbers, for which zero is valid; mktime reads and changes only it.
    let seconds = unsafe {
        let mut broken: libc::tm = std::mem::zeroed();
        (broken.tm_year, broken.tm_mon, broken.tm_mday, broken.tm_hour) = (hour.0 - 1900, hour.1 - 1, hour.2, hour.3);
        broken.tm_isdst = -1;
        libc::mktime(&mut broken)
    };
    let start = u64::try_from(seconds).ok()?;
    LAST.set(Some((hour, start)));
    Some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_name_tells_the_time() {
        assert!(time_in_log_name("cfa2e0c3-build.20261125-140001.log").is_some());
        for bad in ["", "x.log", "a-build.2026112-140001.log", "a-build.20261125-14000x.log"] {
            assert_eq!(time_in_log_name(bad), None, "{bad}");
        }
    }
}
