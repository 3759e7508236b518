use super::remotes;
use super::selection::{ELEMENT, STATE};
use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-remote-query(1)
pub const REMOTE_QUERY: Program = Program {
    name: "bst-remote-query",
    summary: "Asks artifact servers what they have: cached, failed or nothing",
    usage: &["[OPTION...] <RECORDS", "[OPTION...] PROJECT/ELEMENT/KEY..."],
    flags: &[
        remotes::ARTIFACT_REMOTE,
        remotes::COMPRESS,
        remotes::DIRECTORY,
        ELEMENT,
        Flag { short: None, long: "exists", takes: Takes::Nothing, help: "in the store, go by the ref alone" },
        remotes::IGNORE_PROJECT_ARTIFACT_REMOTES,
        remotes::JOBS,
        Flag { short: None, long: "no-strict", takes: Takes::Nothing, help: "as --non-strict" },
        Flag {
            short: Some('n'),
            long: "non-strict",
            takes: Takes::Nothing,
            help: "where nothing is found by the strict key, look by the weak key",
        },
        Flag {
            short: None,
            long: "remote",
            takes: Takes::Nothing,
            help: "look in the store first: what bst-cache-query --remote means",
        },
        STATE,
    ],
    operands: Operands::Some(0, usize::MAX),
};
