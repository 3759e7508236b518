//! The metadata files: `artifacts/results/PROJECT/ELEMENT/KEY.json`, one for each strong key.
//!
//! The ref is the authority. What a file says of an artifact counts only if it names the digest of the ref's
//! bytes; everything else in it is history: a crash, or another tool, can leave the two apart.

use super::fs;
use crate::values::{Digest, Error, Key, Result, name::ArtifactName, record::ArtifactField, result::BuildResult};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The form of the files. It grows by addition only.
pub const VERSION: u32 = 1;

/// The content of a metadata file: what is known of the builds of one key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Metadata {
    /// The artifact's trees and log; `ref` only if it answers for the key.
    #[serde(default)]
    pub artifact: ArtifactField,
    /// Builds that do not answer for the key: earlier ones, and failures after a success. Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The element's full name, with the junctions.
    pub element: String,
    /// The strong key.
    pub key: Key,
    /// The digest of the artifact's message: of the ref's bytes or, where it has no ref, of a blob. Absent
    /// where nothing but the log was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Digest>,
    pub project: String,
    /// The build that answers for the key or, if there is none, the last one.
    pub result: BuildResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_key: Option<Key>,
    pub v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak_key: Option<Key>,
}

/// A build that does not answer for its key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// The digest of its artifact's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Digest>,
    #[serde(flatten)]
    pub result: BuildResult,
}

impl Metadata {
    /// The result of the build whose artifact's message has this digest.
    pub fn result_of(&self, message: &Digest) -> Option<&BuildResult> {
        if self.message.as_ref() == Some(message) {
            return Some(&self.result);
        }
        self.attempts.iter().rev().find(|attempt| attempt.message.as_ref() == Some(message)).map(|a| &a.result)
    }

    /// How many builds there were.
    pub fn builds(&self) -> u32 {
        let counted = self.attempts.iter().map(|attempt| attempt.result.attempt).chain([self.result.attempt]);
        let most = counted.flatten().max().unwrap_or(0);
        most.max(u32::try_from(self.attempts.len() + 1).unwrap_or(u32::MAX))
    }

    /// Whether the key succeeded and failed: the build does not depend on its inputs alone.
    pub fn is_flaky(&self) -> bool {
        let mut builds = self.attempts.iter().map(|attempt| &attempt.result).chain([&self.result]);
        let first = self.result.success;
        builds.any(|result| result.success != first)
    }
}

/// The metadata files of a store.
#[derive(Clone, Debug)]
pub struct MetadataFiles {
    results: PathBuf,
}

impl MetadataFiles {
    pub(super) fn new(root: &Path) -> MetadataFiles {
        MetadataFiles { results: root.join("results") }
    }

    /// The directory of all of them.
    pub fn root(&self) -> &Path {
        &self.results
    }

    /// Where the file of a key lies, whether it is there or not.
    pub fn path(&self, name: &ArtifactName) -> PathBuf {
        self.results.join(name.project()).join(name.element()).join(format!("{}.json", name.key()))
    }

    /// Reads a file. One that is empty, cut, of a newer form or about another key says nothing: as if it were
    /// not there. bst-fsck names it.
    pub fn read(&self, name: &ArtifactName) -> Result<Option<Metadata>> {
        Ok(fs::read_if_there(&self.path(name))?.and_then(|bytes| decode(&bytes)).filter(|data| data.key == name.key()))
    }

    /// Writes a file.
    pub fn write(&self, name: &ArtifactName, metadata: &Metadata) -> Result<()> {
        fs::write_atomic(&self.path(name), &encode(metadata)?, 0o644)
    }

    /// Removes a file; `false` where there was none.
    pub fn remove(&self, name: &ArtifactName) -> Result<bool> {
        fs::remove_if_there(&self.path(name))
    }
}

/// The text of a metadata file: an object with one field a line, so that it can be read without tools.
pub(super) fn encode(metadata: &Metadata) -> Result<Vec<u8>> {
    let failed = |error| Error::malformed(format!("the metadata of {} cannot be written: {error}", metadata.element));
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::to_vec(metadata).and_then(|json| serde_json::from_slice(&json)).map_err(failed)?;
    let mut text = String::from("{");
    for (index, (field, value)) in fields.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        text += &format!("{comma}\n \"{field}\": {}", value.get());
    }
    text += "\n}\n";
    Ok(text.into_bytes())
}

/// What a metadata file holds, if it is one.
pub fn decode(bytes: &[u8]) -> Option<Metadata> {
    serde_json::from_slice::<Metadata>(bytes).ok().filter(|metadata| metadata.v == VERSION)
}

/// The part of a metadata file that a query needs, its result still as text.
#[derive(Debug, Deserialize)]
struct Brief<'a> {
    key: Key,
    #[serde(default)]
    message: Option<Digest>,
    #[serde(borrow)]
    result: &'a RawValue,
    v: u32,
}

/// The result in a metadata file and its text, if the file says without any doubt that it is that of the build
/// of `key` whose artifact's message has this digest.
pub(super) fn result_text<'a>(bytes: &'a [u8], key: Key, message: &Digest) -> Option<(BuildResult, &'a RawValue)> {
    let brief: Brief<'a> = serde_json::from_slice(bytes).ok()?;
    let same = brief.v == VERSION && brief.key == key && brief.message.as_ref() == Some(message);
    // A record is one line.
    if !same || brief.result.get().contains('\n') {
        return None;
    }
    Some((serde_json::from_str(brief.result.get()).ok()?, brief.result))
}

/// The line by which the result travels inside the artifact: at the end of the YAML of its high-diversity
/// metadata. JSON is YAML, so every reader of that file accepts it.
pub fn result_line(result: &BuildResult) -> Result<String> {
    serde_json::to_string(result)
        .map(|json| format!("result: {json}\n"))
        .map_err(|error| Error::malformed(format!("a result cannot be written: {error}")))
}

/// The result that [`result_line`] put into the high-diversity metadata, if there is one.
pub fn result_in(high_diversity_meta: &[u8]) -> Option<BuildResult> {
    let mut lines = high_diversity_meta.split(|&byte| byte == b'\n');
    lines.find_map(|line| serde_json::from_slice(line.strip_prefix(b"result: ")?).ok())
}
