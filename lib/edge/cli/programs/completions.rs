use crate::edge::cli::{Operands, Program};

/// bst-completions(1)
pub const COMPLETIONS: Program = Program {
    name: "bst-completions",
    summary: "Prints what makes a shell complete the options of the programs",
    usage: &["bash|zsh|fish [PROGRAM...]"],
    flags: &[],
    operands: Operands::Some(1, usize::MAX),
};
