use super::remotes;
use super::selection::{BUILDER, CLASS, ELEMENT, FLAKY, HOST, NEWER, OLDER, STATE};
use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-push(1)
pub const PUSH: Program = Program {
    name: "bst-push",
    summary: "Sends artifacts of the store, successes and failures, to artifact servers",
    usage: &[
        "[OPTION...] <RECORDS",
        "[OPTION...] KEY|PROJECT/ELEMENT/KEY...",
        "--all [OPTION...]",
        "--sources [OPTION...] <RECORDS",
    ],
    flags: &[
        Flag {
            short: Some('a'),
            long: "all",
            takes: Takes::Nothing,
            help: "push what is in the store; nothing is read from stdin",
        },
        remotes::ARTIFACT_REMOTE,
        BUILDER,
        CLASS,
        remotes::COMPRESS,
        remotes::DIRECTORY,
        ELEMENT,
        FLAKY,
        HOST,
        remotes::IGNORE_PROJECT_ARTIFACT_REMOTES,
        remotes::IGNORE_PROJECT_SOURCE_REMOTES,
        remotes::JOBS,
        NEWER,
        OLDER,
        Flag { short: None, long: "replace", takes: Takes::Nothing, help: "let a failure take the place of a success" },
        remotes::SOURCE_REMOTE,
        Flag {
            short: None,
            long: "sources",
            takes: Takes::Nothing,
            help: "push the sources of the records, to source caches, and no artifacts",
        },
        STATE,
    ],
    operands: Operands::Some(0, usize::MAX),
};
