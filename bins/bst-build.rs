//! Builds the element of each record in a sandbox: bst-build(1).

use bst_plumbing::doing::build::{Builder, Elsewhere, Job, Rules, Seen};
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::edge::{cli, environment, pipe, selection, sibling, signals::Signals};
use bst_plumbing::project::userconfig::CacheBuildtrees;
use bst_plumbing::store::Store;
use bst_plumbing::values::{Exit, Result, result::FailureClass, result::Standing};
use std::cell::Cell;
use std::process::ExitCode;

fn main() -> ExitCode {
    let program = &cli::programs::BUILD;
    let exit = cli::main(program, |arguments| {
        let signals = Signals::take()?;
        environment::set_umask();
        let builder = Builder {
            store: Store::new(environment::store_root()?),
            bwrap: environment::find_program("bwrap"),
            name: format!("{} {}", program.name, cli::VERSION),
            host: environment::host(),
            timeout: selection::duration(arguments, "timeout")?,
            memory: arguments.size("memory")?,
            processes: arguments.parsed("processes", "a number")?,
            keep: arguments.has("keep-work"),
            cancel: &signals,
            rules: arguments
                .value("classify")
                .map_or_else(|| Ok(Rules::default()), |file| Rules::load(file.as_ref()))?,
            // Nothing is put on disk for commands that run elsewhere.
            overlays: Cell::new(!arguments.has("remote-execution")),
            elsewhere: elsewhere(arguments)?,
        };
        let mut seen = Seen::default();
        pipe::filter(program.name, |record| {
            seen.add(record)?;
            let built = builder.build(&Job::read(record, &seen)?)?;
            record.set("work", &built.work)?;
            record.set("result", &built.result)?;
            Ok(match built.result.class.map(FailureClass::standing) {
                None => Exit::Done,
                Some(Standing::Logged) => Exit::Environment,
                Some(_) => Exit::Failed,
            })
        })
    });
    Signals::pass_on();
    exit
}

/// What `--remote-execution` asks for.
fn elsewhere(arguments: &Arguments) -> Result<Option<Elsewhere>> {
    if !arguments.has("remote-execution") {
        return Ok(None);
    }
    let keep_buildtrees = environment::user_config(None)?.cache.cache_buildtrees == CacheBuildtrees::Always;
    Ok(Some(Elsewhere { program: sibling::path("bst-remote-execute")?, keep_buildtrees }))
}
