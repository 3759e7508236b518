use crate::edge::cli::{Operands, Program};

/// bst-ask(1)
pub const ASK: Program = Program {
    name: "bst-ask",
    summary: "Asks the person at the terminal what follows from a failed build",
    usage: &["<RECORD", "(as bst-schedule --on-error=exec:bst-ask)"],
    flags: &[],
    operands: Operands::None,
};
