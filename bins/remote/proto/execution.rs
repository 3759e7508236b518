//! `build.bazel.remote.execution.v2.Execution` and `ActionCache`.

use super::{Digest, rpc::Status};
use bst_plumbing::values::proto::{Directory, Timestamp};
use prost::Message;
use prost::bytes::Bytes;

/// `ExecuteRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExecuteRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(bool, tag = "3")]
    pub skip_cache_lookup: bool,
    #[prost(message, optional, tag = "6")]
    pub action_digest: Option<Digest>,
}

/// `WaitExecutionRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct WaitExecutionRequest {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// `ExecuteResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExecuteResponse {
    #[prost(message, optional, tag = "1")]
    pub result: Option<ActionResult>,
    #[prost(bool, tag = "2")]
    pub cached_result: bool,
    #[prost(message, optional, tag = "3")]
    pub status: Option<Status>,
    #[prost(string, tag = "5")]
    pub message: String,
}

/// `ExecutionStage.Value`
#[derive(Clone, Copy, PartialEq, Eq, Debug, prost::Enumeration)]
#[repr(i32)]
pub enum Stage {
    Unknown = 0,
    CacheCheck = 1,
    Queued = 2,
    Executing = 3,
    Completed = 4,
}

/// `ExecuteOperationMetadata`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExecuteOperationMetadata {
    #[prost(enumeration = "Stage", tag = "1")]
    pub stage: i32,
    /// A ByteStream resource that grows while the action runs; empty where the server has none.
    #[prost(string, tag = "3")]
    pub stdout_stream_name: String,
    #[prost(string, tag = "4")]
    pub stderr_stream_name: String,
}

/// `GetActionResultRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GetActionResultRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(message, optional, tag = "2")]
    pub action_digest: Option<Digest>,
    #[prost(bool, tag = "3")]
    pub inline_stdout: bool,
    #[prost(bool, tag = "4")]
    pub inline_stderr: bool,
}

/// `UpdateActionResultRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UpdateActionResultRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
    #[prost(message, optional, tag = "2")]
    pub action_digest: Option<Digest>,
    #[prost(message, optional, tag = "3")]
    pub action_result: Option<ActionResult>,
}

/// `ActionResult`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ActionResult {
    #[prost(message, repeated, tag = "2")]
    pub output_files: Vec<OutputFile>,
    #[prost(message, repeated, tag = "3")]
    pub output_directories: Vec<OutputDirectory>,
    #[prost(int32, tag = "4")]
    pub exit_code: i32,
    #[prost(bytes = "bytes", tag = "5")]
    pub stdout_raw: Bytes,
    #[prost(message, optional, tag = "6")]
    pub stdout_digest: Option<Digest>,
    #[prost(bytes = "bytes", tag = "7")]
    pub stderr_raw: Bytes,
    #[prost(message, optional, tag = "8")]
    pub stderr_digest: Option<Digest>,
    #[prost(message, optional, tag = "9")]
    pub execution_metadata: Option<ExecutedActionMetadata>,
}

/// `OutputFile`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct OutputFile {
    #[prost(string, tag = "1")]
    pub path: String,
    #[prost(message, optional, tag = "2")]
    pub digest: Option<Digest>,
}

/// `OutputDirectory`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct OutputDirectory {
    #[prost(string, tag = "1")]
    pub path: String,
    /// Digest of a [`Tree`].
    #[prost(message, optional, tag = "3")]
    pub tree_digest: Option<Digest>,
    #[prost(message, optional, tag = "5")]
    pub root_directory_digest: Option<Digest>,
}

/// `Tree`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Tree {
    #[prost(message, optional, tag = "1")]
    pub root: Option<Directory>,
    #[prost(message, repeated, tag = "2")]
    pub children: Vec<Directory>,
}

/// `ExecutedActionMetadata`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExecutedActionMetadata {
    #[prost(string, tag = "1")]
    pub worker: String,
    #[prost(message, optional, tag = "7")]
    pub execution_start_timestamp: Option<Timestamp>,
    #[prost(message, optional, tag = "8")]
    pub execution_completed_timestamp: Option<Timestamp>,
}
