//! What bst-shell does with its words and records.

use super::cli::{Arguments, programs};
use super::{environment, pipe};
use crate::doing::build::Seen;
use crate::doing::shell::{Entry, Shell};
use crate::store::Store;
use crate::values::record::{Build, Cache, Dependency, DependencyType, Record, Staged};
use crate::values::{Error, Key, Result, name::ArtifactName};
use std::io::stdin;

/// Opens the shell that a command line asks for; the exit status of the command.
pub fn run(arguments: &Arguments) -> Result<i32> {
    environment::set_umask();
    let store = Store::new(environment::store_root()?);
    let shell = Shell { store: &store, bwrap: environment::find_program("bwrap"), extra: environment::terminal() };
    let mut words: Vec<String> = arguments.operand_texts()?.into_iter().map(str::to_owned).collect();
    let named = words.first().and_then(|word| word.parse::<ArtifactName>().ok());
    if named.is_some() {
        words.remove(0);
    }
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    match named {
        Some(name) if arguments.has("runtime") => {
            shell.at_run_time(&[name], Vec::new(), arguments.has("allow-failed"), &words)
        }
        Some(name) => enter(&shell, &name, &words),
        None if arguments.has("runtime") => run_time(&shell, arguments.has("allow-failed"), &words),
        None => {
            let record = last_record(&mut Seen::default())?;
            enter(&shell, &record.artifact_name(key(&record)?)?, &words)
        }
    }
}

/// Enters a build root, and says what it is.
fn enter(shell: &Shell, name: &ArtifactName, command: &[String]) -> Result<i32> {
    let entry = shell.find(name)?;
    eprintln!("{}: {}", programs::SHELL.name, description(name, &entry));
    shell.in_build_root(name, &entry, command)
}

fn description(name: &ArtifactName, entry: &Entry) -> String {
    let word = if entry.artifact.build_success { "a build" } else { "a failed build" };
    let mut text = format!("the build root of {}/{}, {word}", name.project(), name.element());
    if let Some(time) = entry.result.finished {
        text += &format!(" of {time}");
    }
    if let Some(host) = &entry.result.host {
        text += &format!(" on {host}");
    }
    if let Some(command) = &entry.result.command {
        text += &format!("; failed: {}", command.escape_debug());
    }
    text
}

/// Enters a root with the last record's artifact and all that it needs to run.
fn run_time(shell: &Shell, allow_failed: bool, command: &[String]) -> Result<i32> {
    let mut seen = Seen::default();
    let record = last_record(&mut seen)?;
    let identity = record.identity()?;
    let itself = Dependency {
        element: identity.element,
        key: Some(key(&record)?),
        project: identity.project,
        strict: false,
        when: DependencyType::All,
    };
    let staged: Vec<Staged> = seen.stage(&[itself])?;
    let names = staged.iter().map(|it| ArtifactName::new(&it.project, &it.element, it.key));
    let names = names.collect::<Result<Vec<_>>>()?;
    let build: Option<Build> = record.get("build")?;
    let environment = build.map(|build| build.environment).unwrap_or_default().into_iter().collect();
    shell.at_run_time(&names, environment, allow_failed, command)
}

/// The last record of stdin; those before it are what it may depend on.
fn last_record(seen: &mut Seen) -> Result<Record> {
    let mut reader = pipe::Reader::new(stdin());
    let mut last = None;
    while let Some(record) = reader.next_record() {
        let record = record?;
        seen.add(&record)?;
        last = Some(record);
    }
    last.ok_or_else(|| Error::usage("there is no record on stdin, and no PROJECT/ELEMENT/KEY on the command line"))
}

/// The key under which the record's artifact is found.
fn key(record: &Record) -> Result<Key> {
    let cache: Option<Cache> = record.get("cache")?;
    match cache.and_then(|cache| cache.key) {
        Some(key) => Ok(key),
        None => record.require("key"),
    }
}
