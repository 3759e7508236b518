//! Brings the sources of records into the store: bst-fetch(1).

use bst_plumbing::edge::{cli, environment};
use bst_remote::source_cache::blocking::SourceCaches;
use bst_remote::sources::fetch;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::FETCH, |arguments| {
        let config = environment::user_config(None)?;
        let options = fetch::Options::new(arguments, &config)?;
        let caches = SourceCaches::new(cli::programs::FETCH.name, arguments);
        let store = environment::store_with_downloads(&config)?;
        fetch::run(cli::programs::FETCH.name, &store, &options, &caches)
    })
}
