//! Brings the sources of records into the store: bst-fetch(1).

use bst_plumbing::edge::{cli, environment};
use bst_remote::sources::fetch;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::FETCH, |arguments| {
        let config = environment::user_config(None)?;
        let options = fetch::Options::new(arguments, &config)?;
        fetch::run(cli::programs::FETCH.name, &environment::store_with_downloads(&config)?, &options)
    })
}
