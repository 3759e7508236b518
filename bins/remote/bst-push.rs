//! Sends artifacts of the store to artifact servers, or sources to source caches: bst-push(1).

use bst_plumbing::edge::cli::programs::PUSH;
use bst_remote::options::What;
use bst_remote::record::Context;
use bst_remote::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    run::main(&PUSH, async |arguments| {
        if arguments.has("sources") {
            let context = Context::new(PUSH.name, What::Sources, &arguments)?;
            return run::records(&PUSH, &context.store, &arguments, |record| context.clone().push_sources(record))
                .await;
        }
        let context = Context::new(PUSH.name, What::Artifacts, &arguments)?;
        run::records(&PUSH, &context.store, &arguments, |record| context.clone().push(record)).await
    })
}
