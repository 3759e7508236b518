//! Content-addressable storage: many small blobs in one message.

use super::Server;
use crate::proto::cache::{
    BatchReadBlobsRequest, BatchReadBlobsResponse, BatchUpdateBlobsRequest, BatchUpdateBlobsResponse, Compressor,
    FindMissingBlobsRequest, FindMissingBlobsResponse, ReadBlob, UpdateBlob,
};
use bst_plumbing::values::{Digest, Result};
use prost::bytes::Bytes;
use std::collections::HashMap;
use tonic::{Code, Status};

/// How many digests one FindMissingBlobs asks about: less than a MiB, which every server accepts.
pub const DIGESTS: usize = 12_000;

/// What a blob costs in a message beside its bytes.
pub const OVERHEAD: u64 = 128;

const SERVICE_FIND: &str = "/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs";
const SERVICE_UPDATE: &str = "/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchUpdateBlobs";
const SERVICE_READ: &str = "/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchReadBlobs";

impl Server {
    /// Which of up to [`DIGESTS`] blobs the server does not have.
    pub async fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>> {
        let blob_digests = digests.iter().map(|digest| digest.to_proto()).collect();
        let request = FindMissingBlobsRequest { instance_name: self.instance(), blob_digests };
        let answer: FindMissingBlobsResponse = self
            .unary(SERVICE_FIND, &request)
            .await
            .map_err(|status| self.error("cannot ask which blobs are missing", &status))?;
        let asked: std::collections::HashSet<&Digest> = digests.iter().collect();
        let mut missing = Vec::with_capacity(answer.missing_blob_digests.len());
        for message in &answer.missing_blob_digests {
            match Digest::from_proto(message) {
                Ok(digest) if asked.contains(&digest) => missing.push(digest),
                _ => {
                    return Err(
                        self.network("asked which blobs are missing, the server named one it was not asked for")
                    );
                }
            }
        }
        // Servers may say a thing twice.
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }

    /// Stores small blobs. The answer names those that the server did not take, with its reason.
    pub async fn update_batch(&self, blobs: &[(Digest, Bytes)]) -> Result<Vec<(Digest, Status)>> {
        let compress = self.capabilities().await?.zstd_batches && self.compresses();
        let mut requests = Vec::with_capacity(blobs.len());
        for (digest, bytes) in blobs {
            let squeezed = if compress { squeeze(bytes) } else { None };
            let compressor = if squeezed.is_some() { Compressor::Zstd } else { Compressor::Identity };
            requests.push(UpdateBlob {
                digest: Some(digest.to_proto()),
                data: squeezed.unwrap_or_else(|| bytes.clone()),
                compressor: compressor as i32,
            });
        }
        let request = BatchUpdateBlobsRequest { instance_name: self.instance(), requests };
        let answer: BatchUpdateBlobsResponse =
            self.unary(SERVICE_UPDATE, &request).await.map_err(|status| self.error("cannot store blobs", &status))?;
        let mut outcomes = HashMap::with_capacity(blobs.len());
        for response in answer.responses {
            let status = response.status.unwrap_or_default();
            if let Some(digest) = response.digest.as_ref().and_then(|digest| Digest::from_proto(digest).ok()) {
                outcomes.insert(digest, Status::new(Code::from_i32(status.code), status.message));
            }
        }
        let unanswered = || Status::unknown("the answer does not speak of it");
        let refused = blobs.iter().filter_map(|(digest, _)| {
            let status = outcomes.remove(digest).unwrap_or_else(unanswered);
            (status.code() != Code::Ok).then_some((*digest, status))
        });
        Ok(refused.collect())
    }

    /// Reads small blobs and verifies each. The server does not have those that are not in the answer.
    pub async fn read_batch(&self, digests: &[Digest]) -> Result<Vec<(Digest, Bytes)>> {
        let compressors = if self.capabilities().await?.zstd && self.compresses() {
            vec![Compressor::Zstd as i32]
        } else {
            Vec::new()
        };
        let request = BatchReadBlobsRequest {
            instance_name: self.instance(),
            digests: digests.iter().map(|digest| digest.to_proto()).collect(),
            acceptable_compressors: compressors,
        };
        let answer: BatchReadBlobsResponse = match self.unary(SERVICE_READ, &request).await {
            Ok(answer) => answer,
            Err(status) if status.code() == Code::NotFound => return Ok(Vec::new()),
            Err(status) => return Err(self.error("cannot read blobs", &status)),
        };
        let mut wanted: std::collections::HashSet<Digest> = digests.iter().copied().collect();
        let mut blobs = Vec::with_capacity(digests.len());
        for response in answer.responses {
            let digest = response.digest.as_ref().and_then(|digest| Digest::from_proto(digest).ok());
            // What was not asked for, or comes twice, is of no interest.
            let Some(digest) = digest.filter(|digest| wanted.remove(digest)) else { continue };
            if let Some(bytes) = self.accept(digest, response)? {
                blobs.push((digest, bytes));
            }
        }
        Ok(blobs)
    }

    fn accept(&self, digest: Digest, response: ReadBlob) -> Result<Option<Bytes>> {
        let status = response.status.unwrap_or_default();
        match Code::from_i32(status.code) {
            Code::Ok => {}
            Code::NotFound => return Ok(None),
            code => {
                let status = Status::new(code, status.message);
                return Err(self.error(format_args!("cannot read blob {digest}"), &status));
            }
        }
        let bytes = match Compressor::try_from(response.compressor) {
            Ok(Compressor::Identity) => response.data,
            Ok(Compressor::Zstd) => expand(&response.data, digest.size())
                .ok_or_else(|| self.network(format_args!("blob {digest} came in a broken zstd frame")))?,
            Err(_) => return Err(self.network(format_args!("blob {digest} came under a compression we did not offer"))),
        };
        if Digest::of(&bytes) != digest {
            return Err(self.wrong_bytes(digest));
        }
        Ok(Some(bytes))
    }

    /// The server sent something else than what the digest names.
    pub fn wrong_bytes(&self, digest: Digest) -> bst_plumbing::values::Error {
        self.network(format_args!("the server sent other bytes than those of digest {digest}; its store is damaged"))
    }
}

/// The bytes compressed, if that makes them less.
fn squeeze(bytes: &Bytes) -> Option<Bytes> {
    let squeezed = zstd::bulk::compress(bytes, 1).ok()?;
    (squeezed.len() < bytes.len()).then(|| squeezed.into())
}

fn expand(bytes: &[u8], size: u64) -> Option<Bytes> {
    let size = usize::try_from(size).ok()?;
    zstd::bulk::decompress(bytes, size).ok().map(Bytes::from)
}
