//! Prints completions for a shell: bst-completions(1).

use bst_plumbing::edge::cli::completions::Shell;
use bst_plumbing::edge::cli::{self, Program, programs};
use bst_plumbing::values::{Error, Exit, Result};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&programs::COMPLETIONS, |arguments| {
        let operands = arguments.operand_texts()?;
        let (shell, names) = operands.split_first().ok_or_else(|| Error::usage("the shell is missing"))?;
        let shell = Shell::from_word(shell).ok_or_else(|| {
            Error::usage(format!("expected {}, found \"{}\"", Shell::WORDS.join(" or "), shell.escape_default()))
        })?;
        let chosen = names.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?;
        let text = shell.script(if chosen.is_empty() { programs::ALL } else { &chosen });
        std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(|error| Error::io("cannot write to", Path::new("stdout"), error))?;
        Ok(Exit::Done)
    })
}

fn find(name: &str) -> Result<&'static Program> {
    programs::ALL.iter().copied().find(|program| program.name == name).ok_or_else(|| {
        let names: Vec<&str> = programs::ALL.iter().map(|program| program.name).collect();
        Error::usage(format!("\"{}\" is no program of the suite; they are {}", name.escape_default(), names.join(", ")))
    })
}
