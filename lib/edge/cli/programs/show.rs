use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-show(1)
pub const SHOW: Program = Program {
    name: "bst-show",
    summary: "Shows records as text for people",
    usage: &["[OPTION...] <RECORDS", "--trace <EVENTS"],
    flags: &[
        Flag {
            short: None,
            long: "color",
            takes: Takes::Choice(&["auto", "always", "never"]),
            help: "whether the text is coloured; auto: at a terminal, unless NO_COLOR is set",
        },
        Flag { short: None, long: "dot", takes: Takes::Nothing, help: "print the graph for Graphviz" },
        Flag {
            short: None,
            long: "events",
            takes: Takes::Value("FILE"),
            help: "with --html: draw the time line from this file, which bst-schedule --events wrote",
        },
        Flag {
            short: None,
            long: "failures",
            takes: Takes::Nothing,
            help: "print only what failed, is blocked or was cancelled, with reasons",
        },
        Flag {
            short: Some('f'),
            long: "format",
            takes: Takes::Value("TEXT"),
            help: "print this for each record; %{name}, %{state: >12} and so on are BuildStream's",
        },
        Flag {
            short: None,
            long: "html",
            takes: Takes::Value("FILE"),
            help: "write one page with what failed and why, the logs, and the time line",
        },
        Flag {
            short: None,
            long: "non-strict",
            takes: Takes::Nothing,
            help: "where the store was not asked yet: take artifacts that the weak key finds",
        },
        Flag {
            short: None,
            long: "order",
            takes: Takes::Choice(&["stage", "alpha"]),
            help: "print records as they come (stage) or by name (alpha)",
        },
        Flag {
            short: None,
            long: "trace",
            takes: Takes::Nothing,
            help: "stdin is what bst-schedule --events wrote: print a trace for chrome://tracing or Perfetto",
        },
        Flag {
            short: None,
            long: "tree",
            takes: Takes::Nothing,
            help: "print what failed, and below it what that blocks",
        },
    ],
    operands: Operands::None,
};
