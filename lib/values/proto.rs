//! Messages that are stored or sent: of the Remote Execution API v2 (Digest, Directory) and of
//! BuildStream (Artifact, Source). Field numbers are the wire format; see bst-store(5).
//!
//! Unknown fields are dropped by decoding. Whoever passes a message on passes its bytes on.

use prost::Message;

/// `build.bazel.remote.execution.v2.Digest`
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Digest {
    #[prost(string, tag = "1")]
    pub hash: String,
    #[prost(int64, tag = "2")]
    pub size_bytes: i64,
}

/// `google.protobuf.Timestamp`
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `build.bazel.remote.execution.v2.NodeProperty`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct NodeProperty {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `build.bazel.remote.execution.v2.NodeProperties`. Only trees of workspaces (mtime) and sandbox roots
/// (property `SubtreeReadOnly`) have any.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct NodeProperties {
    #[prost(message, repeated, tag = "1")]
    pub properties: Vec<NodeProperty>,
    #[prost(message, optional, tag = "2")]
    pub mtime: Option<Timestamp>,
    #[prost(message, optional, tag = "3")]
    pub unix_mode: Option<UInt32Value>,
}

/// `google.protobuf.UInt32Value`
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct UInt32Value {
    #[prost(uint32, tag = "1")]
    pub value: u32,
}

/// `build.bazel.remote.execution.v2.FileNode`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FileNode {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub digest: Option<Digest>,
    #[prost(bool, tag = "4")]
    pub is_executable: bool,
    #[prost(message, optional, tag = "6")]
    pub node_properties: Option<NodeProperties>,
}

/// `build.bazel.remote.execution.v2.DirectoryNode`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DirectoryNode {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub digest: Option<Digest>,
}

/// `build.bazel.remote.execution.v2.SymlinkNode`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SymlinkNode {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub target: String,
    #[prost(message, optional, tag = "4")]
    pub node_properties: Option<NodeProperties>,
}

/// `build.bazel.remote.execution.v2.Directory`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Directory {
    #[prost(message, repeated, tag = "1")]
    pub files: Vec<FileNode>,
    #[prost(message, repeated, tag = "2")]
    pub directories: Vec<DirectoryNode>,
    #[prost(message, repeated, tag = "3")]
    pub symlinks: Vec<SymlinkNode>,
    #[prost(message, optional, tag = "5")]
    pub node_properties: Option<NodeProperties>,
}

/// `buildstream.v2.Artifact`: the content of a ref. A message field that is absent means "not
/// collected", one that is the empty directory means "collected, empty".
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Artifact {
    /// 2 in all of BuildStream 2.
    #[prost(int32, tag = "1")]
    pub version: i32,
    #[prost(bool, tag = "2")]
    pub build_success: bool,
    /// "succeeded" on success: test `build_success`, never this text.
    #[prost(string, tag = "3")]
    pub build_error: String,
    #[prost(string, tag = "4")]
    pub build_error_details: String,
    #[prost(string, tag = "5")]
    pub strong_key: String,
    #[prost(string, tag = "6")]
    pub weak_key: String,
    #[prost(bool, tag = "7")]
    pub was_workspaced: bool,
    #[prost(message, optional, tag = "8")]
    pub files: Option<Digest>,
    /// The whole build scope in staging order.
    #[prost(message, repeated, tag = "9")]
    pub build_deps: Vec<ArtifactDependency>,
    #[prost(message, optional, tag = "10")]
    pub public_data: Option<Digest>,
    #[prost(message, repeated, tag = "11")]
    pub logs: Vec<LogFile>,
    #[prost(message, optional, tag = "12")]
    pub buildtree: Option<Digest>,
    #[prost(message, optional, tag = "13")]
    pub sources: Option<Digest>,
    #[prost(message, optional, tag = "14")]
    pub low_diversity_meta: Option<Digest>,
    #[prost(message, optional, tag = "15")]
    pub high_diversity_meta: Option<Digest>,
    #[prost(string, tag = "16")]
    pub strict_key: String,
    #[prost(message, optional, tag = "17")]
    pub buildroot: Option<Digest>,
    #[prost(message, optional, tag = "18")]
    pub buildsandbox: Option<SandboxState>,
}

/// `buildstream.v2.Artifact.Dependency`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ArtifactDependency {
    #[prost(string, tag = "1")]
    pub project_name: String,
    #[prost(string, tag = "2")]
    pub element_name: String,
    #[prost(string, tag = "3")]
    pub cache_key: String,
    #[prost(bool, tag = "4")]
    pub was_workspaced: bool,
}

/// `buildstream.v2.Artifact.LogFile`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LogFile {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub digest: Option<Digest>,
}

/// `buildstream.v2.Artifact.SandboxState`: what a shell in the build root needs.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SandboxState {
    /// Sorted by name, without PWD.
    #[prost(message, repeated, tag = "1")]
    pub environment: Vec<EnvironmentVariable>,
    #[prost(string, tag = "2")]
    pub working_directory: String,
    #[prost(message, repeated, tag = "3")]
    pub subsandbox_digests: Vec<Digest>,
    /// Directories that the build could write to, absolute.
    #[prost(string, repeated, tag = "4")]
    pub marked_directories: Vec<String>,
}

/// `build.bazel.remote.execution.v2.Command.EnvironmentVariable`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct EnvironmentVariable {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `buildstream.v2.Source`: the content of `source_protos/KIND/KEY` and `elementsources/KEY`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Source {
    #[prost(int32, tag = "1")]
    pub version: i32,
    #[prost(message, optional, tag = "2")]
    pub files: Option<Digest>,
}

/// `build.bazel.remote.execution.v2.Action`: what an execution service runs.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Action {
    #[prost(message, optional, tag = "1")]
    pub command_digest: Option<Digest>,
    #[prost(message, optional, tag = "2")]
    pub input_root_digest: Option<Digest>,
    #[prost(message, optional, tag = "10")]
    pub platform: Option<Platform>,
}

/// `build.bazel.remote.execution.v2.Command`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Command {
    #[prost(string, repeated, tag = "1")]
    pub arguments: Vec<String>,
    /// In BuildStream's order, which is not sorted.
    #[prost(message, repeated, tag = "2")]
    pub environment_variables: Vec<EnvironmentVariable>,
    #[prost(message, optional, tag = "5")]
    pub platform: Option<Platform>,
    /// Relative to the input root.
    #[prost(string, tag = "6")]
    pub working_directory: String,
    /// Relative to the working directory.
    #[prost(string, repeated, tag = "7")]
    pub output_paths: Vec<String>,
    #[prost(string, repeated, tag = "8")]
    pub output_node_properties: Vec<String>,
    /// 1 is DIRECTORY_ONLY: outputs by the digest of their Directory.
    #[prost(int32, tag = "9")]
    pub output_directory_format: i32,
}

/// `build.bazel.remote.execution.v2.Platform`, its properties sorted by name.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Platform {
    #[prost(message, repeated, tag = "1")]
    pub properties: Vec<NodeProperty>,
}
