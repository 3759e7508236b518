//! Programs of the host: git, patch and their like.

use crate::values::{Code, Error, Result};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

/// How much of what a program said goes into an error.
const MOST_WORDS: usize = 2000;

/// A program that sees no terminal and speaks the language of programs.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("LC_ALL", "C").env("TZ", "UTC");
    command
}

/// Cuts a program off from the terminal: it must not ask anybody.
pub fn without_terminal(command: &mut Command) -> &mut Command {
    // SAFETY: setsid(2) may be called between fork and exec, and nothing else is done there.
    unsafe {
        command.pre_exec(|| {
            // It fails only where the process is a leader already, and then it has no terminal to lose.
            let _ = rustix::process::setsid();
            Ok(())
        })
    }
}

/// Runs a program to its end, whatever that is.
pub fn output(command: &mut Command) -> Result<Output> {
    command.output().map_err(|error| cannot_run(command, &error))
}

/// Runs a program that must succeed: what it wrote to stdout.
pub fn run(command: &mut Command, what: &str) -> Result<Vec<u8>> {
    let output = output(command)?;
    if output.status.success() { Ok(output.stdout) } else { Err(failed(what, &output)) }
}

/// That a program did not succeed, with the end of what it said.
pub fn failed(what: &str, output: &Output) -> Error {
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said);
    let said = said.trim_end();
    let start = said.char_indices().rev().nth(MOST_WORDS).map_or(0, |(at, _)| at);
    Error::new(Code::Source, format!("{what} ({}): {}", output.status, &said[start..]))
}

/// That a program could not even be started.
pub fn cannot_run(command: &Command, error: &std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Error::new(Code::Source, format!("the program {program} is not on the search path; install it"));
    }
    Error::new(Code::Source, format!("cannot run {program}: {error}"))
}
