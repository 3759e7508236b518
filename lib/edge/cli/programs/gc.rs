use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-gc(1)
pub const GC: Program = Program {
    name: "bst-gc",
    summary: "Frees space in the store: what nothing refers to, and what was used least recently",
    usage: &["[OPTION...]"],
    flags: &[
        Flag { short: Some('n'), long: "dry-run", takes: Takes::Nothing, help: "only say what would go" },
        Flag {
            short: None,
            long: "quota",
            takes: Takes::Value("SIZE"),
            help: "let the blobs take at most so much: 50G, 500M",
        },
        Flag {
            short: None,
            long: "low-watermark",
            takes: Takes::Value("PERCENT"),
            help: "once the quota is exceeded, go down to so much of it; without this, 80%",
        },
        Flag {
            short: None,
            long: "unused",
            takes: Takes::Value("DURATION"),
            help: "drop artifacts and sources that were not used for so long",
        },
        Flag {
            short: None,
            long: "grace",
            takes: Takes::Value("DURATION"),
            help: "keep what was used more recently than this; without this, 1h",
        },
    ],
    operands: Operands::None,
};
