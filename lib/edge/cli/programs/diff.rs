use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-diff(1)
pub const DIFF: Program = Program {
    name: "bst-diff",
    summary: "Says what differs between two keys, down to the input that changed, and between their files",
    usage: &[
        "[OPTION...] OLD NEW (each KEY or PROJECT/ELEMENT/KEY)",
        "[OPTION...] KEY (against the last success of the element)",
        "[OPTION...] DIGEST DIGEST (two directories)",
    ],
    flags: &[
        Flag { short: None, long: "inputs", takes: Takes::Nothing, help: "only what the keys were made of" },
        Flag { short: None, long: "files", takes: Takes::Nothing, help: "only the files" },
        Flag {
            short: None,
            long: "tree",
            takes: Takes::Choice(&["files", "buildtree", "sources", "buildroot"]),
            help: "which tree of the artifacts; without it the files",
        },
        Flag { short: None, long: "json", takes: Takes::Nothing, help: "a record for each difference" },
    ],
    operands: Operands::Some(1, 2),
};
