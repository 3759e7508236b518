//! From the store to a server.

use super::{AT_ONCE, Volume, walk};
use crate::wire::Server;
use crate::wire::cas::{DIGESTS, OVERHEAD};
use bst_plumbing::store::cas::Cas;
use bst_plumbing::values::digest::Hasher;
use bst_plumbing::values::{Code, Digest, Error, Result};
use prost::bytes::Bytes;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// What is to be on the server.
#[derive(Clone, Debug, Default)]
pub struct Cargo {
    /// Directories with all that is below them.
    pub trees: Vec<Digest>,
    /// Single blobs of the store.
    pub blobs: Vec<Digest>,
    /// Blobs that are not in the store.
    pub extra: Vec<Bytes>,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub volume: Volume,
    /// What neither the server has nor the store.
    pub absent: Vec<Digest>,
}

/// Sends what the server does not have. What the store does not have either is no error here.
pub async fn send(server: &Arc<Server>, cas: &Cas, cargo: Cargo) -> Result<Sent> {
    let extra: HashMap<Digest, Bytes> = cargo.extra.iter().map(|bytes| (Digest::of(bytes), bytes.clone())).collect();
    let (sender, mut chunks) = mpsc::channel(2);
    let walking = tokio::task::spawn_blocking({
        let (cas, singles) = (cas.clone(), extra.keys().copied().collect::<Vec<_>>());
        move || list(&cas, &cargo, singles, &sender)
    });
    let limit = server.capabilities().await?.batch;
    let mut shipping = Shipping {
        server: server.clone(),
        cas: cas.clone(),
        extra: Arc::new(extra),
        places: Arc::new(Semaphore::new(AT_ONCE)),
        tasks: JoinSet::new(),
        sent: Sent::default(),
    };
    while let Some(chunk) = chunks.recv().await {
        let missing = server.find_missing(&chunk).await?;
        shipping.ship(missing, limit).await?;
    }
    shipping.finish().await?;
    let absent = walking.await.map_err(|error| server.network(error))??;
    // The server may have what the store lacks of the directories; what is below them nobody knows.
    shipping.sent.absent.extend(absent);
    Ok(shipping.sent)
}

/// Lists all digests in chunks of one question each. Returns the directories that the store does not have.
fn list(cas: &Cas, cargo: &Cargo, singles: Vec<Digest>, sender: &mpsc::Sender<Vec<Digest>>) -> Result<Vec<Digest>> {
    let mut chunk: Vec<Digest> = singles;
    chunk.extend(cargo.blobs.iter().filter(|digest| **digest != Digest::EMPTY));
    let absent = walk::trees(cas, &cargo.trees, |digest| {
        if digest != Digest::EMPTY {
            chunk.push(digest);
        }
        if chunk.len() >= DIGESTS && sender.blocking_send(std::mem::take(&mut chunk)).is_err() {
            return Err(Error::new(Code::Cancelled, "nobody asks for more"));
        }
        Ok(())
    })?;
    chunk.sort_unstable();
    chunk.dedup();
    if !chunk.is_empty() {
        // If this fails, the other side has an error to tell.
        let _ = sender.blocking_send(chunk);
    }
    Ok(absent)
}

struct Shipping {
    server: Arc<Server>,
    cas: Cas,
    extra: Arc<HashMap<Digest, Bytes>>,
    places: Arc<Semaphore>,
    tasks: JoinSet<Result<Sent>>,
    sent: Sent,
}

impl Shipping {
    async fn ship(&mut self, mut missing: Vec<Digest>, limit: u64) -> Result<()> {
        missing.sort_unstable_by_key(Digest::size);
        let mut batch = Vec::new();
        let mut weight = 0;
        for digest in missing {
            let cost = digest.size().saturating_add(OVERHEAD);
            if cost > limit {
                self.start(Load::Large(digest)).await?;
                continue;
            }
            if weight + cost > limit {
                self.start(Load::Batch(std::mem::take(&mut batch))).await?;
                weight = 0;
            }
            weight += cost;
            batch.push(digest);
        }
        if batch.is_empty() { Ok(()) } else { self.start(Load::Batch(batch)).await }
    }

    async fn start(&mut self, load: Load) -> Result<()> {
        let permit = self.places.clone().acquire_owned().await.map_err(|error| self.server.network(error))?;
        while let Some(done) = self.tasks.try_join_next() {
            self.note(done)?;
        }
        let (server, cas, extra) = (self.server.clone(), self.cas.clone(), self.extra.clone());
        self.tasks.spawn(async move {
            let _permit = permit;
            match load {
                Load::Batch(digests) => send_batch(&server, &cas, &extra, digests).await,
                Load::Large(digest) => send_large(&server, &cas, &extra, digest).await,
            }
        });
        Ok(())
    }

    fn note(&mut self, done: Result<Result<Sent>, tokio::task::JoinError>) -> Result<()> {
        let sent = done.map_err(|error| self.server.network(error))??;
        self.sent.volume += sent.volume;
        self.sent.absent.extend(sent.absent);
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        while let Some(done) = self.tasks.join_next().await {
            self.note(done)?;
        }
        Ok(())
    }
}

enum Load {
    Batch(Vec<Digest>),
    Large(Digest),
}

async fn send_batch(
    server: &Arc<Server>,
    cas: &Cas,
    extra: &Arc<HashMap<Digest, Bytes>>,
    digests: Vec<Digest>,
) -> Result<Sent> {
    let mut sent = Sent::default();
    let reading = tokio::task::spawn_blocking({
        let (cas, extra) = (cas.clone(), extra.clone());
        move || read_all(&cas, &extra, &digests)
    });
    let (blobs, absent) = reading.await.map_err(|error| server.network(error))??;
    sent.absent = absent;
    if blobs.is_empty() {
        return Ok(sent);
    }
    let refused = server.update_batch(&blobs).await?;
    for (digest, _) in &blobs {
        sent.volume.count(digest.size());
    }
    match refused.first() {
        Some((digest, status)) => Err(server.error(format_args!("cannot store blob {digest}"), status)),
        None => Ok(sent),
    }
}

type Blobs = (Vec<(Digest, Bytes)>, Vec<Digest>);

fn read_all(cas: &Cas, extra: &HashMap<Digest, Bytes>, digests: &[Digest]) -> Result<Blobs> {
    let mut blobs = Vec::with_capacity(digests.len());
    let mut absent = Vec::new();
    for digest in digests {
        if let Some(bytes) = extra.get(digest) {
            blobs.push((*digest, bytes.clone()));
            continue;
        }
        match cas.read(digest) {
            Ok(bytes) => blobs.push((*digest, Bytes::from(bytes))),
            Err(error) if error.code() == Code::NotFound => absent.push(*digest),
            Err(error) => return Err(error),
        }
    }
    Ok((blobs, absent))
}

async fn send_large(
    server: &Arc<Server>,
    cas: &Cas,
    extra: &Arc<HashMap<Digest, Bytes>>,
    digest: Digest,
) -> Result<Sent> {
    let mut sent = Sent::default();
    let in_memory = extra.get(&digest).cloned();
    if in_memory.is_none() && !cas.has(&digest) {
        sent.absent.push(digest);
        return Ok(sent);
    }
    let open = || -> Result<Blob> {
        match &in_memory {
            Some(bytes) => Ok(Blob::Memory(std::io::Cursor::new(bytes.clone()))),
            None => Ok(Blob::Stored(Verified::new(cas.open(&digest)?, digest))),
        }
    };
    match server.write_stream(digest, open).await? {
        Ok(()) => {
            sent.volume.count(digest.size());
            Ok(sent)
        }
        Err(status) => Err(server.error(format_args!("cannot store blob {digest}"), &status)),
    }
}

enum Blob {
    Memory(std::io::Cursor<Bytes>),
    Stored(Verified),
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Blob::Memory(bytes) => bytes.read(buffer),
            Blob::Stored(file) => file.read(buffer),
        }
    }
}

impl Seek for Blob {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Blob::Memory(bytes) => bytes.seek(to),
            Blob::Stored(file) => file.seek(to),
        }
    }
}

/// A blob of the store that fails at its end if it does not hold the bytes of its digest, so that the last
/// piece of a damaged one is never sent.
struct Verified {
    file: File,
    digest: Digest,
    /// `None` if it is not read from its start.
    hasher: Option<Hasher>,
    left: u64,
}

impl Verified {
    fn new(file: File, digest: Digest) -> Verified {
        Verified { file, digest, hasher: Some(Hasher::default()), left: digest.size() }
    }
}

impl Read for Verified {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.file.read(buffer)?;
        let damaged = || {
            let words = format!("blob {} of the store is damaged; bst-fsck --repair puts it aside", self.digest);
            std::io::Error::new(std::io::ErrorKind::InvalidData, words)
        };
        let Some(left) = self.left.checked_sub(length as u64) else { return Err(damaged()) };
        if length == 0 && left > 0 {
            return Err(damaged());
        }
        self.left = left;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..length]);
            if left == 0 && self.hasher.take().is_some_and(|hasher| hasher.finish() != self.digest) {
                return Err(damaged());
            }
        }
        Ok(length)
    }
}

impl Seek for Verified {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = self.file.seek(to)?;
        self.hasher = (position == 0).then(Hasher::default);
        self.left = self.digest.size().saturating_sub(position);
        Ok(position)
    }
}
