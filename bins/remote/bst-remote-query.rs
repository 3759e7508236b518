//! Asks artifact servers what they have: bst-remote-query(1).

use bst_plumbing::edge::cli::programs::REMOTE_QUERY;
use bst_remote::artifact::records::Context;
use bst_remote::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    run::main(&REMOTE_QUERY, async |arguments| {
        let context = Context::new(REMOTE_QUERY.name, &arguments)?;
        run::records(REMOTE_QUERY.name, &context.store, &arguments, |record| context.clone().query(record)).await
    })
}
