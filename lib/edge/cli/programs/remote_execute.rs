use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-remote-execute(1)
pub const REMOTE_EXECUTE: Program = Program {
    name: "bst-remote-execute",
    summary: "Runs an action of the store on an execution service",
    usage: &["[OPTION...] DIGEST"],
    flags: &[
        Flag {
            short: None,
            long: "also",
            takes: Takes::Value("DIGEST"),
            help: "a tree that the service must have too; may be given again",
        },
        Flag {
            short: None,
            long: "log",
            takes: Takes::Value("FILE"),
            help: "append what the action says to a file, instead of stderr",
        },
        Flag {
            short: None,
            long: "project",
            takes: Takes::Value("NAME"),
            help: "the project whose part of the user's configuration counts",
        },
        Flag {
            short: None,
            long: "skip-cache",
            takes: Takes::Nothing,
            help: "run the action even if its result is known",
        },
    ],
    operands: Operands::Some(1, 1),
};
