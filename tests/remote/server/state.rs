//! What a server has.

use super::faults::Fault;
use bst_plumbing::values::Digest;
use bst_remote::proto::execution::ActionResult;
use prost::bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;

/// Limits and credentials.
#[derive(Clone, Default)]
pub struct Options {
    /// Bytes of blobs in one message; 0: it does not say.
    pub batch: i64,
    /// Whether it takes and gives compressed blobs.
    pub zstd: bool,
    /// The one instance that it has.
    pub instance: String,
    /// Without this token nothing is answered.
    pub token: Option<String>,
    pub tls: Option<Arc<ServerConfig>>,
}

/// One call that it saw.
#[derive(Clone, Debug)]
pub struct Call {
    /// The last part of its name.
    pub method: String,
    /// How many digests, blobs or names it was about.
    pub count: usize,
}

/// What it has and saw.
pub struct State {
    pub options: Options,
    pub blobs: HashMap<Digest, Bytes>,
    pub assets: HashMap<String, Digest>,
    /// Results by action.
    pub actions: HashMap<Digest, ActionResult>,
    /// Uploads that are not complete.
    pub uploads: HashMap<String, Vec<u8>>,
    pub calls: Vec<Call>,
    pub faults: Vec<Fault>,
}

impl State {
    pub fn new(options: Options) -> State {
        State {
            options,
            blobs: HashMap::new(),
            assets: HashMap::new(),
            actions: HashMap::new(),
            uploads: HashMap::new(),
            calls: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Adds a blob.
    pub fn put(&mut self, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest, bytes);
        digest
    }

    /// How often a method was called.
    pub fn count(&self, method: &str) -> usize {
        self.calls.iter().filter(|call| call.method == method).count()
    }

    /// Forgets what it saw.
    pub fn forget_calls(&mut self) {
        self.calls.clear();
    }
}
