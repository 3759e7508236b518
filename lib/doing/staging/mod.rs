//! From the artifacts of the dependencies to the root of a sandbox.

pub mod collect;
pub mod disk;
pub mod merge;
pub mod overlaps;
pub mod roots;
pub mod split;
pub mod tree;
