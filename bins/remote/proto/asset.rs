//! `build.bazel.remote.asset.v1`: which blob or directory a URI stands for. BuildStream uses neither
//! qualifiers nor expiry, and a server takes an asset with a qualifier for another asset.

use super::{Digest, rpc::Status};
use prost::Message;

/// `FetchBlobRequest` and `FetchDirectoryRequest`, which are alike.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FetchRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(string, repeated, tag = "4")]
    pub uris: Vec<String>,
}

/// `FetchBlobResponse` and `FetchDirectoryResponse`, which are alike.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FetchResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(string, tag = "2")]
    pub uri: String,
    /// `blob_digest` or `root_directory_digest`.
    #[prost(message, optional, tag = "5")]
    pub digest: Option<Digest>,
}

/// `PushBlobRequest` and `PushDirectoryRequest`, which are alike.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PushRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(string, repeated, tag = "2")]
    pub uris: Vec<String>,
    /// `blob_digest` or `root_directory_digest`.
    #[prost(message, optional, tag = "5")]
    pub digest: Option<Digest>,
    #[prost(message, repeated, tag = "6")]
    pub references_blobs: Vec<Digest>,
    #[prost(message, repeated, tag = "7")]
    pub references_directories: Vec<Digest>,
}

/// `PushBlobResponse` and `PushDirectoryResponse`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct PushResponse {}
