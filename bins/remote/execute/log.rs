//! What an action says: as it comes, where the server has streams of it, and else at its end.

use crate::proto::execution::{ActionResult, ExecuteOperationMetadata};
use crate::transfer::receive;
use crate::wire::Server;
use bst_plumbing::values::{Digest, Error, Result, proto};
use prost::bytes::Bytes;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long the rest of a stream may take after the end of its action.
const REST: Duration = Duration::from_secs(5);

/// The log of an action.
pub struct Log<'a> {
    file: &'a File,
    server: Arc<Server>,
    out: Stream,
    err: Stream,
}

/// One of the two outputs.
#[derive(Default)]
struct Stream {
    name: String,
    following: Option<JoinHandle<()>>,
    written: Arc<AtomicU64>,
}

impl<'a> Log<'a> {
    pub fn new(file: &'a File, server: Arc<Server>) -> Log<'a> {
        Log { file, server, out: Stream::default(), err: Stream::default() }
    }

    /// Begins to follow the streams that the server names.
    pub fn follow(&mut self, update: &ExecuteOperationMetadata) {
        let file = self.file;
        for (stream, name) in [(&mut self.out, &update.stdout_stream_name), (&mut self.err, &update.stderr_stream_name)]
        {
            let Ok(mut file) = file.try_clone() else { continue };
            if name.is_empty() || *name == stream.name {
                continue;
            }
            stream.name.clone_from(name);
            let (server, name, written) = (self.server.clone(), name.clone(), stream.written.clone());
            stream.following = Some(tokio::spawn(async move {
                let mut sink = |piece: Bytes| {
                    if file.write_all(&piece).is_ok() {
                        written.fetch_add(piece.len() as u64, Ordering::SeqCst);
                    }
                };
                server.follow(&name, &mut sink).await;
            }));
        }
    }

    /// Writes what was not written yet.
    pub async fn finish(&mut self, storages: &[Arc<Server>], result: &ActionResult) -> Result<()> {
        let outputs = [
            (&mut self.out, &result.stdout_raw, &result.stdout_digest),
            (&mut self.err, &result.stderr_raw, &result.stderr_digest),
        ];
        for (stream, raw, digest) in outputs {
            if let Some(following) = stream.following.take() {
                let _ = tokio::time::timeout(REST, following).await;
            }
            let whole = whole(storages, raw, digest).await?;
            let written = usize::try_from(stream.written.load(Ordering::SeqCst)).unwrap_or(usize::MAX);
            let rest = whole.get(written..).unwrap_or_default();
            let mut file = self.file;
            file.write_all(rest).map_err(|error| Error::io("cannot write", Path::new("the log"), error))?;
        }
        Ok(())
    }
}

async fn whole(storages: &[Arc<Server>], raw: &Bytes, digest: &Option<proto::Digest>) -> Result<Bytes> {
    let Some(digest) = digest.as_ref().filter(|digest| !digest.hash.is_empty() && raw.is_empty()) else {
        return Ok(raw.clone());
    };
    let digest = Digest::from_proto(digest)?;
    if digest == Digest::EMPTY {
        return Ok(Bytes::new());
    }
    let blobs = receive::read_all(storages, vec![digest]).await?;
    Ok(blobs.into_iter().next().map(|(_, bytes)| bytes).unwrap_or_default())
}
