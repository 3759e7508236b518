//! What artifact servers have for a name.

use super::message::Message;
use super::uri;
use crate::caches::Caches;
use crate::wire::asset::Asset;
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::{Code, Error, Result};

/// An artifact that a server has.
#[derive(Clone, Debug)]
pub struct Found {
    pub message: Message,
    /// The URL of the index server.
    pub place: String,
}

/// Looks for an artifact: the first success of the servers in their order, else the first failure. Nothing
/// but its message is fetched. A server that cannot be asked is an error only if no other has the artifact.
pub async fn find(caches: &Caches, name: &ArtifactName) -> Result<Option<Found>> {
    caches.check(false)?;
    let storages = caches.storages(false);
    let mut best: Option<Found> = None;
    let mut failure = None;
    for index in caches.indexes(false) {
        let found = async {
            let Some(digest) = index.fetch_asset(Asset::Blob, &uri(name)).await? else { return Ok(None) };
            let message = Message::fetch(&storages, digest).await?;
            if !message.keys()?.contains(&name.key()) {
                let words = format_args!("the artifact that it has as {name} is one of another key");
                return Err(index.network(words));
            }
            Ok(Some(message))
        };
        match found.await {
            Ok(None) => {}
            Ok(Some(message)) => {
                let success = message.artifact.build_success;
                if success || best.is_none() {
                    best = Some(Found { message, place: index.url().to_owned() });
                }
                if success {
                    break;
                }
            }
            Err(error) => failure = Some(broken_promise(name, error)),
        }
    }
    match (best, failure) {
        (Some(found), _) => Ok(Some(found)),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(None),
    }
}

/// A server that knows the name of an artifact and does not have it.
pub fn broken_promise(name: &ArtifactName, error: Error) -> Error {
    match error.code() {
        Code::NotFound => Error::new(Code::Network, format!("artifact {name}: {}", error.message())),
        Code::Damaged => {
            Error::new(Code::Network, format!("artifact {name}: what came is no use: {}", error.message()))
        }
        _ => error,
    }
}
