//! What the programs share that talk to the network: the only place with an async runtime.

pub mod artifact;
pub mod caches;
pub mod execute;
pub mod options;
pub mod proto;
pub mod record;
pub mod run;
pub mod source_cache;
pub mod sources;
pub mod transfer;
pub mod wire;
