use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-log(1)
pub const LOG: Program = Program {
    name: "bst-log",
    summary: "Prints the log of builds, failed or not, complete and as it was written",
    usage: &["[OPTION...] KEY|PROJECT/ELEMENT/KEY...", "[OPTION...] <RECORDS"],
    flags: &[
        Flag { short: Some('n'), long: "lines", takes: Takes::Value("N"), help: "only the last N lines of each log" },
        Flag {
            short: None,
            long: "attempt",
            takes: Takes::Value("N"),
            help: "the log of an earlier attempt, by its number",
        },
        Flag { short: Some('q'), long: "quiet", takes: Takes::Nothing, help: "do not say on stderr whose log it is" },
    ],
    operands: Operands::Some(0, usize::MAX),
};
