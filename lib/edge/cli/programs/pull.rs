use super::remotes;
use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-pull(1)
pub const PULL: Program = Program {
    name: "bst-pull",
    summary: "Brings artifacts from artifact servers into the store",
    usage: &["[OPTION...] <RECORDS", "[OPTION...] PROJECT/ELEMENT/KEY..."],
    flags: &[
        remotes::ARTIFACT_REMOTE,
        Flag {
            short: Some('b'),
            long: "buildtree",
            takes: Takes::Nothing,
            help: "also what a shell in the build root needs: build tree, build root and sources",
        },
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
