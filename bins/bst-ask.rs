//! Asks the person at the terminal what follows from a failed build: bst-ask(1).

use bst_plumbing::edge::{ask, cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::ASK, |_| ask::run())
}
