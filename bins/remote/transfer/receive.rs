//! From servers to the store. Several servers may each have a part.

use super::spool::Spool;
use super::{AT_ONCE, Volume, walk::Seen};
use crate::wire::Server;
use crate::wire::cas::OVERHEAD;
use bst_plumbing::store::Store;
use bst_plumbing::store::batch::Batch;
use bst_plumbing::values::{Code, Digest, Error, Result, directory};
use prost::bytes::Bytes;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// How many blobs one message asks for, however small they are.
const MANY: usize = 2_000;

/// A directory or a message is not larger than this: they are held in memory.
const LARGEST_MESSAGE: u64 = 256 << 20;

/// How long what is on its way may take to arrive after something else failed.
const GRACE: Duration = Duration::from_secs(3);

/// What is to be in the store.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Directories with all that is below them.
    pub trees: Vec<Digest>,
    /// Single blobs.
    pub blobs: Vec<Digest>,
}

/// Brings into the store what it does not have. When this comes back without an error, all of it is there
/// and lasts; with one, what came and was verified stays for the next time.
pub async fn receive(servers: &[Arc<Server>], store: &Store, order: &Order) -> Result<Volume> {
    let batch = Arc::new(store.cas().batch()?);
    let spool = Spool::new(&store.scratch("incoming")?)?;
    let mut receiver = Receiver {
        servers: servers.into(),
        batch: batch.clone(),
        places: Arc::new(Semaphore::new(AT_ONCE)),
        tasks: JoinSet::new(),
        waiting: Vec::new(),
        weight: 0,
        limit: limit(servers).await?,
        files: Seen::default(),
        volume: Volume::default(),
    };
    let outcome = receiver.all(order, spool).await;
    receiver.settle().await;
    let volume = receiver.volume;
    drop(receiver);
    let finished = finish(batch).await;
    outcome.and(finished).map(|()| volume)
}

/// Publishes a batch on a thread where waiting for the disk holds up nobody.
async fn finish(batch: Arc<Batch>) -> Result<()> {
    let publishing = tokio::task::spawn_blocking(move || {
        let mut batch = batch;
        // A thread may still be writing the last blob of a transfer that was given up.
        for _ in 0..GRACE.as_millis() / 10 {
            match Arc::try_unwrap(batch) {
                Ok(batch) => return batch.finish(),
                Err(shared) => batch = shared,
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(Error::new(Code::Cancelled, "blobs were still arriving"))
    });
    publishing.await.map_err(|error| Error::new(Code::Cancelled, error.to_string()))?
}

/// What one message carries, for the least of the servers.
async fn limit(servers: &[Arc<Server>]) -> Result<u64> {
    let mut least = None;
    let mut failure = Error::new(Code::Network, "no server for blobs is configured");
    for server in servers {
        match server.capabilities().await {
            Ok(capabilities) => {
                least = Some(least.map_or(capabilities.batch, |least: u64| least.min(capabilities.batch)))
            }
            Err(error) => failure = error,
        }
    }
    least.ok_or(failure)
}

struct Receiver {
    servers: Arc<[Arc<Server>]>,
    batch: Arc<Batch>,
    places: Arc<Semaphore>,
    tasks: JoinSet<Result<Volume>>,
    /// Small blobs that wait until they fill a message.
    waiting: Vec<Digest>,
    weight: u64,
    limit: u64,
    files: Seen,
    volume: Volume,
}

impl Receiver {
    /// After a failure: gives what is on its way a moment to arrive, because it need not be fetched again.
    async fn settle(&mut self) {
        let arriving = async {
            while let Some(done) = self.tasks.join_next().await {
                if let Ok(Ok(volume)) = done {
                    self.volume += volume;
                }
            }
        };
        let _ = tokio::time::timeout(GRACE, arriving).await;
        self.tasks.shutdown().await;
    }

    async fn all(&mut self, order: &Order, mut spool: Spool) -> Result<()> {
        for digest in &order.blobs {
            self.want(*digest).await?;
        }
        self.directories(&order.trees, &mut spool).await?;
        self.flush().await?;
        while let Some(done) = self.tasks.join_next().await {
            self.note(done)?;
        }
        let (batch, roots) = (self.batch.clone(), order.trees.clone());
        let publishing = tokio::task::spawn_blocking(move || publish(&batch, &spool, &roots));
        publishing.await.map_err(|error| Error::new(Code::Cancelled, error.to_string()))?
    }

    /// Level by level, because a directory's message says what comes below it.
    async fn directories(&mut self, roots: &[Digest], spool: &mut Spool) -> Result<()> {
        let mut seen = Seen::default();
        let mut level: Vec<Digest> = roots.iter().copied().filter(|root| seen.first(root)).collect();
        while !level.is_empty() {
            let mut next = Vec::new();
            let mut missing = Vec::new();
            for digest in level {
                match self.stored(digest)? {
                    Some(bytes) => self.enter(&bytes, &mut seen, &mut next).await?,
                    None => missing.push(digest),
                }
            }
            let mut reading = JoinSet::new();
            for group in groups(missing, self.limit) {
                let (servers, places) = (self.servers.clone(), self.places.clone());
                reading.spawn(async move {
                    let _place = places.acquire_owned().await;
                    read_all(&servers, group).await
                });
            }
            while let Some(done) = reading.join_next().await {
                let blobs = done.map_err(|error| Error::new(Code::Cancelled, error.to_string()))??;
                for (digest, bytes) in blobs {
                    self.enter(&bytes, &mut seen, &mut next).await.map_err(|error| self.not_a_tree(digest, error))?;
                    spool.put(digest, &bytes)?;
                    self.volume.count(digest.size());
                }
            }
            level = next;
        }
        Ok(())
    }

    fn stored(&self, digest: Digest) -> Result<Option<Vec<u8>>> {
        if digest.size() > LARGEST_MESSAGE {
            return Err(Error::damaged(format!("the directory {digest} is too large to be one")));
        }
        if !self.batch.has(&digest) {
            return Ok(None);
        }
        self.batch.cas().read(&digest).map(Some)
    }

    /// A server's tree is not what we look into: the fault is over there.
    fn not_a_tree(&self, digest: Digest, error: Error) -> Error {
        if error.code() != Code::Damaged {
            return error;
        }
        let urls: Vec<&str> = self.servers.iter().map(|server| server.url()).collect();
        Error::new(Code::Network, format!("{}: the directory {digest} is refused: {error}", urls.join(", ")))
    }

    async fn enter(&mut self, bytes: &[u8], seen: &mut Seen, next: &mut Vec<Digest>) -> Result<()> {
        let directory = directory::decode(bytes)?;
        for node in &directory.directories {
            let digest = directory::node_digest(&node.digest, &node.name)?;
            if seen.first(&digest) {
                next.push(digest);
            }
        }
        for node in &directory.files {
            self.want(directory::node_digest(&node.digest, &node.name)?).await?;
        }
        Ok(())
    }

    async fn want(&mut self, digest: Digest) -> Result<()> {
        if !self.files.perhaps_first(&digest) || self.batch.has(&digest) {
            return Ok(());
        }
        let cost = digest.size().saturating_add(OVERHEAD);
        if cost > self.limit {
            return self.start(vec![digest], true).await;
        }
        if self.weight + cost > self.limit || self.waiting.len() >= MANY {
            self.flush().await?;
        }
        self.weight += cost;
        self.waiting.push(digest);
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.weight = 0;
        let group = std::mem::take(&mut self.waiting);
        if group.is_empty() { Ok(()) } else { self.start(group, false).await }
    }

    async fn start(&mut self, digests: Vec<Digest>, large: bool) -> Result<()> {
        let place = self.places.clone().acquire_owned().await;
        while let Some(done) = self.tasks.try_join_next() {
            self.note(done)?;
        }
        let (servers, batch) = (self.servers.clone(), self.batch.clone());
        self.tasks.spawn(async move {
            let _place = place;
            if large {
                store_large(&servers, batch, digests).await
            } else {
                store_small(&servers, batch, digests).await
            }
        });
        Ok(())
    }

    fn note(&mut self, done: Result<Result<Volume>, tokio::task::JoinError>) -> Result<()> {
        self.volume += done.map_err(|error| Error::new(Code::Cancelled, error.to_string()))??;
        Ok(())
    }
}

/// Puts the directories of trees into the batch, children before parents.
fn publish(batch: &Batch, spool: &Spool, roots: &[Digest]) -> Result<()> {
    let mut seen = Seen::default();
    let mut waiting: Vec<(Digest, Option<Vec<u8>>)> = roots.iter().rev().map(|root| (*root, None)).collect();
    while let Some((digest, entered)) = waiting.pop() {
        if let Some(bytes) = entered {
            batch.put(&bytes)?;
            continue;
        }
        if !seen.first(&digest) {
            continue;
        }
        // What the store had before is complete: its children were wanted too.
        let Some(bytes) = spool.get(&digest)? else { continue };
        let directory = directory::decode(&bytes)?;
        waiting.push((digest, Some(bytes)));
        for node in &directory.directories {
            waiting.push((directory::node_digest(&node.digest, &node.name)?, None));
        }
    }
    Ok(())
}

fn groups(digests: Vec<Digest>, limit: u64) -> Vec<Vec<Digest>> {
    let mut groups: Vec<Vec<Digest>> = Vec::new();
    let mut weight = u64::MAX;
    for digest in digests {
        let cost = digest.size().saturating_add(OVERHEAD);
        match groups.last_mut() {
            Some(group) if weight.saturating_add(cost) <= limit && group.len() < MANY => {
                group.push(digest);
                weight += cost;
            }
            _ => {
                groups.push(vec![digest]);
                weight = cost;
            }
        }
    }
    groups
}

/// Reads blobs into memory, verified, from whichever server has them.
pub async fn read_all(servers: &[Arc<Server>], digests: Vec<Digest>) -> Result<Vec<(Digest, Bytes)>> {
    let mut found = Vec::with_capacity(digests.len());
    let mut left = digests;
    let mut failure = None;
    for server in servers {
        match read_from(server, &left).await {
            Ok(blobs) => found.extend(blobs),
            Err(error) => failure = Some(error),
        }
        left.retain(|digest| !found.iter().any(|(had, _)| had == digest));
        if left.is_empty() {
            return Ok(found);
        }
    }
    Err(failure.unwrap_or_else(|| nowhere(servers, &left)))
}

async fn read_from(server: &Server, digests: &[Digest]) -> Result<Vec<(Digest, Bytes)>> {
    let limit = server.capabilities().await?.batch;
    match digests {
        [one] if one.size().saturating_add(OVERHEAD) > limit => {
            if one.size() > LARGEST_MESSAGE {
                return Err(server.network(format_args!("{one} is too large to be a directory or a message")));
            }
            Ok(server.read_stream_whole(*one).await?.map(|bytes| (*one, bytes)).into_iter().collect())
        }
        _ => server.read_batch(digests).await,
    }
}

fn nowhere(servers: &[Arc<Server>], digests: &[Digest]) -> Error {
    let urls: Vec<&str> = servers.iter().map(|server| server.url()).collect();
    let first = digests.first().map_or_else(String::new, ToString::to_string);
    let more = if digests.len() > 1 { format!(" and {} more", digests.len() - 1) } else { String::new() };
    Error::not_found(format!("{}: the server does not have blob {first}{more} any more", urls.join(", ")))
}

async fn store_small(servers: &[Arc<Server>], batch: Arc<Batch>, digests: Vec<Digest>) -> Result<Volume> {
    let blobs = read_all(servers, digests).await?;
    let storing = tokio::task::spawn_blocking(move || {
        let mut volume = Volume::default();
        for (_, bytes) in &blobs {
            batch.put(bytes)?;
            volume.count(bytes.len() as u64);
        }
        Ok(volume)
    });
    storing.await.map_err(|error| Error::new(Code::Cancelled, error.to_string()))?
}

async fn store_large(servers: &[Arc<Server>], batch: Arc<Batch>, digests: Vec<Digest>) -> Result<Volume> {
    let mut volume = Volume::default();
    for digest in digests {
        let mut failure = None;
        let mut stored = false;
        for server in servers {
            match stream_into(server, batch.clone(), digest).await {
                Ok(true) => {
                    stored = true;
                    break;
                }
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
        }
        if !stored {
            return Err(failure.unwrap_or_else(|| nowhere(servers, &[digest])));
        }
        volume.count(digest.size());
    }
    Ok(volume)
}

/// Streams one blob into the store; hashing and writing happen on another thread than receiving.
async fn stream_into(server: &Server, batch: Arc<Batch>, digest: Digest) -> Result<bool> {
    let (sender, receiver) = mpsc::channel(8);
    let pieces = Pieces { receiver, piece: Bytes::new() };
    let storing = tokio::task::spawn_blocking(move || batch.put_known(&digest, pieces));
    let received = server.read_stream(digest, &sender).await;
    // What came before a failure has another hash than the whole: nothing of it is stored.
    drop(sender);
    let stored = storing.await.map_err(|error| Error::new(Code::Cancelled, error.to_string()))?;
    match (received, stored) {
        (_, Err(error)) if error.code() != Code::Damaged => Err(error),
        (Ok(true), Err(_)) => Err(server.wrong_bytes(digest)),
        (received, _) => received,
    }
}

/// The pieces of a blob as a reader, on a thread that may wait.
struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}
