//! What went between the store and servers for a record: fields `pull` and `push`.

use serde::{Deserialize, Serialize};

/// How a transfer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TransferState {
    /// The store has it now.
    Pulled,
    /// The server has it now.
    Pushed,
    /// It was there before.
    Present,
    /// The server has a success, whose place a failure does not take.
    Kept,
    /// There is none to be had.
    #[default]
    Absent,
    /// It did not work; `message` says why.
    Failed,
}

/// `pull` or `push`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Transfer {
    /// Blobs that went over the wire.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blobs: u64,
    /// Their bytes, before compression.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What became of it at each server that it was pushed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerTransfer>,
    pub state: TransferState,
    /// URL of the server that it was pulled from.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// One of `servers`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerTransfer {
    pub state: TransferState,
    pub url: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
