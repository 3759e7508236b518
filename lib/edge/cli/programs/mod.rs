//! The tables, one file a program.

mod cat;

pub use cat::CAT;

use super::Program;

/// Every program of the suite, by name.
pub const ALL: &[&Program] = &[&CAT];
