//! Sends artifacts of the store to artifact servers: bst-push(1).

use bst_plumbing::edge::cli::programs::PUSH;
use bst_remote::artifact::records::Context;
use bst_remote::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    run::main(&PUSH, async |arguments| {
        let context = Context::new(PUSH.name, &arguments)?;
        run::records(PUSH.name, &context.store, &arguments, |record| context.clone().push(record)).await
    })
}
