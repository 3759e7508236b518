//! From the store to artifact servers.

use super::message::{Message, Parts};
use super::uri;
use crate::caches::Caches;
use crate::transfer::send::{self, Cargo};
use crate::transfer::{Volume, walk};
use crate::wire::Server;
use crate::wire::asset::{Asset, Association};
use bst_plumbing::store::{Store, fs};
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::{Digest, Error, Result};
use std::sync::Arc;

/// What became of an artifact at one server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The server has it now.
    Pushed,
    /// The server had it.
    Present,
    /// The server has a success, which a failure does not displace.
    Kept,
}

/// What became of an artifact.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub servers: Vec<(String, Outcome)>,
    pub volume: Volume,
    /// Parts of the build root that were not in the store, so that nobody can have a shell in it.
    pub left_out: Vec<Digest>,
}

/// Pushes the artifact of a name. `replace`: even a failure in the place of a success.
pub async fn push(caches: &Caches, store: &Store, name: &ArtifactName, replace: bool) -> Result<Report> {
    caches.check(true)?;
    let message = read(store, name)?;
    let parts = message.parts()?;
    let mut plans = Vec::new();
    for index in caches.indexes(true) {
        plans.push(Plan::make(caches, index, &message, name, replace).await?);
    }
    let mut report = Report::default();
    let mut complete = parts.build.clone();
    if plans.iter().any(|plan| plan.outcome != Outcome::Kept) {
        for storage in caches.storages(true) {
            let cargo = Cargo {
                trees: parts.trees.iter().chain(&parts.build).copied().collect(),
                blobs: parts.blobs.clone(),
                extra: vec![message.bytes.clone()],
            };
            let sent = send::send(&storage, &store.cas(), cargo).await?;
            report.volume += sent.volume;
            if !sent.absent.is_empty() {
                check_whole(store, name, &parts, &sent.absent)?;
                complete.retain(|tree| walk::is_complete(&store.cas(), *tree).unwrap_or(false));
            }
        }
    }
    report.left_out = parts.build.iter().filter(|tree| !complete.contains(tree)).copied().collect();
    for plan in plans {
        if !plan.uris.is_empty() {
            let association = Association {
                kind: Asset::Blob,
                uris: plan.uris,
                digest: message.digest,
                blobs: parts.blobs.clone(),
                directories: parts.trees.iter().chain(&complete).copied().collect(),
            };
            plan.index.push_asset(&association).await?;
        }
        report.servers.push((plan.index.url().to_owned(), plan.outcome));
    }
    Ok(report)
}

/// The bytes of the ref: what is in it that we do not know goes along.
fn read(store: &Store, name: &ArtifactName) -> Result<Message> {
    let bytes = fs::read_if_there(&store.artifacts().path(name))?
        .ok_or_else(|| Error::not_found(format!("the store has no artifact {name}")))?;
    let damaged = || Error::damaged(format!("the ref {name} holds no artifact; bst-fsck --repair puts it aside"));
    Message::new(bytes.into()).ok_or_else(damaged)
}

/// Refuses an artifact of which more is missing than what a shell needs.
fn check_whole(store: &Store, name: &ArtifactName, parts: &Parts, absent: &[Digest]) -> Result<()> {
    let mut lost = None;
    let mut look = |digest: Digest| {
        if absent.contains(&digest) {
            lost = Some(digest);
        }
    };
    parts.blobs.iter().copied().for_each(&mut look);
    let missing = walk::trees(&store.cas(), &parts.trees, |digest| {
        look(digest);
        Ok(())
    })?;
    match lost.or_else(|| missing.first().copied()) {
        Some(digest) => Err(Error::damaged(format!(
            "the store has not all of artifact {name}: blob {digest} is missing; build or pull it again"
        ))),
        None => Ok(()),
    }
}

/// What is to be done at one index server.
struct Plan {
    index: Arc<Server>,
    /// The names that do not stand for the artifact yet.
    uris: Vec<String>,
    outcome: Outcome,
}

impl Plan {
    async fn make(
        caches: &Caches,
        index: Arc<Server>,
        message: &Message,
        name: &ArtifactName,
        replace: bool,
    ) -> Result<Plan> {
        let mut uris = Vec::new();
        let mut kept = false;
        for name in message.names(name)? {
            let uri = uri(&name);
            match index.fetch_asset(Asset::Blob, &uri).await? {
                Some(digest) if digest == message.digest => {}
                Some(digest) if !replace && !message.artifact.build_success => {
                    if is_success(caches, digest).await? {
                        kept = true;
                    } else {
                        uris.push(uri);
                    }
                }
                _ => uris.push(uri),
            }
        }
        let outcome = match (uris.is_empty(), kept) {
            (false, _) => Outcome::Pushed,
            (true, true) => Outcome::Kept,
            (true, false) => Outcome::Present,
        };
        Ok(Plan { index, uris, outcome })
    }
}

/// Whether what a name stands for is a success. What cannot be had any more is none.
async fn is_success(caches: &Caches, digest: Digest) -> Result<bool> {
    match Message::fetch(&caches.storages(false), digest).await {
        Ok(message) => Ok(message.artifact.build_success),
        Err(error) if error.code() == bst_plumbing::values::Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
