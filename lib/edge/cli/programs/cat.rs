use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-cat(1)
pub const CAT: Program = Program {
    name: "bst-cat",
    summary: "Prints blobs of the store, or lists directories of it",
    usage: &["[OPTION...] DIGEST[:PATH]|[PROJECT/ELEMENT/]KEY[:PART[/PATH]]..."],
    flags: &[
        Flag { short: Some('l'), long: "list", takes: Takes::Nothing, help: "list the directory, as ls -l does" },
        Flag {
            short: Some('R'),
            long: "recursive",
            takes: Takes::Nothing,
            help: "list the directory and all below it; names are paths",
        },
        Flag { short: Some('d'), long: "digests", takes: Takes::Nothing, help: "show the digest of each entry" },
    ],
    operands: Operands::Some(1, usize::MAX),
};
