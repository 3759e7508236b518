//! From `.bst` files to elements and cache keys.

pub mod arch;
pub mod cachekey;
pub mod canonical;
pub mod compose;
pub mod conditional;
pub mod expression;
pub mod kinds;
pub mod localdigest;
pub mod mark;
pub mod node;
pub mod options;
pub mod parallel;
pub mod paths;
pub mod plugins;
pub mod sandbox;
pub mod settings;
pub mod sources;
pub mod userconfig;
pub mod variables;
pub mod yaml;
