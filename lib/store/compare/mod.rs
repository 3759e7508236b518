//! What differs: between the inputs of two keys, down to the value that changed, and between two trees.

mod inputs;
mod lines;
mod trees;
mod values;

pub use inputs::inputs;
pub use trees::{FileChange, Kind, trees};
pub use values::Change;

/// A difference between the inputs of two keys.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// The element whose input it is: the one that was asked for, or one that it depends on.
    pub element: String,
    /// Where: `environment.CFLAGS`, `sources[0].ref`, `depends`, ...
    pub path: String,
    pub change: Change,
}
