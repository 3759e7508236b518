//! The tables, one file a program.

mod cat;
mod completions;

pub use cat::CAT;
pub use completions::COMPLETIONS;

use super::Program;

/// Every program of the suite, by name.
pub const ALL: &[&Program] = &[&CAT, &COMPLETIONS];
