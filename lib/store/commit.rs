//! The commit of a build: which of metadata file, strong ref and weak ref it changes.
//!
//! A success is never displaced by a failure, under the strong key or the weak one. What does not answer for
//! the key is kept as an attempt in the metadata file. The strong ref is written last.

use super::Store;
use super::fs::write_all_atomic;
use super::inventory::field;
use super::lock::{Lock, element_path};
use super::lookup::{Lookup, Lookups};
use super::metadata::{Attempt, Metadata, VERSION, encode};
use crate::values::record::ArtifactField;
use crate::values::result::{BuildResult, FailureClass, Standing};
use crate::values::{Digest, Key, Result, name::ArtifactName, proto};
use prost::Message;
use std::path::{Path, PathBuf};

/// How a build is committed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// A failure that is not the key's fault answers for the key all the same (`--keep=all`).
    pub keep_all: bool,
    /// A failure displaces a success (`--replace`).
    pub replace: bool,
}

/// What became of a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It answers for its key.
    Answers,
    /// It can be read and entered, but answers for no key.
    Kept,
    /// Only its log and its place in the attempts are kept.
    Logged,
    /// It failed where a build of the same key had succeeded: that one goes on to answer.
    SuccessStays,
}

/// A commit that was made.
#[derive(Clone, PartialEq, Debug)]
pub struct Committed {
    pub outcome: Outcome,
    /// What the record says: `ref` is absent unless the build answers for its key.
    pub artifact: ArtifactField,
}

/// The commit of one key, which others wait for as long as this is there.
#[derive(Debug)]
pub struct Commit<'a> {
    pub(super) store: &'a Store,
    pub(super) name: ArtifactName,
    pub(super) before: Lookup,
    pub(super) history: Option<Metadata>,
    _lock: Lock,
}

impl Store {
    /// Begins to commit a build of the strong key in `name`. Store the trees before, because other commits of
    /// the element wait.
    pub fn commit(&self, name: &ArtifactName) -> Result<Commit<'_>> {
        let lock = Lock::exclusive(&element_path(self, name))?;
        let before = Lookups::new(self).look_up(name)?;
        let history = self.metadata().read(name)?;
        Ok(Commit { store: self, name: name.clone(), before, history, _lock: lock })
    }
}

impl Commit<'_> {
    /// The number of the build that is committed: one more than builds that are known.
    pub fn attempt(&self) -> u32 {
        match (&self.history, &self.before) {
            (Some(history), _) => history.builds().saturating_add(1),
            (None, Lookup::Found(_)) => 2,
            (None, _) => 1,
        }
    }

    /// Commits. All that `artifact` names must be in the store already; its keys must be those of the build.
    /// `element` is the full name.
    pub fn finish(
        self,
        element: &str,
        artifact: &proto::Artifact,
        result: &BuildResult,
        rules: Rules,
    ) -> Result<Committed> {
        let standing = standing(result, rules);
        let bytes = artifact.encode_to_vec();
        let outcome = match standing {
            Standing::Logged => Outcome::Logged,
            Standing::Kept => Outcome::Kept,
            Standing::Answers if self.must_stay(&self.before, result, rules) => Outcome::SuccessStays,
            Standing::Answers => Outcome::Answers,
        };
        let field = self.field(artifact, outcome)?;
        let message = self.keep_message(&bytes, outcome)?;
        let metadata = self.metadata(element, artifact, result, outcome, message, &field)?;
        self.write(&metadata, artifact, &bytes, (outcome == Outcome::Answers).then_some((result, rules)))?;
        Ok(Committed { outcome, artifact: field })
    }

    pub(super) fn must_stay(&self, there: &Lookup, result: &BuildResult, rules: Rules) -> bool {
        let good = matches!(there, Lookup::Found(found) if found.artifact.build_success);
        good && !result.success && !rules.replace
    }

    pub(super) fn field(&self, artifact: &proto::Artifact, outcome: Outcome) -> Result<ArtifactField> {
        let whole = field(artifact, &self.name)?;
        Ok(match outcome {
            Outcome::Answers => whole,
            Outcome::Kept | Outcome::SuccessStays => ArtifactField { reference: None, ..whole },
            Outcome::Logged => ArtifactField { log: whole.log, ..ArtifactField::default() },
        })
    }

    /// A message that no ref holds is a blob.
    pub(super) fn keep_message(&self, bytes: &[u8], outcome: Outcome) -> Result<Option<Digest>> {
        match outcome {
            Outcome::Logged => Ok(None),
            Outcome::Answers => Ok(Some(Digest::of(bytes))),
            Outcome::Kept | Outcome::SuccessStays => self.store.cas().put(bytes).map(Some),
        }
    }

    pub(super) fn metadata(
        &self,
        element: &str,
        artifact: &proto::Artifact,
        result: &BuildResult,
        outcome: Outcome,
        message: Option<Digest>,
        field: &ArtifactField,
    ) -> Result<Metadata> {
        let key = |text: &str| text.parse::<Key>().ok();
        let mut attempts = self.earlier()?;
        let new = Attempt { message, result: result.clone() };
        let made = Metadata {
            artifact: field.clone(),
            attempts: Vec::new(),
            element: element.to_owned(),
            key: self.name.key(),
            message: None,
            project: self.name.project().to_owned(),
            result: result.clone(),
            strict_key: key(&artifact.strict_key),
            v: VERSION,
            weak_key: key(&artifact.weak_key),
        };
        // What answers stays on top, whatever comes after it without answering.
        let on_top = match &self.before {
            Lookup::Found(found) if outcome != Outcome::Answers => {
                let place = attempts.iter().rposition(|attempt| attempt.message == Some(found.message));
                place.map(|place| (attempts.remove(place), self.field(&found.artifact, Outcome::Answers)))
            }
            _ => None,
        };
        let Some((top, top_field)) = on_top else {
            return Ok(Metadata { attempts, message, ..made });
        };
        attempts.push(new);
        Ok(Metadata { artifact: top_field?, attempts, message: top.message, result: top.result, ..made })
    }

    /// All builds before this one, oldest first.
    fn earlier(&self) -> Result<Vec<Attempt>> {
        let mut attempts = match &self.history {
            Some(history) => {
                let last = Attempt { message: history.message, result: history.result.clone() };
                let mut attempts = history.attempts.clone();
                attempts.push(last);
                attempts.sort_by_key(|attempt| attempt.result.attempt);
                attempts
            }
            None => Vec::new(),
        };
        if let Lookup::Found(found) = &self.before {
            if !attempts.iter().any(|attempt| attempt.message == Some(found.message)) {
                // Another tool built it.
                let result = Lookups::new(self.store).result_inside(&found.artifact);
                attempts.push(Attempt { message: Some(found.message), result });
            }
        }
        Ok(attempts)
    }

    /// Writes the metadata file and, if the build answers for its keys, the refs; that of the strong key last.
    fn write(
        &self,
        metadata: &Metadata,
        artifact: &proto::Artifact,
        bytes: &[u8],
        answers: Option<(&BuildResult, Rules)>,
    ) -> Result<()> {
        let refs = self.store.artifacts();
        let text = encode(metadata)?;
        let mut paths = vec![self.store.metadata().path(&self.name)];
        if let Some((result, rules)) = answers {
            let weak = artifact.weak_key.parse::<Key>().ok().map(|weak| self.name.with_key(weak));
            if let Some(weak) = weak.filter(|weak| *weak != self.name) {
                let there = Lookups::new(self.store).look_up(&weak)?;
                if !self.must_stay(&there, result, rules) {
                    paths.push(refs.path(&weak));
                }
            }
            paths.push(refs.path(&self.name));
        }
        let content = std::iter::once(&text[..]).chain(std::iter::repeat(bytes));
        let files: Vec<(&Path, &[u8])> = paths.iter().map(PathBuf::as_path).zip(content).collect();
        write_all_atomic(&files, 0o644)
    }
}

/// How far a result reaches.
pub fn standing(result: &BuildResult, rules: Rules) -> Standing {
    let class = result.class.unwrap_or(FailureClass::Unknown);
    match class.standing() {
        _ if result.success || rules.keep_all => Standing::Answers,
        standing => standing,
    }
}
