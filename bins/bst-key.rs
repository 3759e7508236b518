//! Loads a project and writes a record with its keys for each element: bst-key(1).

use bst_plumbing::edge::cli::{self, Arguments, programs::KEY};
use bst_plumbing::edge::{environment, pipe};
use bst_plumbing::project::graph::Scope;
use bst_plumbing::project::helper::Helpers;
use bst_plumbing::project::load::{self, Request};
use bst_plumbing::project::plugins::python::Environments;
use bst_plumbing::project::settings::Settings;
use bst_plumbing::values::{Error, Exit, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    cli::main(&KEY, |arguments| {
        let targets: Vec<String> = arguments.operand_texts()?.into_iter().map(str::to_owned).collect();
        if arguments.has("all") && !targets.is_empty() {
            return Err(Error::usage("--all and targets exclude one another"));
        }
        let request = Request { targets, all: arguments.has("all"), scope: scope(arguments)? };
        let loaded = load::load(settings(arguments)?, &directory(arguments)?, &request);
        let mut writer = pipe::stdout();
        let mut exit = Exit::Done;
        for line in &loaded.lines {
            let (record, error) = loaded.record(line)?;
            if let Some(error) = error {
                eprintln!("{}: {}: {error}", KEY.name, record.label());
                exit = exit.and(error.code().exit());
            }
            writer.push(&record)?;
        }
        writer.flush()?;
        Ok(exit)
    })
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
