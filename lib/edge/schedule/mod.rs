//! The outside of bst-schedule: from its arguments to a run, and what people and files see of it.

mod events;
mod lines;
mod live;
mod watcher;

use super::cli::Arguments;
use super::colour::When;
use super::{environment, pipe, sibling};
use crate::doing::policy::{Action, Classes, OnCachedFailure, OnError, Policy, parse_duration};
use crate::doing::schedule::{self, Feeder, Options, Pipeline};
use crate::store::Store;
use crate::values::{Error, Exit, Result};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use watcher::Outside;

/// As many records go from the reader to the scheduler at a time.
const BATCH: usize = 64;

/// Does what bst-schedule does.
pub fn run(arguments: &Arguments) -> Result<Exit> {
    let options = options(arguments)?;
    // A reader that left must not leave jobs behind: the run ends in order, and then as the signal says.
    // SAFETY: no other thread runs yet, and ignoring is always a valid action.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let color = When::from_word(arguments.text("color")?);
    let mut outside = Outside::new(arguments.text("events")?, arguments.has("quiet"), color)?;
    for problem in problems(&options) {
        outside.warn(&problem);
    }
    let (feeder, mut feed) = schedule::feed()?;
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || read(&feeder))
        .map_err(|error| Error::io("cannot start", std::path::Path::new("a thread"), error))?;
    let outcome = schedule::run(&options, &mut feed, &mut outside);
    if let Err(error) = &outcome {
        if error.os_error() == Some(libc::EPIPE) {
            // SAFETY: the default action is a valid one; it ends this process.
            unsafe {
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
                libc::raise(libc::SIGPIPE);
            }
        }
    }
    outcome
}

/// Reads stdin to its end. Batches go out when nothing more can be had without waiting.
fn read(feeder: &Feeder) {
    let mut reader = pipe::Reader::new(std::io::stdin());
    let mut batch = Vec::new();
    while let Some(record) = reader.next_record() {
        let failed = record.as_ref().is_err_and(|error| error.os_error().is_some());
        batch.push(record);
        if (batch.len() >= BATCH || !reader.is_ready()) && !feeder.send(std::mem::take(&mut batch)) || failed {
            break;
        }
    }
    if !batch.is_empty() {
        feeder.send(batch);
    }
}

fn options(arguments: &Arguments) -> Result<Options> {
    let max_failures = count(arguments, "max-failures")?;
    let on_error = match arguments.text("on-error")? {
        Some(word) => on_error(word)?,
        None if max_failures.is_some() => OnError::Do(Action::Continue),
        None => OnError::Do(Action::Quit),
    };
    let policy = Policy {
        on_error,
        on_cached_failure: OnCachedFailure::from_word(arguments.text("on-cached-failure")?.unwrap_or("replay"))?,
        retry: arguments.text("retry")?.map(|words| named("retry", Classes::parse(words))).transpose()?,
        replay: named("replay", Classes::parse(arguments.text("replay")?.unwrap_or("all")))?,
        failure_ttl: duration(arguments, "failure-ttl")?,
        max_attempts: count(arguments, "max-attempts")?.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
    };
    let jobs = match count(arguments, "jobs")? {
        Some(jobs) => jobs,
        None => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    Ok(Options {
        pipeline: pipeline(arguments.operands())?,
        jobs,
        policy,
        on_error_default: OnError::fixed(arguments.text("on-error-default")?.unwrap_or("quit"))?,
        hook_timeout: duration(arguments, "hook-timeout")?.unwrap_or(Duration::from_secs(300)),
        max_failures,
        non_strict: arguments.has("non-strict"),
        needed: arguments.has("needed"),
        store: Store::new(environment::store_root()?),
    })
}

/// The message of an error names the flag.
fn named<T>(flag: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| Error::usage(format!("--{flag}: {error}")))
}

fn on_error(word: &str) -> Result<OnError> {
    match word.strip_prefix("exec:") {
        Some("") => Err(Error::usage("--on-error: exec: wants a program: exec:PROG")),
        Some(program) => Ok(OnError::Ask(environment::find_program(program).unwrap_or_else(|| PathBuf::from(program)))),
        None => OnError::fixed(word)
            .map(OnError::Do)
            .map_err(|error| Error::usage(format!("--on-error: {error}, or exec:PROG"))),
    }
}

/// A number that is not zero.
fn count(arguments: &Arguments, flag: &str) -> Result<Option<usize>> {
    let count: Option<usize> = arguments.parsed(flag, "a number from 1")?;
    match count {
        Some(0) => Err(Error::usage(format!("--{flag} wants a number from 1, found \"0\""))),
        count => Ok(count),
    }
}

fn duration(arguments: &Arguments, flag: &str) -> Result<Option<Duration>> {
    arguments.text(flag)?.map(|text| named(flag, parse_duration(text))).transpose()
}

/// CMD: the words of the command line, or the suite's own programs from where this one is.
fn pipeline(words: &[OsString]) -> Result<Pipeline> {
    let Some((program, rest)) = words.split_first() else {
        let mut paths = Vec::new();
        for name in ["bst-fetch", "bst-build", "bst-commit-artifact"] {
            let path = sibling::path(name)?;
            // The programs that use the network are a package of their own: without it sources have to be there.
            if name != "bst-fetch" || environment::is_program(&path) {
                paths.push(path);
            }
        }
        return Ok(Pipeline::suite(paths));
    };
    let path = environment::find_program(program).ok_or_else(|| {
        Error::usage(format!(
            "there is no program \"{}\" on the search path",
            program.to_string_lossy().escape_default()
        ))
    })?;
    Ok(Pipeline::single(path, rest.to_vec()))
}

/// What will not work, as far as that can be seen at the begin.
fn problems(options: &Options) -> Vec<String> {
    match &options.policy.on_error {
        OnError::Ask(hook) if !environment::is_program(hook) => {
            let fallback = options.on_error_default.word();
            vec![format!("the hook {} is no program that can be run: {fallback} after each failure", hook.display())]
        }
        _ => Vec::new(),
    }
}
