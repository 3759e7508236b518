//! From `.bst` files to elements and cache keys.

pub mod kinds;
pub mod mark;
pub mod node;
pub mod paths;
pub mod plugins;
pub mod sources;
