//! `google.bytestream`: blobs too large for one message.

use prost::Message;
use prost::bytes::Bytes;

/// `google.bytestream.ReadRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ReadRequest {
    #[prost(string, tag = "1")]
    pub resource_name: String,
    #[prost(int64, tag = "2")]
    pub read_offset: i64,
    #[prost(int64, tag = "3")]
    pub read_limit: i64,
}

/// `google.bytestream.ReadResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ReadResponse {
    #[prost(bytes = "bytes", tag = "10")]
    pub data: Bytes,
}

/// `google.bytestream.WriteRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct WriteRequest {
    /// Only the first message of a stream needs it.
    #[prost(string, tag = "1")]
    pub resource_name: String,
    #[prost(int64, tag = "2")]
    pub write_offset: i64,
    #[prost(bool, tag = "3")]
    pub finish_write: bool,
    #[prost(bytes = "bytes", tag = "10")]
    pub data: Bytes,
}

/// `google.bytestream.WriteResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct WriteResponse {
    #[prost(int64, tag = "1")]
    pub committed_size: i64,
}

/// `google.bytestream.QueryWriteStatusRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct QueryWriteStatusRequest {
    #[prost(string, tag = "1")]
    pub resource_name: String,
}

/// `google.bytestream.QueryWriteStatusResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct QueryWriteStatusResponse {
    #[prost(int64, tag = "1")]
    pub committed_size: i64,
    #[prost(bool, tag = "2")]
    pub complete: bool,
}
