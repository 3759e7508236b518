use super::remotes;
use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-push(1)
pub const PUSH: Program = Program {
    name: "bst-push",
    summary: "Sends artifacts of the store, successes and failures, to artifact servers",
    usage: &["[OPTION...] < RECORDS", "[OPTION...] PROJECT/ELEMENT/KEY..."],
    flags: &[
        remotes::ARTIFACT_REMOTE,
        remotes::COMPRESS,
        remotes::DIRECTORY,
        remotes::IGNORE_PROJECT_ARTIFACT_REMOTES,
        remotes::JOBS,
        Flag { short: None, long: "replace", takes: Takes::Nothing, help: "let a failure take the place of a success" },
    ],
    operands: Operands::Some(0, usize::MAX),
};
