//! What goes over the wire, beside the messages that are also stored (`bst_plumbing::values::proto`).
//! One file a service. Field numbers are the wire format; fields that nothing here reads or writes are left
//! out, and decoding passes over them.

pub mod asset;
pub mod bytestream;
pub mod cache;
pub mod capabilities;
pub mod execution;
pub mod rpc;

pub use bst_plumbing::values::proto::Digest;
