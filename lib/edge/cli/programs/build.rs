use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-build(1)
pub const BUILD: Program = Program {
    name: "bst-build",
    summary: "Builds the element of each record in a sandbox",
    usage: &["[OPTION...]"],
    flags: &[
        Flag {
            short: None,
            long: "keep-work",
            takes: Takes::Nothing,
            help: "leave build tree and build root after a success too",
        },
        Flag {
            short: None,
            long: "timeout",
            takes: Takes::Value("DURATION"),
            help: "end a build that takes longer, for instance \"2h 30m\"",
        },
    ],
    operands: Operands::None,
};
