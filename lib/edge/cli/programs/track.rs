use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-track(1)
pub const TRACK: Program = Program {
    name: "bst-track",
    summary: "Finds new refs for the sources of records and writes them",
    usage: &["[OPTION...] < RECORDS"],
    flags: &[
        Flag {
            short: Some('j'),
            long: "jobs",
            takes: Takes::Value("N"),
            help: "download N things at once for sources that need those before them; 10 without this option",
        },
        Flag {
            short: Some('n'),
            long: "dry-run",
            takes: Takes::Nothing,
            help: "write nothing: the records say what would be written",
        },
        Flag {
            short: None,
            long: "retries",
            takes: Takes::Value("N"),
            help: "try N times more what the network or a server failed to do; 2 without this option",
        },
        Flag {
            short: None,
            long: "timeout",
            takes: Takes::Value("SECONDS"),
            help: "give up a connection on which nothing comes for this long; 60 without this option",
        },
    ],
    operands: Operands::None,
};
