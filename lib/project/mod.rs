//! From `.bst` files to elements and cache keys.

pub mod node;
