//! Runs a command for each element whose artifact is missing: bst-schedule(1).

use bst_plumbing::edge::{cli, schedule};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::SCHEDULE, schedule::run)
}
