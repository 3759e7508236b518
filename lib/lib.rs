//! BuildStream's builds as small programs.
//!
//! Five layers; each uses only those above it in this list:
//!
//! - [`values`]: what is passed around (digests, keys, names, records, results, messages);
//! - [`store`]: the cache directory that is shared with BuildStream;
//! - [`project`]: from `.bst` files to elements and cache keys;
//! - [`doing`]: fetching, staging, building, scheduling;
//! - [`edge`]: the command line. Only here the environment is read and something is printed.

pub mod doing;
pub mod edge;
pub mod project;
pub mod store;
pub mod values;
