//! Finds new refs for the sources of records and writes them: bst-track(1).

use bst_plumbing::edge::{cli, environment};
use bst_remote::sources::{fetch, track};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::TRACK, |arguments| {
        let config = environment::user_config(None)?;
        let options = fetch::Options::new(arguments, &config)?;
        track::run(cli::programs::TRACK.name, &environment::store_with_downloads(&config)?, &options)
    })
}
