//! Completions for shells, made from the tables.

mod bash;
mod fish;
mod zsh;

use super::{Flag, Program, Takes};

/// A shell that completions can be made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    Bash,
    Fish,
    Zsh,
}

impl Shell {
    /// The words of [`Shell::from_word`].
    pub const WORDS: [&str; 3] = ["bash", "zsh", "fish"];

    /// The shell of a word.
    pub fn from_word(word: &str) -> Option<Shell> {
        match word {
            "bash" => Some(Shell::Bash),
            "zsh" => Some(Shell::Zsh),
            "fish" => Some(Shell::Fish),
            _ => None,
        }
    }

    /// The completions of programs: of one as a file of its own, of several as a script to be sourced.
    pub fn script(self, programs: &[&Program]) -> String {
        match self {
            Shell::Bash => programs.iter().map(|program| bash::script(program)).collect(),
            Shell::Fish => programs.iter().map(|program| fish::script(program)).collect(),
            Shell::Zsh => zsh::script(programs),
        }
    }
}

/// What a value is, as far as a shell can help with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Directory,
    File,
    Program,
    Words(&'static [&'static str]),
    /// Words with commas between them.
    List(&'static [&'static str]),
    Other,
}

/// What follows a flag, or nothing.
fn value(flag: &Flag) -> Option<Value> {
    match flag.takes {
        Takes::Nothing => None,
        Takes::Value(word) => Some(match word {
            "DIR" | "DIRECTORY" => Value::Directory,
            "FILE" | "PATH" => Value::File,
            "PROG" | "PROGRAM" | "CMD" | "COMMAND" => Value::Program,
            _ => Value::Other,
        }),
        Takes::Choice(words) => Some(Value::Words(words)),
        Takes::Choices(words) => Some(Value::List(words)),
        Takes::Pair(..) => Some(Value::Other),
    }
}

/// A flag as it is typed, each spelling.
fn spellings(flag: &Flag) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    short.into_iter().chain([format!("--{}", flag.long)]).collect()
}

/// The flags that every program has, beside those of its table.
const COMMON: [Flag; 2] = [
    Flag { short: Some('h'), long: "help", takes: Takes::Nothing, help: "print this help" },
    Flag { short: None, long: "version", takes: Takes::Nothing, help: "print the version" },
];

/// All flags of a program.
fn flags(program: &Program) -> impl Iterator<Item = &Flag> {
    program.flags.iter().chain(&COMMON)
}

/// The name of the function that completes a program.
fn function(program: &Program) -> String {
    format!("_{}", program.name.replace('-', "_"))
}
