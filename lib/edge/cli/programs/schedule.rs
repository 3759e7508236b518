use crate::edge::cli::{Flag, Operands, Program, Takes};

/// bst-schedule(1)
pub const SCHEDULE: Program = Program {
    name: "bst-schedule",
    summary: "Runs a command for each element whose artifact is missing, in dependency order",
    usage: &["[OPTION...] [-- CMD [ARGUMENT...]]"],
    flags: &[
        Flag {
            short: None,
            long: "color",
            takes: Takes::Choice(&["auto", "always", "never"]),
            help: "whether messages are coloured; auto: at a terminal, unless NO_COLOR is set",
        },
        Flag {
            short: None,
            long: "events",
            takes: Takes::Value("FILE|fd:N"),
            help: "write what happens to this file or descriptor, as JSON lines",
        },
        Flag {
            short: None,
            long: "failure-ttl",
            takes: Takes::Value("DURATION"),
            help: "build again what failed longer ago than this: 90s, 2h, 1d",
        },
        Flag {
            short: None,
            long: "hook-timeout",
            takes: Takes::Value("DURATION"),
            help: "how long a hook may take to answer; without it 5 minutes",
        },
        Flag {
            short: Some('j'),
            long: "jobs",
            takes: Takes::Value("N"),
            help: "how many elements are built at a time; without it as many as there are processors",
        },
        Flag {
            short: None,
            long: "max-attempts",
            takes: Takes::Value("N"),
            help: "try an element up to N times in this run if its failure is retryable or selected by --retry",
        },
        Flag {
            short: None,
            long: "max-failures",
            takes: Takes::Value("N"),
            help: "start nothing new when N elements have failed; then --on-error is continue if not given",
        },
        Flag {
            short: None,
            long: "needed",
            takes: Takes::Nothing,
            help: "build only what the targets need, which are the elements that no other depends on",
        },
        Flag {
            short: None,
            long: "non-strict",
            takes: Takes::Nothing,
            help: "where the store was not asked yet: take artifacts that the weak key finds",
        },
        Flag {
            short: None,
            long: "on-cached-failure",
            takes: Takes::Choice(&["replay", "retry", "warn"]),
            help: "what a failure in the store is: an answer (replay), nothing (retry), or no failure of this run (warn)",
        },
        Flag {
            short: None,
            long: "on-error",
            takes: Takes::Value("continue|quit|terminate|exec:PROG"),
            help: "what follows from a failure, or the hook that says so; without it quit",
        },
        Flag {
            short: None,
            long: "on-error-default",
            takes: Takes::Choice(&["continue", "quit", "terminate"]),
            help: "what follows if the hook gives no answer; without it quit",
        },
        Flag { short: Some('q'), long: "quiet", takes: Takes::Nothing, help: "say nothing but warnings" },
        Flag {
            short: None,
            long: "replay",
            takes: Takes::Value("all|none|CLASS,..."),
            help: "which failures in the store are answers; without it all",
        },
        Flag {
            short: None,
            long: "retry",
            takes: Takes::Value("failed|retryable|none|CLASS,..."),
            help: "which failures are built again, those in the store and, up to --max-attempts, those of this run",
        },
    ],
    operands: Operands::Command,
};
