//! ByteStream: one blob in a stream of messages. A stream that breaks is taken up where it broke.

use super::Server;
use super::retry::Tries;
use crate::proto::bytestream::{
    QueryWriteStatusRequest, QueryWriteStatusResponse, ReadRequest, ReadResponse, WriteRequest, WriteResponse,
};
use bst_plumbing::values::{Digest, Error, Result};
use prost::bytes::Bytes;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tonic::{Code, Status};

/// Bytes in one message of an upload.
const CHUNK: usize = 1 << 20;

/// A stream that broke after less than this did not get on.
const PROGRESS: u64 = 64 << 10;

const READ: &str = "/google.bytestream.ByteStream/Read";
const WRITE: &str = "/google.bytestream.ByteStream/Write";
const QUERY: &str = "/google.bytestream.ByteStream/QueryWriteStatus";

impl Server {
    /// Reads a blob in pieces, each once; whoever takes them verifies them. `false`: the server does not have
    /// the blob.
    pub async fn read_stream(&self, digest: Digest, pieces: &mpsc::Sender<Bytes>) -> Result<bool> {
        let zstd = self.capabilities().await?.zstd && self.compresses();
        let name = self.resource(if zstd { "compressed-blobs/zstd" } else { "blobs" }, digest);
        let mut download = Download { server: self, digest, pieces, received: 0 };
        let mut tries = Tries::new(self);
        loop {
            let before = download.received;
            match download.attempt(&name, zstd).await? {
                Ok(()) => return Ok(true),
                Err(status) if status.code() == Code::NotFound => return Ok(false),
                Err(status) => {
                    if download.received - before >= PROGRESS {
                        tries.progressed();
                    }
                    let failed = |status| self.error(format_args!("cannot read blob {digest}"), &status);
                    tries.after(status).await.map_err(failed)?;
                }
            }
        }
    }

    /// Reads a blob into memory, and verifies it.
    pub async fn read_stream_whole(&self, digest: Digest) -> Result<Option<Bytes>> {
        let (sender, mut receiver) = mpsc::channel::<Bytes>(8);
        let collecting = async {
            let mut whole = Vec::new();
            while let Some(piece) = receiver.recv().await {
                whole.extend_from_slice(&piece);
            }
            whole
        };
        let reading = async {
            let outcome = self.read_stream(digest, &sender).await;
            drop(sender);
            outcome
        };
        let (found, whole) = tokio::join!(reading, collecting);
        if !found? {
            return Ok(None);
        }
        if Digest::of(&whole) != digest { Err(self.wrong_bytes(digest)) } else { Ok(Some(whole.into())) }
    }

    /// Reads a stream that grows, as long as it can be had.
    pub async fn follow(&self, name: &str, sink: &mut (impl FnMut(Bytes) + Send)) {
        let request = ReadRequest { resource_name: name.to_owned(), read_offset: 0, read_limit: 0 };
        let Ok(mut stream) = self.download::<_, ReadResponse>(READ, request).await else { return };
        while let Ok(Some(ReadResponse { data })) = stream.message().await {
            sink(data);
        }
    }

    /// Sends a blob. The inner error is what the server says against it.
    pub async fn write_stream<R>(&self, digest: Digest, open: impl Fn() -> Result<R>) -> Result<Result<(), Status>>
    where
        R: Read + Seek + Send + 'static,
    {
        let zstd = self.capabilities().await?.zstd && self.compresses();
        let mut tries = Tries::new(self);
        let mut upload = Upload { name: self.upload_name(zstd, digest), zstd, size: digest.size() };
        let mut offset = 0;
        loop {
            let sent = Arc::new(AtomicU64::new(offset));
            let status = match self.write_from(&upload, offset, open()?, &sent).await? {
                Ok(()) => return Ok(Ok(())),
                Err(status) => status,
            };
            if let Err(status) = tries.after(status).await {
                return Ok(Err(status));
            }
            let committed = if zstd { None } else { self.committed(&upload.name).await };
            match committed {
                Some((_, true)) => return Ok(Ok(())),
                Some((size, false)) if size > 0 && size <= digest.size() => {
                    if size.saturating_sub(offset) >= PROGRESS {
                        tries.progressed();
                    }
                    offset = size;
                }
                _ => {
                    upload.name = self.upload_name(zstd, digest);
                    offset = 0;
                }
            }
        }
    }

    async fn write_from<R>(
        &self,
        upload: &Upload,
        offset: u64,
        mut file: R,
        sent: &Arc<AtomicU64>,
    ) -> Result<Result<(), Status>>
    where
        R: Read + Seek + Send + 'static,
    {
        let failed = |error| Error::io("cannot read a blob of", std::path::Path::new("the store"), error);
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let (sender, receiver) = mpsc::channel(2);
        let producer = Producer { sender, name: Some(upload.name.clone()), offset, sent: sent.clone() };
        let zstd = upload.zstd;
        let reading = tokio::task::spawn_blocking(move || producer.run(file, zstd));
        let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let call = self.upload::<WriteRequest, WriteResponse, _>(WRITE, requests);
        let answer = self.while_moving(call, sent).await;
        // The server may have enough before everything is sent; then the producer ends by itself, because
        // nobody takes what it makes.
        let read = reading.await.map_err(|error| self.network(format_args!("cannot send a blob: {error}")))?;
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => Error::damaged(error.to_string()),
            _ => failed(error),
        })?;
        Ok(answer.and_then(|answer| {
            let complete = i64::try_from(upload.size).unwrap_or(i64::MAX);
            // What is compressed is counted by the servers in one way or another; -1 is "I had it already".
            if zstd || answer.committed_size == complete || answer.committed_size == -1 {
                return Ok(());
            }
            Err(Status::unavailable(format!("{} of {} bytes were taken", answer.committed_size, upload.size)))
        }))
    }

    /// Waits for the answer of an upload as long as it moves.
    async fn while_moving<T>(
        &self,
        call: impl Future<Output = Result<T, Status>>,
        sent: &AtomicU64,
    ) -> Result<T, Status> {
        tokio::pin!(call);
        let mut before = sent.load(Ordering::Relaxed);
        loop {
            if let Ok(outcome) = tokio::time::timeout(self.policy().timeout, &mut call).await {
                return outcome;
            }
            let now = sent.load(Ordering::Relaxed);
            if now == before {
                return Err(Status::deadline_exceeded(format!("nothing moved for {:?}", self.policy().timeout)));
            }
            before = now;
        }
    }

    /// How much of an upload the server kept, and whether that is all.
    async fn committed(&self, name: &str) -> Option<(u64, bool)> {
        let request = QueryWriteStatusRequest { resource_name: name.to_owned() };
        let answer: QueryWriteStatusResponse = self.once(QUERY, request).await.ok()?;
        Some((u64::try_from(answer.committed_size).ok()?, answer.complete))
    }

    fn resource(&self, kind: &str, digest: Digest) -> String {
        let instance = self.instance();
        let lead = if instance.is_empty() { String::new() } else { format!("{instance}/") };
        format!("{lead}{kind}/{digest}")
    }

    fn upload_name(&self, zstd: bool, digest: Digest) -> String {
        let kind = if zstd { "compressed-blobs/zstd" } else { "blobs" };
        self.resource(&format!("uploads/{}/{kind}", unique()), digest)
    }
}

/// A blob that is read.
struct Download<'a> {
    server: &'a Server,
    digest: Digest,
    pieces: &'a mpsc::Sender<Bytes>,
    received: u64,
}

impl Download<'_> {
    /// One stream, from what was received on. The outer error is final, the inner one may be retried.
    async fn attempt(&mut self, name: &str, zstd: bool) -> Result<Result<(), Status>> {
        let offset = i64::try_from(self.received).unwrap_or(i64::MAX);
        let request = ReadRequest { resource_name: name.to_owned(), read_offset: offset, read_limit: 0 };
        let mut stream = match self.server.download::<_, ReadResponse>(READ, request).await {
            Ok(stream) => stream,
            Err(status) => return Ok(Err(status)),
        };
        let mut decoder = if zstd { Some(self.decoder()?) } else { None };
        loop {
            match self.server.timely(stream.message()).await {
                Ok(Some(ReadResponse { data })) => match &mut decoder {
                    Some(decoder) => {
                        decoder.write_all(&data).and_then(|()| decoder.flush()).map_err(|_| self.broken_frame())?;
                        let expanded = std::mem::take(decoder.get_mut());
                        self.pass(expanded.into()).await?;
                    }
                    None => self.pass(data).await?,
                },
                Ok(None) => break,
                Err(status) => return Ok(Err(status)),
            }
        }
        let left = self.digest.size() - self.received;
        if left > 0 {
            return Ok(Err(Status::unavailable(format!("the stream ended {left} bytes before its end"))));
        }
        Ok(Ok(()))
    }

    fn decoder(&self) -> Result<zstd::stream::write::Decoder<'static, Vec<u8>>> {
        zstd::stream::write::Decoder::new(Vec::new()).map_err(|_| self.broken_frame())
    }

    fn broken_frame(&self) -> Error {
        self.server.network(format_args!("blob {} came in a broken zstd frame", self.digest))
    }

    async fn pass(&mut self, piece: Bytes) -> Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        let length = piece.len() as u64;
        if length > self.digest.size() - self.received {
            return Err(self.server.wrong_bytes(self.digest));
        }
        self.received += length;
        let gone = |_| Error::new(bst_plumbing::values::Code::Cancelled, "nobody takes the blob");
        self.pieces.send(piece).await.map_err(gone)
    }
}

struct Upload {
    name: String,
    zstd: bool,
    size: u64,
}

/// Makes the messages of an upload, on a thread of its own.
struct Producer {
    sender: mpsc::Sender<WriteRequest>,
    /// Of the first message.
    name: Option<String>,
    offset: u64,
    sent: Arc<AtomicU64>,
}

impl Producer {
    fn run(mut self, mut file: impl Read, zstd: bool) -> std::io::Result<()> {
        if zstd {
            let mut encoder = zstd::stream::read::Encoder::new(file, 1)?;
            self.send_all(&mut encoder)
        } else {
            self.send_all(&mut file)
        }
    }

    fn send_all(&mut self, input: &mut impl Read) -> std::io::Result<()> {
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            input.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
            let length = chunk.len() as u64;
            let last = chunk.len() < CHUNK;
            let request = WriteRequest {
                resource_name: self.name.take().unwrap_or_default(),
                write_offset: i64::try_from(self.offset).unwrap_or(i64::MAX),
                finish_write: last,
                data: Bytes::from(chunk),
            };
            if self.sender.blocking_send(request).is_err() || last {
                return Ok(());
            }
            self.offset += length;
            self.sent.fetch_add(length, Ordering::Relaxed);
        }
    }
}

/// A name for an upload that no other has, in the form of a UUID.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let seed = format!("{} {now} {count}", std::process::id());
    let hex = Digest::of(seed.as_bytes()).hex();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
