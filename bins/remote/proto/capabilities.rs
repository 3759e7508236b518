//! `build.bazel.remote.execution.v2.Capabilities`.

use super::cache::Compressor;
use prost::Message;

/// `GetCapabilitiesRequest`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GetCapabilitiesRequest {
    #[prost(string, tag = "1")]
    pub instance_name: String,
}

/// `ServerCapabilities`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ServerCapabilities {
    #[prost(message, optional, tag = "1")]
    pub cache_capabilities: Option<CacheCapabilities>,
    #[prost(message, optional, tag = "2")]
    pub execution_capabilities: Option<ExecutionCapabilities>,
}

/// `CacheCapabilities`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CacheCapabilities {
    /// `DigestFunction.Value`; 1 is SHA-256.
    #[prost(int32, repeated, tag = "1")]
    pub digest_functions: Vec<i32>,
    #[prost(message, optional, tag = "2")]
    pub action_cache_update_capabilities: Option<ActionCacheUpdateCapabilities>,
    /// 0: the server names no limit.
    #[prost(int64, tag = "4")]
    pub max_batch_total_size_bytes: i64,
    #[prost(enumeration = "Compressor", repeated, tag = "6")]
    pub supported_compressors: Vec<i32>,
    #[prost(enumeration = "Compressor", repeated, tag = "7")]
    pub supported_batch_update_compressors: Vec<i32>,
}

/// `ActionCacheUpdateCapabilities`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ActionCacheUpdateCapabilities {
    #[prost(bool, tag = "1")]
    pub update_enabled: bool,
}

/// `ExecutionCapabilities`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExecutionCapabilities {
    #[prost(int32, tag = "1")]
    pub digest_function: i32,
    #[prost(bool, tag = "2")]
    pub exec_enabled: bool,
}
