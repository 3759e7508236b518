//! Asks the store for records that nobody asked it about.

use crate::store::query::{How, Query};
use crate::values::name::ArtifactName;
use crate::values::record::{Cache, Identity, State};
use crate::values::{Key, Record, Result};

/// Adds `cache`, and `result` and `artifact` where there is something. A record without a key has nothing.
pub(super) fn ask(query: &mut Query<'_>, record: &mut Record) -> Result<Cache> {
    if !record.has("key") {
        return Ok(Cache { state: State::Absent, ..Cache::default() });
    }
    Ok(query.treat(record)?.map(|answer| answer.cache).unwrap_or_default())
}

/// What is there under the strict key.
pub(super) fn ask_strictly(query: &mut Query<'_>, name: &ArtifactName, record: &mut Record) -> Result<Cache> {
    let answer = query.answer(name, None)?;
    if let Some(result) = &answer.result {
        record.set("result", result)?;
    }
    if let Some(artifact) = &answer.artifact {
        record.set("artifact", artifact)?;
    }
    record.set("cache", &answer.cache)?;
    Ok(answer.cache)
}

/// Whether a good artifact is there.
pub(super) fn is_cached(query: &mut Query<'_>, identity: &Identity, key: Option<Key>) -> bool {
    let Some(key) = key else { return false };
    let name = ArtifactName::new(&identity.project, &identity.element, key);
    name.and_then(|name| query.answer(&name, None)).is_ok_and(|answer| answer.cache.state == State::Cached)
}

/// A query of the store in the mode of a run.
pub(super) fn query(options: &super::Options) -> Query<'_> {
    Query::new(&options.store, How { non_strict: options.non_strict, ..How::default() })
}
