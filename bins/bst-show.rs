//! Shows records as text for people: bst-show(1).

use bst_plumbing::edge::{cli, show};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::SHOW, show::run)
}
