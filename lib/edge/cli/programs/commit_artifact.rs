use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-commit-artifact(1)
pub const COMMIT_ARTIFACT: Program = Program {
    name: "bst-commit-artifact",
    summary: "Stores the build of each record, success or failure",
    usage: &["[OPTION...]"],
    flags: &[
        Flag {
            short: None,
            long: "cache-buildtrees",
            takes: Takes::Choice(&["auto", "always", "never"]),
            help: "store build tree, build root and sources: of failures (auto), always, never",
        },
        Flag {
            short: None,
            long: "keep",
            takes: Takes::Choice(&["answers", "all"]),
            help: "which failures answer for their key: those that are facts about it (answers), or all",
        },
        Flag { short: None, long: "replace", takes: Takes::Nothing, help: "let a failure take the place of a success" },
    ],
    operands: Operands::None,
};
