//! Flags that several programs share: which artifacts are meant.

use crate::edge::cli::{Flag, Takes};

pub(super) const STATES: &[&str] = &["cached", "failed", "absent", "damaged"];
pub(super) const CLASSES: &[&str] = &[
    "command",
    "missing-shell",
    "collect",
    "integration",
    "temporary",
    "timeout",
    "signal",
    "resource",
    "staging",
    "source",
    "sandbox",
    "network",
    "cancelled",
    "unknown",
];

pub(super) const STATE: Flag =
    Flag { short: None, long: "state", takes: Takes::Choices(STATES), help: "only those in one of these states" };
pub(super) const CLASS: Flag =
    Flag { short: None, long: "class", takes: Takes::Choices(CLASSES), help: "only failures of one of these classes" };
pub(super) const OLDER: Flag = Flag {
    short: None,
    long: "older",
    takes: Takes::Value("DURATION"),
    help: "only those that were built at least so long ago: 90s, 2h, 7d",
};
pub(super) const NEWER: Flag = Flag {
    short: None,
    long: "newer",
    takes: Takes::Value("DURATION"),
    help: "only those that were built at most so long ago",
};
pub(super) const ELEMENT: Flag = Flag {
    short: None,
    long: "element",
    takes: Takes::Value("GLOB"),
    help: "only elements of this name, or PROJECT/NAME; may be given again",
};
pub(super) const HOST: Flag = Flag {
    short: None,
    long: "host",
    takes: Takes::Value("GLOB"),
    help: "only what was built on such a host; may be given again",
};
pub(super) const BUILDER: Flag = Flag {
    short: None,
    long: "builder",
    takes: Takes::Value("GLOB"),
    help: "only what such a program built, as \"bst-build 1.2.0\"; may be given again",
};
pub(super) const FLAKY: Flag = Flag {
    short: None,
    long: "flaky",
    takes: Takes::Nothing,
    help: "only keys whose builds both succeeded and failed",
};
