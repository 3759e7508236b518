use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-checkout(1)
pub const CHECKOUT: Program = Program {
    name: "bst-checkout",
    summary: "Writes the files of artifacts, or a build tree, into a directory or a tar stream",
    usage: &[
        "[OPTION...] --directory=DIR|--tar=FILE <RECORDS",
        "[OPTION...] --directory=DIR|--tar=FILE KEY|PROJECT/ELEMENT/KEY...",
    ],
    flags: &[
        Flag {
            short: Some('C'),
            long: "directory",
            takes: Takes::Value("DIR"),
            help: "the directory to write into; made if it is not there",
        },
        Flag {
            short: None,
            long: "tar",
            takes: Takes::Value("FILE"),
            help: "write a tar archive instead; - is standard output",
        },
        Flag {
            short: Some('d'),
            long: "deps",
            takes: Takes::Choice(&["run", "none", "build", "all"]),
            help: "what of the dependencies comes along; records: run, names: none",
        },
        Flag {
            short: None,
            long: "tree",
            takes: Takes::Choice(&["files", "buildtree", "sources", "buildroot"]),
            help: "which tree of the artifacts; without it the files",
        },
        Flag {
            short: None,
            long: "path",
            takes: Takes::Value("PATH"),
            help: "only what lies below this directory of the tree",
        },
        Flag { short: None, long: "allow-failed", takes: Takes::Nothing, help: "take what failed builds left, too" },
        Flag {
            short: Some('f'),
            long: "force",
            takes: Takes::Nothing,
            help: "write into a directory that is not empty, over what is there",
        },
        Flag {
            short: None,
            long: "hardlinks",
            takes: Takes::Nothing,
            help: "share files with the store where that can be: they are read-only and must stay unchanged",
        },
        Flag {
            short: None,
            long: "mtime",
            takes: Takes::Value("SECONDS|fixed"),
            help: "the time of what is written; fixed is that which builds see",
        },
        Flag { short: None, long: "no-verify", takes: Takes::Nothing, help: "do not hash what is copied" },
    ],
    operands: Operands::Some(0, usize::MAX),
};
