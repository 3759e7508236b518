//! The tables, one file a program.

mod cache_query;
mod cat;
mod completions;
mod selection;

pub use cache_query::CACHE_QUERY;
pub use cat::CAT;
pub use completions::COMPLETIONS;

use super::Program;

/// Every program of the suite, by name.
pub const ALL: &[&Program] = &[&CACHE_QUERY, &CAT, &COMPLETIONS];
