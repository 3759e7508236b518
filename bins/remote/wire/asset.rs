//! Remote Asset: what a name stands for.

use super::Server;
use crate::proto::asset::{FetchRequest, FetchResponse, PushRequest, PushResponse};
use bst_plumbing::values::{Digest, Result};
use tonic::Code;

/// Whether a name stands for a blob or for a directory; servers keep the two apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asset {
    Blob,
    Directory,
}

/// What a name shall stand for.
#[derive(Clone, Debug)]
pub struct Association {
    pub kind: Asset,
    pub uris: Vec<String>,
    pub digest: Digest,
    /// What must not expire before the name.
    pub blobs: Vec<Digest>,
    pub directories: Vec<Digest>,
}

impl Server {
    /// What a name stands for; `None` if the server does not know it.
    pub async fn fetch_asset(&self, kind: Asset, uri: &str) -> Result<Option<Digest>> {
        let path = match kind {
            Asset::Blob => "/build.bazel.remote.asset.v1.Fetch/FetchBlob",
            Asset::Directory => "/build.bazel.remote.asset.v1.Fetch/FetchDirectory",
        };
        let request = FetchRequest { instance_name: self.instance(), uris: vec![uri.to_owned()] };
        let answer: FetchResponse = match self.unary(path, &request).await {
            Ok(answer) => answer,
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(self.error(format_args!("cannot look up {uri}"), &status)),
        };
        let status = answer.status.unwrap_or_default();
        match Code::from_i32(status.code) {
            Code::Ok => {}
            Code::NotFound => return Ok(None),
            code => {
                let status = tonic::Status::new(code, status.message);
                return Err(self.error(format_args!("cannot look up {uri}"), &status));
            }
        }
        let digest = answer.digest.unwrap_or_default();
        match Digest::from_proto(&digest) {
            Ok(digest) => Ok(Some(digest)),
            Err(error) => Err(self.network(format_args!("the answer for {uri} is no use: {}", error.message()))),
        }
    }

    /// Makes names stand for a digest, whatever they stood for before.
    pub async fn push_asset(&self, association: &Association) -> Result<()> {
        let path = match association.kind {
            Asset::Blob => "/build.bazel.remote.asset.v1.Push/PushBlob",
            Asset::Directory => "/build.bazel.remote.asset.v1.Push/PushDirectory",
        };
        let messages = |digests: &[Digest]| digests.iter().map(|digest| digest.to_proto()).collect();
        let request = PushRequest {
            instance_name: self.instance(),
            uris: association.uris.clone(),
            digest: Some(association.digest.to_proto()),
            references_blobs: messages(&association.blobs),
            references_directories: messages(&association.directories),
        };
        let answer: Result<PushResponse, _> = self.unary(path, &request).await;
        let what = association.uris.first().map_or("", String::as_str);
        answer.map(|_| ()).map_err(|status| self.error(format_args!("cannot store {what}"), &status))
    }
}
