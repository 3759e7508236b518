//! Loads a project and writes a record with its keys for each element: bst-key(1).

use bst_plumbing::edge::cli::{self, Arguments, programs::KEY};
use bst_plumbing::edge::{environment, pipe};
use bst_plumbing::project::cachekey::Which;
use bst_plumbing::project::graph::Scope;
use bst_plumbing::project::helper::Helpers;
use bst_plumbing::project::load::{self, Line, Request};
use bst_plumbing::project::plugins::python::Environments;
use bst_plumbing::project::rekey::Records;
use bst_plumbing::project::settings::Settings;
use bst_plumbing::store::Store;
use bst_plumbing::values::{Error, Exit, Record, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    cli::main(&KEY, |arguments| if arguments.has("stdin") { from_stdin(arguments) } else { from_project(arguments) })
}

fn from_project(arguments: &Arguments) -> Result<Exit> {
    let targets: Vec<String> = arguments.operand_texts()?.into_iter().map(str::to_owned).collect();
    if arguments.has("all") && !targets.is_empty() {
        return Err(Error::usage("--all and targets exclude one another"));
    }
    let request = Request { targets, all: arguments.has("all"), scope: scope(arguments)? };
    let settings = settings(arguments)?;
    let store = settings.store.clone();
    let mut loaded = load::load(settings, &directory(arguments)?, &request);
    let lenient = !arguments.has("strict") && (arguments.has("no-strict") || loaded.user_is_lenient());
    if let (true, Some(store)) = (lenient, store) {
        loaded.be_lenient(&Store::new(store));
    }
    let changed = texts(arguments, "what-if")?;
    if !changed.is_empty() {
        loaded.what_if(&changed, lenient)?;
    }
    let mut writer = pipe::stdout();
    let mut exit = Exit::Done;
    for line in &loaded.lines {
        match (line, arguments.has("explain")) {
            (Line::Element(position), true) if loaded.error(*position).is_none() => {
                push_text(&mut writer, loaded.explain(*position, which(arguments)))?;
            }
            (_, explain) => {
                let (record, error) = loaded.record(line)?;
                exit = exit.and(complain(&record, error.as_ref()));
                if !explain {
                    writer.push(&record)?;
                }
            }
        }
    }
    writer.flush()?;
    // The process ends: taking apart what was loaded would only cost time.
    std::mem::forget(loaded);
    Ok(exit)
}

fn from_stdin(arguments: &Arguments) -> Result<Exit> {
    let mut reader = pipe::Reader::new(std::io::stdin());
    let mut records = Vec::new();
    let mut exit = Exit::Done;
    while let Some(record) = reader.next_record() {
        match record {
            Ok(record) => records.push(record),
            Err(error) => exit = exit.and(complain(&Record::default(), Some(&error))),
        }
    }
    let records = Records::new(records, environment::machine().processors);
    let mut writer = pipe::stdout();
    if arguments.has("explain") {
        for text in records.explain(which(arguments)) {
            push_text(&mut writer, Some(text))?;
        }
    } else {
        for (record, error) in records.finish(arguments.has("changed"))? {
            exit = exit.and(complain(&record, error.as_ref()));
            writer.push(&record)?;
        }
    }
    writer.flush()?;
    Ok(exit)
}

fn push_text(writer: &mut pipe::Writer<pipe::Stdout>, text: Option<Vec<u8>>) -> Result<()> {
    let Some(mut text) = text else { return Ok(()) };
    text.push(b'\n');
    writer.push_line(&text)
}

/// Says on stderr what is wrong with a record; the exit that it asks for.
fn complain(record: &Record, error: Option<&Error>) -> Exit {
    let Some(error) = error else { return Exit::Done };
    eprintln!("{}: {}: {error}", KEY.name, record.label());
    error.code().exit()
}

fn which(arguments: &Arguments) -> Which {
    if arguments.has("weak") { Which::Weak } else { Which::Strict }
}

fn texts(arguments: &Arguments, flag: &'static str) -> Result<Vec<String>> {
    let text = |word: &std::ffi::OsStr| {
        let text = word.to_str().map(str::to_owned);
        text.ok_or_else(|| Error::usage(format!("--{flag}: \"{}\" is no UTF-8", word.to_string_lossy())))
    };
    arguments.values(flag).map(text).collect()
}

fn scope(arguments: &Arguments) -> Result<Scope> {
    Ok(match arguments.text("deps")? {
        Some("build") => Scope::Build,
        Some("run") => Scope::Run,
        Some("none") => Scope::None,
        _ => Scope::All,
    })
}

fn directory(arguments: &Arguments) -> Result<PathBuf> {
    let named = arguments.value("directory").map_or(Path::new("."), Path::new);
    std::path::absolute(named).map_err(|error| Error::io("cannot find", named, error))
}

fn settings(arguments: &Arguments) -> Result<Settings> {
    let user = environment::user_config(arguments.value("config").map(Path::new))?;
    let machine = environment::machine();
    let mut options = Vec::new();
    for (name, value) in arguments.pairs("option") {
        let text = |word: &std::ffi::OsStr| {
            word.to_str()
                .map(str::to_owned)
                .ok_or_else(|| Error::usage(format!("-o: \"{}\" is no UTF-8", word.to_string_lossy())))
        };
        options.push((text(name)?, text(value)?));
    }
    Ok(Settings {
        threads: machine.processors,
        machine,
        options,
        max_jobs: arguments.parsed("max-jobs", "a number of jobs")?,
        python: Environments::new(environment::python()),
        helpers: Helpers::new(environment::helper_directories(), Some(Duration::from_secs(60))),
        store: environment::store_of(&user).ok(),
        user,
    })
}
