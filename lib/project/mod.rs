//! From `.bst` files to elements and cache keys.

pub mod arch;
pub mod cachekey;
pub mod canonical;
pub mod compose;
pub mod conditional;
pub mod conf;
pub mod conflicts;
pub mod edit;
pub mod expression;
pub mod graph;
pub mod helper;
pub mod include;
pub mod kinds;
pub mod load;
pub mod loader;
pub mod localdigest;
pub mod mark;
pub mod node;
pub mod options;
pub mod parallel;
pub mod paths;
pub mod plugins;
pub mod recommended;
pub mod refs;
pub mod rekey;
pub mod remotes;
pub mod resolve;
pub mod root;
pub mod sandbox;
pub mod settings;
pub mod sort;
pub mod sources;
pub mod userconfig;
pub mod variables;
pub mod workspaces;
pub mod yaml;

#[cfg(test)]
mod hostile;
