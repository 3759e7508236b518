//! From `.bst` files to elements and cache keys.

pub mod compose;
pub mod conditional;
pub mod expression;
pub mod kinds;
pub mod mark;
pub mod node;
pub mod paths;
pub mod plugins;
pub mod sources;
pub mod variables;
pub mod yaml;
