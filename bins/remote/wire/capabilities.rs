//! What a server can do, asked once.

use super::Server;
use crate::proto::cache::Compressor;
use crate::proto::capabilities::{GetCapabilitiesRequest, ServerCapabilities};
use bst_plumbing::values::Result;

/// How much one message carries, if the server allows more: enough to make the calls cheap, little enough
/// that several are in memory at once.
const BATCH: u64 = 2 << 20;

/// `DigestFunction.Value.SHA256`
const SHA256: i32 = 1;

/// The limits and offers of a server.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// Bytes of blobs in one message.
    pub batch: u64,
    /// Whether ByteStream carries blobs compressed by zstd.
    pub zstd: bool,
    /// Whether batches do.
    pub zstd_batches: bool,
    /// Whether it executes actions.
    pub executes: bool,
}

impl Server {
    /// What the server can do.
    pub async fn capabilities(&self) -> Result<Capabilities> {
        self.capabilities.get_or_try_init(|| self.ask_capabilities()).await.copied()
    }

    async fn ask_capabilities(&self) -> Result<Capabilities> {
        let request = GetCapabilitiesRequest { instance_name: self.instance() };
        let path = "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities";
        let answer: Result<ServerCapabilities, _> = self.unary(path, &request).await;
        let answer = match answer {
            Ok(answer) => answer,
            // An index need not be a cache.
            Err(status) if status.code() == tonic::Code::Unimplemented => ServerCapabilities::default(),
            Err(status) => return Err(self.error("cannot ask what it can do", &status)),
        };
        let cache = answer.cache_capabilities.unwrap_or_default();
        if !cache.digest_functions.is_empty() && !cache.digest_functions.contains(&SHA256) {
            return Err(self.network("the server does not know SHA-256, which BuildStream's digests are"));
        }
        let limit = u64::try_from(cache.max_batch_total_size_bytes).unwrap_or(0);
        let zstd = Compressor::Zstd as i32;
        Ok(Capabilities {
            batch: if limit == 0 { BATCH } else { limit.min(BATCH) },
            zstd: cache.supported_compressors.contains(&zstd),
            zstd_batches: cache.supported_batch_update_compressors.contains(&zstd),
            executes: answer.execution_capabilities.is_some_and(|execution| execution.exec_enabled),
        })
    }
}
