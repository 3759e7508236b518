//! The refs: `artifacts/refs/PROJECT/ELEMENT/KEY`, each a serialised Artifact message.

use super::fs;
use crate::values::{Error, Result, name::ArtifactName, proto};
use prost::Message;
use std::path::{Path, PathBuf};

/// The refs of a store.
#[derive(Clone, Debug)]
pub struct Artifacts {
    refs: PathBuf,
}

impl Artifacts {
    pub(super) fn new(root: &Path) -> Artifacts {
        Artifacts { refs: root.join("refs") }
    }

    /// Where a ref lies, whether it is there or not.
    pub fn path(&self, name: &ArtifactName) -> PathBuf {
        self.refs.join(name.project()).join(name.element()).join(name.key().to_string())
    }

    /// Reads a ref; `None` where there is none; an error of code damaged where it holds no artifact.
    pub fn read(&self, name: &ArtifactName) -> Result<Option<proto::Artifact>> {
        let Some(bytes) = fs::read_if_there(&self.path(name))? else { return Ok(None) };
        decode(&bytes)
            .map(Some)
            .ok_or_else(|| Error::damaged(format!("the ref {name} holds no artifact; bst-fsck --repair puts it aside")))
    }

    /// Writes a ref. Everything that the artifact names must be in the store already: the ref is the commit
    /// point.
    pub fn write(&self, name: &ArtifactName, artifact: &proto::Artifact) -> Result<()> {
        fs::write_atomic(&self.path(name), &artifact.encode_to_vec(), 0o644)
    }
}

/// An artifact's message, if the bytes are one. An empty message decodes too, and a cut one may: both lack
/// the version or the keys, which every artifact has.
pub fn decode(bytes: &[u8]) -> Option<proto::Artifact> {
    let artifact = proto::Artifact::decode(bytes).ok()?;
    (artifact.version > 0 && !artifact.strong_key.is_empty()).then_some(artifact)
}
