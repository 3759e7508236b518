use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-shell(1)
pub const SHELL: Program = Program {
    name: "bst-shell",
    summary: "Opens a shell in the build root of a failed or kept build",
    usage: &["[OPTION...] PROJECT/ELEMENT/KEY [-- COMMAND...]", "[OPTION...] [-- COMMAND...] <RECORDS"],
    flags: &[
        Flag {
            short: None,
            long: "allow-failed",
            takes: Takes::Nothing,
            help: "with --runtime: take what there is of failed builds",
        },
        Flag {
            short: None,
            long: "runtime",
            takes: Takes::Nothing,
            help: "the last record's artifact with all that it needs to run, not its build root",
        },
    ],
    operands: Operands::Command,
};
