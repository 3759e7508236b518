//! Prints the log of builds: bst-log(1).

use bst_plumbing::edge::cli::{self, Arguments, programs::LOG};
use bst_plumbing::edge::{environment, pipe};
use bst_plumbing::store::log::{self, Log};
use bst_plumbing::store::{Store, naming};
use bst_plumbing::values::result::BuildResult;
use bst_plumbing::values::{Exit, Record, Result};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&LOG, |arguments| {
        let store = Store::new(environment::store_root()?);
        if arguments.operands().is_empty() {
            return from_stdin(&store, arguments);
        }
        let attempt = arguments.parsed("attempt", "a number")?;
        for word in arguments.operand_texts()? {
            let log = log::of_word(&store, word, attempt)?;
            let name = naming::name(&store, word)?;
            let result = store.metadata().read(&name)?.map(|metadata| metadata.result);
            print(&store, arguments, &log, &name.to_string(), result.filter(|_| attempt.is_none()))?;
        }
        Ok(Exit::Done)
    })
}

/// The log of each record. One without a log is named, and the others go on.
fn from_stdin(store: &Store, arguments: &Arguments) -> Result<Exit> {
    let attempt = arguments.parsed("attempt", "a number")?;
    let mut reader = pipe::Reader::new(std::io::stdin());
    let mut exit = Exit::Done;
    while let Some(record) = reader.next_record() {
        let mut label = "a record".to_owned();
        let outcome = record.and_then(|record: Record| {
            label = record.get::<String>("element")?.unwrap_or_else(|| record.label());
            let log = log::of_record(store, &record, attempt)?;
            print(store, arguments, &log, &label, record.get("result")?)
        });
        if let Err(error) = outcome {
            eprintln!("{}: {label}: {error}", LOG.name);
            exit = exit.and(error.code().exit());
        }
    }
    Ok(exit)
}

fn print(store: &Store, arguments: &Arguments, log: &Log, name: &str, result: Option<BuildResult>) -> Result<()> {
    if !arguments.has("quiet") {
        eprintln!("{}: {name}{}", LOG.name, result.map_or(String::new(), |result| told(&result)));
    }
    log.write(store, arguments.parsed("lines", "a number of lines")?, &mut std::io::stdout().lock())
}

/// What is known of the build, in words.
fn told(result: &BuildResult) -> String {
    let what = match (result.success, result.class) {
        (true, _) => ": success".to_owned(),
        (false, Some(class)) => format!(": failure ({})", class.word()),
        (false, None) => ": failure".to_owned(),
    };
    let host = result.host.as_ref().map_or(String::new(), |host| format!(", on {host}"));
    let time = result.finished.or(result.started).map_or(String::new(), |time| format!(", {time}"));
    what + &host + &time
}
