//! Brings artifacts from artifact servers into the store: bst-pull(1).

use bst_plumbing::edge::cli::programs::PULL;
use bst_remote::options::What;
use bst_remote::record::Context;
use bst_remote::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    run::main(&PULL, async |arguments| {
        let context = Context::new(PULL.name, What::Artifacts, &arguments)?;
        run::records(&PULL, &context.store, &arguments, |record| context.clone().pull(record)).await
    })
}
