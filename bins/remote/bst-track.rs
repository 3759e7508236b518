//! Finds new refs for the sources of records and writes them: bst-track(1).

use bst_plumbing::edge::{cli, environment};
use bst_plumbing::store::Store;
use bst_remote::sources::{fetch, track};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    cli::main(&cli::programs::TRACK, |arguments| {
        let options = fetch::Options {
            jobs: arguments.parsed("jobs", "a number")?.unwrap_or(10),
            retries: arguments.parsed("retries", "a number")?.unwrap_or(2),
            silence: arguments.parsed("timeout", "a number of seconds")?.map(Duration::from_secs),
            dry_run: arguments.has("dry-run"),
            home: environment::home(),
        };
        track::run(cli::programs::TRACK.name, &Store::new(environment::store_root()?), &options)
    })
}
