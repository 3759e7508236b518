//! From `.bst` files to elements and cache keys.

pub mod mark;
pub mod node;
