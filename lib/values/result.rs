//! The record of one build.

use super::{Exit, time::Time};
use serde::{Deserialize, Serialize};

/// Why a build failed. See bst-policy(7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    Command,
    MissingShell,
    Collect,
    Integration,
    Temporary,
    Timeout,
    Signal,
    Resource,
    Staging,
    Source,
    Sandbox,
    Network,
    Cancelled,
    /// Not known: an artifact that another tool made says only that the build failed.
    Unknown,
}

/// How far a class reaches (DESIGN section 2): what is stored for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A fact about the key: stored as a failed artifact, answers for the key.
    Answers,
    /// Stored so that it can be read and entered, without a ref: answers for no key.
    Kept,
    /// Not the key's fault: only its log and its place in the attempts are kept.
    Logged,
}

impl FailureClass {
    /// Every class.
    pub const ALL: [FailureClass; 14] = [
        FailureClass::Command,
        FailureClass::MissingShell,
        FailureClass::Collect,
        FailureClass::Integration,
        FailureClass::Temporary,
        FailureClass::Timeout,
        FailureClass::Signal,
        FailureClass::Resource,
        FailureClass::Staging,
        FailureClass::Source,
        FailureClass::Sandbox,
        FailureClass::Network,
        FailureClass::Cancelled,
        FailureClass::Unknown,
    ];

    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            FailureClass::Command => "command",
            FailureClass::MissingShell => "missing-shell",
            FailureClass::Collect => "collect",
            FailureClass::Integration => "integration",
            FailureClass::Temporary => "temporary",
            FailureClass::Timeout => "timeout",
            FailureClass::Signal => "signal",
            FailureClass::Resource => "resource",
            FailureClass::Staging => "staging",
            FailureClass::Source => "source",
            FailureClass::Sandbox => "sandbox",
            FailureClass::Network => "network",
            FailureClass::Cancelled => "cancelled",
            FailureClass::Unknown => "unknown",
        }
    }

    /// The class of a word.
    pub fn from_word(word: &str) -> Option<FailureClass> {
        FailureClass::ALL.into_iter().find(|class| class.word() == word)
    }

    /// What is stored for a failure of this class.
    pub fn standing(self) -> Standing {
        match self {
            FailureClass::Command
            | FailureClass::MissingShell
            | FailureClass::Collect
            | FailureClass::Integration
            | FailureClass::Unknown => Standing::Answers,
            FailureClass::Temporary | FailureClass::Timeout | FailureClass::Signal | FailureClass::Resource => {
                Standing::Kept
            }
            FailureClass::Staging
            | FailureClass::Source
            | FailureClass::Sandbox
            | FailureClass::Network
            | FailureClass::Cancelled => Standing::Logged,
        }
    }

    /// What a run exits with that ends with a failure of this class.
    pub fn exit(self) -> Exit {
        match self {
            FailureClass::Resource
            | FailureClass::Staging
            | FailureClass::Source
            | FailureClass::Sandbox
            | FailureClass::Network => Exit::Environment,
            FailureClass::Cancelled => Exit::Stopped,
            _ => Exit::Failed,
        }
    }

    /// Whether trying again may help.
    pub fn retryable(self) -> bool {
        self.standing() != Standing::Answers
    }
}

/// What built: program and version, for instance `bst-build 0.1.0`.
pub type Builder = String;

/// One build: field `result` of a record, and the content of the store's metadata file.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BuildResult {
    /// From 1. Absent where the builder does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<Builder>,
    /// Only of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// The failing command as the element wrote it, variables expanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// BuildStream's short words: "succeeded", "Command failed", ...
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// BuildStream's long words, mostly none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Milliseconds from start to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Exit status of the failing command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Digest of the complete log, once it is in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<super::Digest>,
    /// The last lines of the log, as text: bytes that are no UTF-8 are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<String>,
    /// Where it failed: `stage`, `integration`, `configure`, `build`, `install`, `strip`, `script`,
    /// `compose`, `collect`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Only of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// The signal that ended the failing command, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    pub success: bool,
}
