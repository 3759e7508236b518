//! Says what the store has for the keys of records: bst-cache-query(1).

use bst_plumbing::edge::cli::{self, Arguments, programs::CACHE_QUERY};
use bst_plumbing::edge::{environment, pipe, selection, sibling};
use bst_plumbing::store::inventory::{Entry, Inventory};
use bst_plumbing::store::lookup::Answer;
use bst_plumbing::store::query::{How, Query, Replay};
use bst_plumbing::store::select::Selection;
use bst_plumbing::store::{Store, naming};
use bst_plumbing::values::record::State;
use bst_plumbing::values::{Error, Exit, Record, Result};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&CACHE_QUERY, |arguments| {
        if arguments.has("remote") {
            return Err(sibling::become_program("bst-remote-query", std::env::args_os().skip(1)));
        }
        let store = Store::new(environment::store_root()?);
        let selection = selection::of(arguments)?;
        match (arguments.has("all"), arguments.operands().is_empty()) {
            (true, true) => list(&store, &selection),
            (true, false) => Err(Error::usage("--all and keys exclude one another")),
            (false, true) => from_stdin(&store, how(arguments)?, &selection),
            (false, false) => by_name(&store, how(arguments)?, &selection, &arguments.operand_texts()?),
        }
    })
}

fn how(arguments: &Arguments) -> Result<How> {
    Ok(How {
        non_strict: arguments.has("non-strict") || arguments.has("no-strict"),
        failure_ttl: selection::duration(arguments, "failure-ttl")?,
        replay: arguments.text("replay")?.map(str::parse::<Replay>).transpose()?,
        exists: arguments.has("exists"),
    })
}

/// Answers each record of stdin.
fn from_stdin(store: &Store, how: How, selection: &Selection) -> Result<Exit> {
    let mut query = Query::new(store, how);
    let mut matched = false;
    let exit = pipe::select(CACHE_QUERY.name, |record| {
        let Some(answer) = query.treat(record)? else {
            return Ok(selection.is_everything().then_some(Exit::Done));
        };
        warn(&answer);
        if selection.is_everything() {
            return Ok(Some(exit_of(answer.cache.state)));
        }
        let chosen = selection.has_answer(store, record, &answer)?;
        matched |= chosen;
        Ok(chosen.then_some(Exit::Done))
    })?;
    Ok(if selection.is_everything() || matched { exit } else { exit.and(Exit::No) })
}

/// Answers each key or name of the command line.
fn by_name(store: &Store, how: How, selection: &Selection, words: &[&str]) -> Result<Exit> {
    let mut query = Query::new(store, how);
    let mut writer = pipe::stdout();
    let (mut exit, mut matched) = (Exit::Done, false);
    for word in words {
        for mut record in naming::records(store, word)? {
            let Some(answer) = query.treat(&mut record)? else { continue };
            warn(&answer);
            if selection.is_everything() {
                exit = exit.and(exit_of(answer.cache.state));
            } else if !selection.has_answer(store, &record, &answer)? {
                continue;
            }
            matched = true;
            writer.push(&record)?;
        }
    }
    writer.flush()?;
    Ok(if matched { exit } else { exit.and(Exit::No) })
}

/// Lists the store.
fn list(store: &Store, selection: &Selection) -> Result<Exit> {
    let mut writer = pipe::stdout();
    let mut exit = Exit::No;
    for entry in Inventory::new(store).all() {
        let entry = entry?;
        if !selection.has(&entry) {
            continue;
        }
        writer.push(&record_of(&entry)?)?;
        if exit == Exit::No {
            // Whoever waits for the first one need not wait for the others.
            writer.flush()?;
            exit = Exit::Done;
        }
    }
    writer.flush()?;
    Ok(exit)
}

fn record_of(entry: &Entry) -> Result<Record> {
    if let Some(problem) = &entry.problem {
        eprintln!("{}: {}: {problem}", CACHE_QUERY.name, entry.name);
    }
    entry.to_record()
}

fn exit_of(state: State) -> Exit {
    match state {
        State::Cached => Exit::Done,
        State::Failed => Exit::CachedFailure,
        State::Absent => Exit::No,
        State::Damaged => Exit::Damaged,
    }
}

fn warn(answer: &Answer) {
    if let Some(problem) = &answer.problem {
        eprintln!("{}: {problem}", CACHE_QUERY.name);
    }
}
