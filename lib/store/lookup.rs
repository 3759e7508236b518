//! What the store has for a key: a good artifact, a failed one, nothing, or something damaged.
//!
//! As BuildStream does (spec: artifacts 1, look-up), an artifact is there only if its ref can be read, the
//! whole tree of its files is there, and so are its metadata, its public data and its logs.

use super::artifact::Artifacts;
use super::completeness::Completeness;
use super::{Store, artifact, metadata};
use crate::values::record::State;
use crate::values::result::{BuildResult, FailureClass};
use crate::values::{Digest, Key, Result, name::ArtifactName, proto, time::Time};

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
    seen: Completeness,
}

impl<'a> Lookups<'a> {
    /// For one run over a store: what is expired while it goes on can be missed.
    pub fn new(store: &'a Store) -> Lookups<'a> {
        Lookups { store, artifacts: store.artifacts(), seen: Completeness::new(store.cas()) }
    }

    /// What is there for `name`. The ref counts as used, as it does when BuildStream loads it.
    pub fn look_up(&self, name: &ArtifactName) -> Result<Lookup> {
        let Some(bytes) = self.artifacts.use_bytes(name)? else { return Ok(Lookup::Absent) };
        Ok(self.judge(&bytes))
    }

    /// What a ref's bytes are worth.
    pub fn judge(&self, bytes: &[u8]) -> Lookup {
        let Some(artifact) = artifact::decode(bytes) else {
            return Lookup::Damaged(artifact::what_is_wrong(bytes));
        };
        match self.seen.artifact(&artifact) {
            Ok(()) => Lookup::Found(Box::new(Found { message: Digest::of(bytes), artifact })),
            Err(error) => Lookup::Damaged(error.message().to_owned()),
        }
    }

    /// The result of the build that made an artifact: from the metadata file, if it belongs to the artifact;
    /// else from inside the artifact; else what BuildStream says.
    pub fn result(&self, name: &ArtifactName, found: &Found) -> Result<BuildResult> {
        let strong = found.strong_key().map_or_else(|| name.clone(), |key| name.with_key(key));
        let from_file = self.store.metadata().read(&strong)?;
        if let Some(result) = from_file.as_ref().and_then(|metadata| metadata.result_of(&found.message)) {
            return Ok(result.clone());
        }
        Ok(self.result_inside(&found.artifact))
    }

    /// The result as the artifact itself tells it.
    pub fn result_inside(&self, artifact: &proto::Artifact) -> BuildResult {
        let meta = artifact.high_diversity_meta.as_ref().and_then(|digest| Digest::from_proto(digest).ok());
        let inside = meta.and_then(|digest| self.store.cas().read(&digest).ok());
        let inside = inside.and_then(|bytes| metadata::result_in(&bytes));
        // The artifact's own word on success is what BuildStream goes by.
        inside.filter(|result| result.success == artifact.build_success).unwrap_or_else(|| plain_result(artifact))
    }
}

/// All that an artifact that BuildStream made says of its build.
fn plain_result(artifact: &proto::Artifact) -> BuildResult {
    let failed = !artifact.build_success;
    let log = artifact.logs.first();
    BuildResult {
        success: artifact.build_success,
        description: artifact.build_error.clone(),
        detail: Some(artifact.build_error_details.clone()).filter(|detail| !detail.is_empty()),
        class: failed.then_some(FailureClass::Unknown),
        retryable: failed.then_some(false),
        log: log.and_then(|log| Digest::from_proto(log.digest.as_ref()?).ok()),
        started: log.and_then(|log| time_in_log_name(&log.name)),
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
    // SAFETY: the structure is plain numbers, for which zero is valid; mktime reads and changes only it.
    let seconds = unsafe {
        let mut broken: libc::tm = std::mem::zeroed();
        broken.tm_year = number(date, 0, 4)? - 1900;
        broken.tm_mon = number(date, 4, 2)? - 1;
        broken.tm_mday = number(date, 6, 2)?;
        broken.tm_hour = number(time, 0, 2)?;
        broken.tm_min = number(time, 2, 2)?;
        broken.tm_sec = number(time, 4, 2)?;
        broken.tm_isdst = -1;
        libc::mktime(&mut broken)
    };
    u64::try_from(seconds).ok().map(Time::from_seconds)
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
