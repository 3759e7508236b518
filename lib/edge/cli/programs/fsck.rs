use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-fsck(1)
pub const FSCK: Program = Program {
    name: "bst-fsck",
    summary: "Verifies every blob, tree, ref and metadata file of the store",
    usage: &["[OPTION...]"],
    flags: &[
        Flag {
            short: None,
            long: "repair",
            takes: Takes::Nothing,
            help: "put aside what is damaged, so that it is built or pulled again",
        },
        Flag { short: Some('q'), long: "quiet", takes: Takes::Nothing, help: "no summary on stderr" },
    ],
    operands: Operands::None,
};
