use super::selection::{BUILDER, CLASS, ELEMENT, FLAKY, HOST, NEWER, OLDER, STATE};
use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-rm(1)
pub const RM: Program = Program {
    name: "bst-rm",
    summary: "Drops artifacts: those of some keys, of records, or all that are selected",
    usage: &[
        "[OPTION...] KEY|PROJECT/ELEMENT/KEY...",
        "[OPTION...] <RECORDS",
        "[OPTION...] --state=STATE|--class=CLASS|--older=DURATION|...",
    ],
    flags: &[
        Flag { short: Some('n'), long: "dry-run", takes: Takes::Nothing, help: "only say what would be dropped" },
        STATE,
        CLASS,
        OLDER,
        NEWER,
        ELEMENT,
        HOST,
        BUILDER,
        FLAKY,
    ],
    operands: Operands::Some(0, usize::MAX),
};
