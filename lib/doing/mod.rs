//! Fetching, staging, building, scheduling.
