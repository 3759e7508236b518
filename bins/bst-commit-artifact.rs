//! Stores the build of each record, success or failure: bst-commit-artifact(1).

use bst_plumbing::doing::build::Seen;
use bst_plumbing::doing::commit::{CacheBuildtrees, Committer};
use bst_plumbing::edge::{cli, environment, pipe};
use bst_plumbing::store::{Store, commit::Rules};
use bst_plumbing::values::{Exit, error::ErrorRecord};
use std::process::ExitCode;

fn main() -> ExitCode {
    let program = &cli::programs::COMMIT_ARTIFACT;
    cli::main(program, |arguments| {
        environment::set_umask();
        let buildtrees = match arguments.text("cache-buildtrees")? {
            Some("always") => CacheBuildtrees::Always,
            Some("never") => CacheBuildtrees::Never,
            _ => CacheBuildtrees::Auto,
        };
        let rules = Rules { keep_all: arguments.text("keep")? == Some("all"), replace: arguments.has("replace") };
        let committer = Committer::new(Store::new(environment::store_root()?), buildtrees, rules)?;
        let mut seen = Seen::default();
        pipe::filter(program.name, |record| {
            seen.add(record)?;
            // What was not built is passed on with its reason.
            if let Some(error) = record.get::<ErrorRecord>("error")?.filter(|_| !record.has("work")) {
                return Ok(error.code.exit());
            }
            committer.commit(record, &seen)?;
            Ok(Exit::Done)
        })
    })
}
