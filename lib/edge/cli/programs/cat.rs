use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-cat(1)
pub const CAT: Program = Program {
    name: "bst-cat",
    summary: "Prints blobs of the store, or lists directories of it",
    usage: &["[OPTION...] DIGEST..."],
    flags: &[Flag {
        short: Some('l'),
        long: "list",
        takes: Takes::Nothing,
        help: "the digest is a directory: list its entries",
    }],
    operands: Operands::Some(1, usize::MAX),
};
