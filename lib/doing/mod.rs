//! Fetching, staging, building, scheduling.

pub mod build;
pub mod checkout;
pub mod commit;
pub mod policy;
pub mod sandbox;
pub mod schedule;
pub mod shell;
pub mod source;
pub mod staging;
