use super::remotes;
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
        remotes::IGNORE_PROJECT_ARTIFACT_REMOTES,
        remotes::JOBS,
        Flag {
            short: None,
            long: "non-strict",
            takes: Takes::Nothing,
            help: "where nothing is found by the strict key, look by the weak key",
        },
    ],
    operands: Operands::Some(0, usize::MAX),
};
