//! Runs an action of the store on an execution service: bst-remote-execute(1).

use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::edge::cli::programs::REMOTE_EXECUTE;
use bst_plumbing::edge::{environment, pipe};
use bst_plumbing::store::{Store, lease::Lease};
use bst_plumbing::values::{Digest, Error, Exit, Record, Result};
use bst_remote::execute::{How, Outcome, Services};
use bst_remote::run::{self, Interrupt};
use bst_remote::wire::execution::Running;
use bst_remote::wire::server::Compress;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run::main_until(&REMOTE_EXECUTE, async |arguments, interrupt| {
        let mut record = Record::default();
        let exit = match execute(&arguments, interrupt).await {
            Ok(Some(outcome)) => {
                record.set("cached", &outcome.cached)?;
                record.set("exit_code", &outcome.exit_code)?;
                record.set("outputs", &outcome.outputs)?;
                record.set("worker", &outcome.worker)?;
                Exit::Done
            }
            Ok(None) => return Ok(Exit::Stopped),
            Err(error) => {
                eprintln!("{}: {error}", REMOTE_EXECUTE.name);
                record.set_error(&error)?;
                error.code().exit()
            }
        };
        let mut writer = pipe::stdout();
        writer.push(&record)?;
        writer.flush()?;
        Ok(exit)
    })
}

async fn execute(arguments: &Arguments, mut interrupt: Interrupt) -> Result<Option<Outcome>> {
    let action: Digest = match arguments.operand_texts()?[..] {
        [action] => action.parse()?,
        _ => return Err(Error::usage("name one action")),
    };
    let user = environment::user_config(None)?;
    let project = arguments.text("project")?.and_then(|name| user.project(name));
    let configuration = project.and_then(|project| project.remote_execution.as_ref());
    let configuration = configuration
        .or(user.remote_execution.as_ref())
        .ok_or_else(|| Error::usage("the user's configuration has no remote-execution; see bst-remote-execute(1)"))?;
    let services = Services::of(configuration, user.cache.storage_service.as_ref(), Compress::Auto)?;
    let also = arguments.values("also").map(|value| value.to_string_lossy().parse()).collect::<Result<_>>()?;
    let how = How { also, skip_cache: arguments.has("skip-cache") };
    let store = Store::new(environment::store_of(&user)?);
    let _lease = Lease::take(&store)?;
    let log = log(arguments.value("log").map(Path::new))?;
    let running = Running::default();
    tokio::select! {
        outcome = services.run(&store, action, &how, &log, &running) => outcome.map(Some),
        () = interrupt.wait() => {
            if let Some(execution) = &services.execution {
                execution.cancel(&running).await;
            }
            Ok(None)
        }
    }
}

/// Where the output of the action goes: a file, at its end, or stderr.
fn log(path: Option<&Path>) -> Result<File> {
    let path = path.unwrap_or(Path::new("/dev/stderr"));
    File::options().create(true).append(true).open(path).map_err(|error| Error::io("cannot write", path, error))
}
