use super::remotes;
use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-fetch(1)
pub const FETCH: Program = Program {
    name: "bst-fetch",
    summary: "Brings the sources of records into the store",
    usage: &["[OPTION...] < RECORDS"],
    flags: &[
        remotes::COMPRESS,
        remotes::DIRECTORY,
        remotes::IGNORE_PROJECT_SOURCE_REMOTES,
        remotes::SOURCE_REMOTE,
        Flag {
            short: Some('j'),
            long: "jobs",
            takes: Takes::Value("N"),
            help: "download N things at once; 10 without this option",
        },
        Flag {
            short: Some('n'),
            long: "dry-run",
            takes: Takes::Nothing,
            help: "download nothing: say on stderr what would be downloaded",
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
