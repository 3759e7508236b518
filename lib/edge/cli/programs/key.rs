use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-key(1)
pub const KEY: Program = Program {
    name: "bst-key",
    summary: "Loads a project and writes a record with its keys for each element",
    usage: &["[OPTION...] [TARGET...]", "[OPTION...] --all", "--stdin [OPTION...] <RECORDS"],
    flags: &[
        Flag {
            short: Some('C'),
            long: "directory",
            takes: Takes::Value("DIR"),
            help: "the project lies in DIR or above it (default: the current directory)",
        },
        Flag {
            short: Some('o'),
            long: "option",
            takes: Takes::Pair("NAME", "VALUE"),
            help: "set an option of the project",
        },
        Flag {
            short: Some('d'),
            long: "deps",
            takes: Takes::Choice(&["all", "build", "run", "none"]),
            help: "which dependencies of the targets get a record (default: all)",
        },
        Flag {
            short: Some('a'),
            long: "all",
            takes: Takes::Nothing,
            help: "every element below the element path; each that is broken gets a record with its error",
        },
        Flag {
            short: None,
            long: "stdin",
            takes: Takes::Nothing,
            help: "give new keys to the records of stdin, with no project at hand",
        },
        Flag {
            short: None,
            long: "changed",
            takes: Takes::Nothing,
            help: "with --stdin: only records whose key is another one than they came with",
        },
        Flag {
            short: None,
            long: "what-if",
            takes: Takes::Value("ELEMENT"),
            help: "only elements that would be rebuilt if ELEMENT changed; may be repeated",
        },
        Flag {
            short: None,
            long: "explain",
            takes: Takes::Nothing,
            help: "write no records but the texts that the strict keys are hashes of, one a line",
        },
        Flag { short: None, long: "weak", takes: Takes::Nothing, help: "with --explain: the texts of the weak keys" },
        Flag {
            short: None,
            long: "strict",
            takes: Takes::Nothing,
            help: "keys of strict mode, whatever the user's configuration says",
        },
        Flag {
            short: None,
            long: "no-strict",
            takes: Takes::Nothing,
            help: "keys of non-strict mode: those of artifacts that are there under the weak key",
        },
        Flag {
            short: None,
            long: "max-jobs",
            takes: Takes::Value("N"),
            help: "the value of the variable max-jobs (default: as BuildStream chooses it)",
        },
        Flag {
            short: Some('c'),
            long: "config",
            takes: Takes::Value("FILE"),
            help: "the user's configuration (default: buildstream.conf where BuildStream looks for it)",
        },
    ],
    operands: Operands::Some(0, usize::MAX),
};
