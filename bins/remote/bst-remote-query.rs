//! Asks artifact servers what they have: bst-remote-query(1).

use bst_plumbing::edge::cli::programs::REMOTE_QUERY;
use bst_remote::options::What;
use bst_remote::record::Context;
use bst_remote::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    run::main(&REMOTE_QUERY, async |arguments| {
        let context = Context::new(REMOTE_QUERY.name, What::Artifacts, &arguments)?;
        let treat = |record| context.clone().query(record);
        run::selected(&REMOTE_QUERY, &context.store, &arguments, treat, |record| context.lets_through(record)).await
    })
}
