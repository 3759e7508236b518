//! One table for each program feeds its parser, its `--help`, the completions and the check of its man page.

pub mod completions;
mod help;
mod parse;
pub mod programs;

pub use parse::Arguments;

use crate::values::{Exit, Result};
use std::process::ExitCode;

/// The table of one program.
pub struct Program {
    /// Its name: `bst-cat`.
    pub name: &'static str,
    /// What it does, in one line without full stop.
    pub summary: &'static str,
    /// What stands behind the name, one line for each way to call it: `[OPTION...] DIGEST...`.
    pub usage: &'static [&'static str],
    /// The flags, apart from `-h`, `--help` and `--version`, which each program has.
    pub flags: &'static [Flag],
    /// How many operands there may be.
    pub operands: Operands,
}

/// One flag.
pub struct Flag {
    pub short: Option<char>,
    /// Without the dashes; unique in its program.
    pub long: &'static str,
    pub takes: Takes,
    /// One sentence without full stop.
    pub help: &'static str,
}

/// What follows a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// One value, shown as this word.
    Value(&'static str),
    /// One value of a closed set.
    Choice(&'static [&'static str]),
    /// A comma-separated list of words of a closed set.
    Choices(&'static [&'static str]),
    /// Two values, as `-o NAME VALUE`.
    Pair(&'static str, &'static str),
}

/// What may stand beside the flags.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operands {
    None,
    /// From the first to at most the second number.
    Some(usize, usize),
    /// Everything from the first operand on, or after `--`, belongs to another command.
    Command,
}

/// What the main function of a program is: parses the command line, calls `body`, says on stderr what went
/// wrong, and makes the exit code.
///
/// A pipe that the reader closed ends the program by SIGPIPE, as it ends any filter.
pub fn main(program: &'static Program, body: impl FnOnce(&Arguments) -> Result<Exit>) -> ExitCode {
    main_with_status(program, |arguments| body(arguments).map(|exit| exit.code().into()))
}

/// The same for a program that passes on the exit status of another.
pub fn main_with_status(program: &'static Program, body: impl FnOnce(&Arguments) -> Result<i32>) -> ExitCode {
    // SAFETY: no other thread runs yet, and the default action is always a valid one.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let status = match parse::parse(program, std::env::args_os().skip(1)) {
        Ok(parse::Parsed::Run(arguments)) => body(&arguments),
        Ok(parse::Parsed::Help) => print(&help::text(program)),
        Ok(parse::Parsed::Version) => print(&format!("{} {}\n", program.name, VERSION)),
        Err(error) => Err(error),
    };
    let status = status.unwrap_or_else(|error| {
        eprintln!("{}: {error}", program.name);
        error.code().exit().code().into()
    });
    ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX))
}

/// The version of the suite.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

fn print(text: &str) -> Result<i32> {
    use std::io::Write;
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| crate::values::Error::io("cannot write to", std::path::Path::new("stdout"), error))?;
    Ok(0)
}
