//! Records as text for people: what bst-show prints.

mod dot;
mod failures;
mod fields;
mod html;
mod lines;
mod source_info;
mod state;
mod template;
mod timeline;
mod trace;
mod tree;
mod yaml;

use super::cli::{Arguments, programs::SHOW};
use super::colour::{Brush, When};
use super::{environment, pipe};
use crate::store::Store;
use crate::values::record::{Action, Cache, Dependency, Identity, Schedule};
use crate::values::result::BuildResult;
use crate::values::{Error, Exit, Key, Record, Result};
use state::{State, States};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// What of a record is shown.
struct Shown {
    record: Record,
    identity: Identity,
    key: Option<Key>,
    depends: Vec<Dependency>,
    result: Option<BuildResult>,
    schedule: Option<Schedule>,
    cache: Option<Cache>,
    error: Option<Problem>,
    state: State,
}

/// What is needed of an `error` field.
#[derive(serde::Deserialize)]
struct Problem {
    code: crate::values::Code,
    message: String,
    file: Option<String>,
    line: Option<u32>,
}

impl Shown {
    fn of(record: Record, states: &mut States<'_>) -> Result<Shown> {
        let error: Option<Problem> = record.get("error")?;
        let identity = match record.identity() {
            Ok(identity) => identity,
            // What could not be read at all has no name.
            Err(_) if error.is_some() => Identity { element: "?".to_owned(), project: "?".to_owned() },
            Err(error) => return Err(error),
        };
        let mut shown = Shown {
            key: record.get("key")?,
            depends: record.get("depends")?.unwrap_or_default(),
            result: record.get("result")?,
            schedule: record.get("schedule")?,
            cache: record.get("cache")?,
            state: State::Waiting,
            record,
            identity,
            error,
        };
        shown.state = states.state(&mut shown)?;
        Ok(shown)
    }

    /// Whether it is a failure that has something to say.
    fn failed(&self) -> bool {
        self.state == State::Failed || self.error.is_some()
    }
}

/// Does what bst-show does.
pub fn run(arguments: &Arguments) -> Result<Exit> {
    let brush = Brush(When::from_word(arguments.text("color")?).colours(io::stdout().is_terminal()));
    if arguments.has("trace") {
        return print(&trace::trace(io::stdin().lock())?);
    }
    let store = Store::new(environment::store_root()?);
    let mut states = States::new(&store, arguments.has("non-strict"));
    let whole = ["dot", "failures", "html", "tree"].iter().any(|view| arguments.has(view));
    if whole || arguments.text("order")? == Some("alpha") {
        return all_at_once(arguments, &mut states, &store, brush);
    }
    one_by_one(arguments, &mut states, brush)
}

/// A line for each record as it comes.
fn one_by_one(arguments: &Arguments, states: &mut States<'_>, brush: Brush) -> Result<Exit> {
    let mut out = lines::Lines::new(arguments.text("format")?, brush)?;
    let mut failures = failures::Failures::default();
    let mut exit = Exit::Done;
    let status = each(states, &mut exit, |shown, waits| {
        out.push(&shown)?;
        if waits {
            out.flush()?;
        }
        let of_it = exit_of(&shown);
        if !arguments.has("format") && shown.state.is_worth_a_word(&shown) {
            failures.note(shown);
        }
        Ok(of_it)
    })?;
    out.finish()?;
    print(&failures.text(brush))?;
    Ok(exit.and(status))
}

/// Views of the whole.
fn all_at_once(arguments: &Arguments, states: &mut States<'_>, store: &Store, brush: Brush) -> Result<Exit> {
    let mut exit = Exit::Done;
    let mut all = Vec::new();
    let status = each(states, &mut exit, |shown, _| {
        let of_it = exit_of(&shown);
        all.push(shown);
        Ok(of_it)
    })?;
    if let Some(path) = arguments.value("html") {
        let events = arguments.value("events").map(Path::new);
        html::write(Path::new(path), &all, events, store)?;
    } else if arguments.has("dot") {
        print(&dot::dot(&all))?;
    } else if arguments.has("tree") {
        print(&tree::tree(&all, brush))?;
    } else if arguments.has("failures") {
        let mut failures = failures::Failures::default();
        all.into_iter().filter(|shown| shown.state.is_worth_a_word(shown)).for_each(|shown| failures.note(shown));
        print(failures.text(brush).trim_start_matches('\n'))?;
    } else {
        let local = |shown: &Shown| crate::values::name::local_name(&shown.identity.element).to_owned();
        all.sort_by_cached_key(local);
        let mut out = lines::Lines::new(arguments.text("format")?, brush)?;
        all.iter().try_for_each(|shown| out.push(shown))?;
        out.finish()?;
    }
    Ok(exit.and(status))
}

/// Gives each record of stdin to `take`, and whether the next one has to be waited for. `exit` becomes that
/// of lines which are no records; what comes back is that of the records.
fn each(states: &mut States<'_>, exit: &mut Exit, mut take: impl FnMut(Shown, bool) -> Result<Exit>) -> Result<Exit> {
    let mut reader = pipe::Reader::new(io::stdin());
    let mut status = Exit::Done;
    while let Some(record) = reader.next_record() {
        let waits = !reader.is_ready();
        match record.and_then(|record| Shown::of(record, states)) {
            Ok(shown) => status = status.and(take(shown, waits)?),
            Err(error) => {
                eprintln!("{}: {error}", SHOW.name);
                *exit = exit.and(error.code().exit());
                if error.os_error().is_some() {
                    break;
                }
            }
        }
    }
    Ok(status)
}

/// How the run that a record tells of ended for its element: the last program of a pipeline is the one whose
/// exit status counts. A record that no scheduler saw tells of no run.
fn exit_of(shown: &Shown) -> Exit {
    if let Some(problem) = &shown.error {
        return problem.code.exit();
    }
    let Some(schedule) = &shown.schedule else { return Exit::Done };
    match schedule.action {
        Action::Blocked => Exit::Blocked,
        Action::Cancelled => Exit::Stopped,
        Action::Replayed if !schedule.warn => Exit::CachedFailure,
        Action::Built if shown.state == State::Failed => {
            shown.result.as_ref().and_then(|result| result.class).map_or(Exit::Failed, |class| class.exit())
        }
        Action::Built | Action::Cached | Action::Replayed | Action::Skipped => Exit::Done,
    }
}

fn print(text: &str) -> Result<Exit> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Error::io("cannot write to", Path::new("stdout"), error))?;
    Ok(Exit::Done)
}
