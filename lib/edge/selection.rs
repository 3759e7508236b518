//! What the flags of a command line select.

use super::cli::Arguments;
use crate::store::query;
use crate::store::select::Selection;
use crate::values::glob::Glob;
use crate::values::record::State;
use crate::values::result::FailureClass;
use crate::values::{Error, Result};
use std::time::Duration;

/// The selection that `--state`, `--class`, `--older`, `--newer`, `--element`, `--host`, `--builder` and
/// `--flaky` ask for.
pub fn of(arguments: &Arguments) -> Result<Selection> {
    Ok(Selection {
        states: arguments.words("state")?.into_iter().filter_map(state).collect(),
        classes: arguments.words("class")?.into_iter().filter_map(FailureClass::from_word).collect(),
        older: duration(arguments, "older")?,
        newer: duration(arguments, "newer")?,
        elements: globs(arguments, "element")?,
        hosts: globs(arguments, "host")?,
        builders: globs(arguments, "builder")?,
        flaky: arguments.has("flaky"),
    })
}

/// A duration that a flag takes.
pub fn duration(arguments: &Arguments, flag: &str) -> Result<Option<Duration>> {
    let parsed = arguments.text(flag)?.map(query::duration).transpose();
    parsed.map_err(|error| Error::usage(format!("--{flag}: {}", error.message())))
}

fn state(word: &str) -> Option<State> {
    match word {
        "cached" => Some(State::Cached),
        "failed" => Some(State::Failed),
        "absent" => Some(State::Absent),
        "damaged" => Some(State::Damaged),
        _ => None,
    }
}

fn globs(arguments: &Arguments, flag: &'static str) -> Result<Vec<Glob>> {
    let values = arguments.values(flag).map(|value| {
        let text = value.to_str();
        text.map(Glob::new).ok_or_else(|| Error::usage(format!("--{flag}: \"{}\" is no UTF-8", value.display())))
    });
    values.collect()
}
