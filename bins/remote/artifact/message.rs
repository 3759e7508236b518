//! What an artifact's message says of other blobs.

use crate::transfer::receive;
use crate::wire::Server;
use bst_plumbing::store::artifact;
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::{Digest, Error, Key, Result, proto};
use prost::bytes::Bytes;
use std::sync::Arc;

/// An artifact's message, as its bytes are.
#[derive(Clone, Debug)]
pub struct Message {
    pub bytes: Bytes,
    pub digest: Digest,
    pub artifact: proto::Artifact,
}

/// What an artifact consists of.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Without these it is no artifact.
    pub trees: Vec<Digest>,
    pub blobs: Vec<Digest>,
    /// What a shell in the build root needs: build tree, sources, build root, sub-sandboxes.
    pub build: Vec<Digest>,
}

impl Message {
    /// Reads an artifact's message, whoever made it.
    pub fn new(bytes: Bytes) -> Option<Message> {
        let artifact = artifact::decode(&bytes)?;
        Some(Message { digest: Digest::of(&bytes), bytes, artifact })
    }

    /// Gets an artifact's message from servers.
    pub async fn fetch(storages: &[Arc<Server>], digest: Digest) -> Result<Message> {
        let blobs = receive::read_all(storages, vec![digest]).await?;
        let bytes = blobs.into_iter().next().map(|(_, bytes)| bytes).unwrap_or_default();
        Message::new(bytes).ok_or_else(|| {
            let urls: Vec<&str> = storages.iter().map(|server| server.url()).collect();
            Error::new(
                bst_plumbing::values::Code::Network,
                format!("{}: the blob {digest} should be an artifact's message and is none", urls.join(", ")),
            )
        })
    }

    /// The keys that the artifact answers for, the strong one first.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let mut keys: Vec<Key> = Vec::with_capacity(3);
        for text in [&self.artifact.strong_key, &self.artifact.weak_key, &self.artifact.strict_key] {
            // Artifacts of early versions lack some.
            if !text.is_empty() {
                let key = text.parse().map_err(|error: Error| Error::damaged(error.message().to_owned()))?;
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        Ok(keys)
    }

    /// The names of the artifact under its strong and its weak key.
    pub fn names(&self, name: &ArtifactName) -> Result<Vec<ArtifactName>> {
        let texts = [&self.artifact.strong_key, &self.artifact.weak_key];
        let mut names: Vec<ArtifactName> = Vec::with_capacity(2);
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            let name = name.with_key(text.parse().map_err(|error: Error| Error::damaged(error.message().to_owned()))?);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// What the artifact consists of.
    pub fn parts(&self) -> Result<Parts> {
        parts(&self.artifact)
    }
}

/// What an artifact consists of.
pub fn parts(artifact: &proto::Artifact) -> Result<Parts> {
    let logs = artifact.logs.iter().map(|log| &log.digest);
    let metadata = [&artifact.low_diversity_meta, &artifact.high_diversity_meta, &artifact.public_data];
    let mut parts = Parts {
        trees: digests([&artifact.files])?,
        blobs: digests(metadata.into_iter().chain(logs))?,
        build: digests([&artifact.buildtree, &artifact.sources, &artifact.buildroot])?,
    };
    for digest in artifact.buildsandbox.iter().flat_map(|sandbox| &sandbox.subsandbox_digests) {
        parts.build.push(Digest::from_proto(digest)?);
    }
    Ok(parts)
}

fn digests<'a>(messages: impl IntoIterator<Item = &'a Option<proto::Digest>>) -> Result<Vec<Digest>> {
    messages.into_iter().flatten().map(Digest::from_proto).collect()
}
