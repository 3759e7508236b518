//! Fetching, staging, building, scheduling.

pub mod build;
pub mod commit;
pub mod sandbox;
pub mod source;
pub mod staging;
