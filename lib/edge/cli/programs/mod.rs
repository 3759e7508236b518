//! The tables, one file a program.

mod build;
mod cache_query;
mod cat;
mod commit_artifact;
mod completions;
mod key;
mod schedule;
mod selection;

pub use build::BUILD;
pub use cache_query::CACHE_QUERY;
pub use cat::CAT;
pub use commit_artifact::COMMIT_ARTIFACT;
pub use completions::COMPLETIONS;
pub use key::KEY;
pub use schedule::SCHEDULE;

use super::Program;

/// Every program of the suite, by name.
pub const ALL: &[&Program] = &[&BUILD, &CACHE_QUERY, &CAT, &COMMIT_ARTIFACT, &COMPLETIONS, &KEY, &SCHEDULE];
