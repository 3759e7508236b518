use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-build(1)
pub const BUILD: Program = Program {
    name: "bst-build",
    summary: "Builds the element of each record in a sandbox",
    usage: &["[OPTION...]"],
    flags: &[
        Flag {
            short: None,
            long: "classify",
            takes: Takes::Value("FILE"),
            help: "rules for the class of a failed command, see bst-policy(7)",
        },
        Flag {
            short: None,
            long: "keep-work",
            takes: Takes::Nothing,
            help: "leave build tree and build root after a success too",
        },
        Flag {
            short: None,
            long: "memory",
            takes: Takes::Value("SIZE"),
            help: "how much memory a build may use, for instance 2G",
        },
        Flag {
            short: None,
            long: "processes",
            takes: Takes::Value("N"),
            help: "how many processes a build may have at once",
        },
        Flag {
            short: None,
            long: "remote-execution",
            takes: Takes::Nothing,
            help: "run commands on the execution service of the user's configuration, not in a sandbox here",
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
