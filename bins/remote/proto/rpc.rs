//! `google.rpc` and `google.longrunning`: outcomes inside of answers, and operations that take long.

use prost::Message;
use prost::bytes::Bytes;

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Status {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// `google.longrunning.Operation`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Operation {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub metadata: Option<Any>,
    #[prost(bool, tag = "3")]
    pub done: bool,
    #[prost(message, optional, tag = "4")]
    pub error: Option<Status>,
    #[prost(message, optional, tag = "5")]
    pub response: Option<Any>,
}

/// `google.longrunning.CancelOperationRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CancelOperationRequest {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// `google.protobuf.Empty`
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Empty {}
