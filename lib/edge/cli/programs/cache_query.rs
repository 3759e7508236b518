use super::selection::{BUILDER, CLASS, ELEMENT, FLAKY, HOST, NEWER, OLDER, STATE};
use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-cache-query(1)
pub const CACHE_QUERY: Program = Program {
    name: "bst-cache-query",
    summary: "Says what the store has for the keys of records: a success, a failure, nothing",
    usage: &["[OPTION...] <RECORDS", "[OPTION...] KEY|PROJECT/ELEMENT/KEY...", "--all [OPTION...]"],
    flags: &[
        Flag {
            short: Some('a'),
            long: "all",
            takes: Takes::Nothing,
            help: "list what is in the store; nothing is read from stdin",
        },
        Flag {
            short: Some('n'),
            long: "non-strict",
            takes: Takes::Nothing,
            help: "where the strict key has nothing, the weak key may",
        },
        Flag { short: None, long: "no-strict", takes: Takes::Nothing, help: "the same, as BuildStream calls it" },
        Flag {
            short: None,
            long: "exists",
            takes: Takes::Nothing,
            help: "go by the ref alone: not whether its files and logs are there, and no result",
        },
        STATE,
        CLASS,
        OLDER,
        NEWER,
        ELEMENT,
        HOST,
        BUILDER,
        FLAKY,
        Flag {
            short: None,
            long: "failure-ttl",
            takes: Takes::Value("DURATION"),
            help: "say of older failures that they are built again",
        },
        Flag {
            short: None,
            long: "replay",
            takes: Takes::Value("all|none|CLASS,..."),
            help: "say of failures of other classes that they are built again",
        },
        Flag {
            short: None,
            long: "remote",
            takes: Takes::Nothing,
            help: "ask the artifact servers too; what is not here may be there",
        },
    ],
    operands: Operands::Some(0, usize::MAX),
};
