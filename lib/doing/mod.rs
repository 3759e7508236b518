//! Fetching, staging, building, scheduling.

pub mod source;
