//! `build.bazel.remote.execution.v2.ContentAddressableStorage`.

use super::{Digest, rpc::Status};
use prost::Message;
use prost::bytes::Bytes;

/// `build.bazel.remote.execution.v2.Compressor.Value`
#[derive(Clone, Copy, PartialEq, Eq, Debug, prost::Enumeration)]
#[repr(i32)]
pub enum Compressor {
    Identity = 0,
    Zstd = 1,
}

/// `FindMissingBlobsRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FindMissingBlobsRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(message, repeated, tag = "2")]
    pub blob_digests: Vec<Digest>,
}

/// `FindMissingBlobsResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FindMissingBlobsResponse {
    #[prost(message, repeated, tag = "2")]
    pub missing_blob_digests: Vec<Digest>,
}

/// `BatchUpdateBlobsRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BatchUpdateBlobsRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(message, repeated, tag = "2")]
    pub requests: Vec<UpdateBlob>,
}

/// `BatchUpdateBlobsRequest.Request`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UpdateBlob {
    #[prost(message, optional, tag = "1")]
    pub digest: Option<Digest>,
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
    #[prost(enumeration = "Compressor", tag = "3")]
    pub compressor: i32,
}

/// `BatchUpdateBlobsResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BatchUpdateBlobsResponse {
    #[prost(message, repeated, tag = "1")]
    pub responses: Vec<UpdatedBlob>,
}

/// `BatchUpdateBlobsResponse.Response`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UpdatedBlob {
    #[prost(message, optional, tag = "1")]
    pub digest: Option<Digest>,
    #[prost(message, optional, tag = "2")]
    pub status: Option<Status>,
}

/// `BatchReadBlobsRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BatchReadBlobsRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(message, repeated, tag = "2")]
    pub digests: Vec<Digest>,
    #[prost(enumeration = "Compressor", repeated, tag = "3")]
    pub acceptable_compressors: Vec<i32>,
}

/// `BatchReadBlobsResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BatchReadBlobsResponse {
    #[prost(message, repeated, tag = "1")]
    pub responses: Vec<ReadBlob>,
}

/// `BatchReadBlobsResponse.Response`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ReadBlob {
    #[prost(message, optional, tag = "1")]
    pub digest: Option<Digest>,
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
    #[prost(enumeration = "Compressor", tag = "4")]
    pub compressor: i32,
    #[prost(message, optional, tag = "3")]
    pub status: Option<Status>,
}
