//! Taking over an artifact that was built elsewhere: pulled from a server, or copied from another store.
//!
//! The rules are those of a commit, and the message stays as it came: its digest is how servers and other
//! stores know it.

use super::Store;
use super::commit::{Outcome, Rules};
use super::lookup::{Lookup, Lookups};
use crate::values::result::BuildResult;
use crate::values::{Digest, Error, Key, Result, name::ArtifactName, proto};

impl Store {
    /// Takes over the artifact with the message `bytes`, everything of which is in the store already. `asked`
    /// is the name by which it was found: of its strong, its weak or its strict key; `element` the full name.
    /// Other names of it are added where nothing good is.
    pub fn adopt(&self, asked: &ArtifactName, element: &str, bytes: &[u8], rules: Rules) -> Result<Outcome> {
        let artifact = super::artifact::decode(bytes)
            .ok_or_else(|| Error::damaged(format!("what should be the artifact {asked} is none")))?;
        let names = names(asked, &artifact)?;
        let strong = names.first().unwrap_or(asked);
        let commit = self.commit(strong)?;
        let result = Lookups::new(self).result_inside(&artifact);
        let stays = commit.must_stay(&commit.before, &result, rules);
        let outcome = if stays { Outcome::SuccessStays } else { Outcome::Answers };
        let digest = Digest::of(bytes);
        let known = commit.history.as_ref().is_some_and(|history| history.result_of(&digest).is_some());
        if !known || !is(&commit.before, &digest) {
            let field = commit.field(&artifact, outcome)?;
            let message = commit.keep_message(bytes, outcome)?;
            let metadata = commit.metadata(element, &artifact, &result, outcome, message, &field)?;
            self.metadata().write(strong, &metadata)?;
        }
        // The strong name last: it is the one that others go by.
        for name in names.iter().rev() {
            if self.may_name(name, name == asked || name == strong, &result, rules)? {
                self.artifacts().write_bytes(name, bytes)?;
            }
        }
        Ok(outcome)
    }

    /// Whether an artifact may have a name that perhaps another has.
    fn may_name(&self, name: &ArtifactName, own: bool, result: &BuildResult, rules: Rules) -> Result<bool> {
        Ok(match Lookups::new(self).look_up(name)? {
            Lookup::Absent | Lookup::Damaged(_) => true,
            Lookup::Found(_) if rules.replace => true,
            Lookup::Found(found) if found.artifact.build_success => own && result.success,
            Lookup::Found(_) => own || result.success,
        })
    }
}

/// The names of an artifact, that of the strong key first; refuses one that is not the artifact's.
fn names(asked: &ArtifactName, artifact: &proto::Artifact) -> Result<Vec<ArtifactName>> {
    let mut names: Vec<ArtifactName> = Vec::with_capacity(3);
    for text in [&artifact.strong_key, &artifact.weak_key, &artifact.strict_key] {
        // Artifacts of early versions lack some.
        if text.is_empty() {
            continue;
        }
        let key: Key = text.parse().map_err(|error: Error| Error::damaged(error.message().to_owned()))?;
        let name = asked.with_key(key);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.contains(asked) {
        return Ok(names);
    }
    Err(Error::damaged(format!("what should be the artifact {asked} is one of the key {}", artifact.strong_key)))
}

fn is(lookup: &Lookup, message: &Digest) -> bool {
    matches!(lookup, Lookup::Found(found) if found.message == *message)
}
