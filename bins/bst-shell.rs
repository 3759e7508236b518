//! Opens a shell in the build root of a failed or kept build: bst-shell(1).

use bst_plumbing::edge::{cli, shell};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main_with_status(&cli::programs::SHELL, shell::run)
}
