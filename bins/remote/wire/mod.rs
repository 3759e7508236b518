//! Calls to servers: one file a service. Everything above speaks in digests and errors of the library, not
//! in messages.

pub mod action_cache;
pub mod asset;
pub mod bytestream;
pub mod capabilities;
pub mod cas;
pub mod credentials;
pub mod execution;
pub mod retry;
pub mod server;

pub use server::Server;
