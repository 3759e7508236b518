//! From the words of a command line to what its program's table says they mean.

use super::{Flag, Operands, Program, Takes};
use crate::values::{Error, Result};
use std::ffi::{OsStr, OsString};
use std::str::FromStr;

/// A command line that was understood.
#[derive(Clone, Debug)]
pub struct Arguments {
    flags: Vec<(&'static str, Vec<OsString>)>,
    operands: Vec<OsString>,
}

/// What a command line asks for.
pub(super) enum Parsed {
    Run(Arguments),
    Help,
    Version,
}

impl Arguments {
    /// Whether a flag is there.
    pub fn has(&self, long: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == long)
    }

    /// The value of a flag; the last one counts.
    pub fn value(&self, long: &str) -> Option<&OsStr> {
        self.flags.iter().rfind(|(name, _)| *name == long)?.1.first().map(|value| &**value)
    }

    /// Every value of a flag.
    pub fn values<'a>(&'a self, long: &'a str) -> impl DoubleEndedIterator<Item = &'a OsStr> {
        self.flags.iter().filter(move |(name, _)| *name == long).filter_map(|(_, values)| values.first()).map(|v| &**v)
    }

    /// Every pair of a flag that takes two values.
    pub fn pairs<'a>(&'a self, long: &'a str) -> impl Iterator<Item = (&'a OsStr, &'a OsStr)> {
        self.flags.iter().filter(move |(name, _)| *name == long).filter_map(|(_, values)| match &values[..] {
            [first, second] => Some((&**first, &**second)),
            _ => None,
        })
    }

    /// The value of a flag as text.
    pub fn text(&self, long: &str) -> Result<Option<&str>> {
        self.value(long).map(|value| as_text(long, value)).transpose()
    }

    /// The value of a flag as something that has a text form; `expected` says what, for the message.
    pub fn parsed<T: FromStr>(&self, long: &str, expected: &str) -> Result<Option<T>> {
        let Some(text) = self.text(long)? else { return Ok(None) };
        text.parse()
            .map(Some)
            .map_err(|_| Error::usage(format!("--{long} wants {expected}, found \"{}\"", text.escape_default())))
    }

    /// The value of a flag as a number of bytes: `512M`, `2G`.
    pub fn size(&self, long: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(long)? else { return Ok(None) };
        let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| !c.is_ascii_digit()).len());
        let shift = match unit.trim_end_matches(['B', 'b', 'i']) {
            "" => Some(0),
            "K" | "k" => Some(10),
            "M" | "m" => Some(20),
            "G" | "g" => Some(30),
            "T" | "t" => Some(40),
            _ => None,
        };
        let size = digits.parse::<u64>().ok().zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
        size.filter(|&size| size > 0).map(Some).ok_or_else(|| {
            Error::usage(format!("--{long} wants a size like 512M or 2G, found \"{}\"", text.escape_default()))
        })
    }

    /// The words of a flag whose values are comma-separated lists.
    pub fn words(&self, long: &str) -> Result<Vec<&str>> {
        let mut words = Vec::new();
        for (name, values) in &self.flags {
            if *name == long {
                for value in values {
                    words.extend(as_text(long, value)?.split(','));
                }
            }
        }
        Ok(words)
    }

    /// What stands beside the flags.
    pub fn operands(&self) -> &[OsString] {
        &self.operands
    }

    /// The operands as text.
    pub fn operand_texts(&self) -> Result<Vec<&str>> {
        self.operands.iter().map(|word| as_text("operand", word)).collect()
    }
}

fn as_text<'a>(what: &str, value: &'a OsStr) -> Result<&'a str> {
    value.to_str().ok_or_else(|| Error::usage(format!("{what}: \"{}\" is no UTF-8", value.display())))
}

pub(super) fn parse(program: &'static Program, words: impl Iterator<Item = OsString>) -> Result<Parsed> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut found = Arguments { flags: Vec::new(), operands: Vec::new() };
    let hint = |error: lexopt::Error| Error::usage(format!("{error}; {} --help shows what there is", program.name));
    while let Some(word) = parser.next().map_err(hint)? {
        let flag = match word {
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => return Ok(Parsed::Help),
            lexopt::Arg::Long("version") => return Ok(Parsed::Version),
            lexopt::Arg::Short(short) => program.flags.iter().find(|flag| flag.short == Some(short)),
            lexopt::Arg::Long(long) => program.flags.iter().find(|flag| flag.long == long),
            lexopt::Arg::Value(value) => {
                found.operands.push(value);
                if program.operands == Operands::Command {
                    found.operands.extend(parser.raw_args().map_err(hint)?);
                }
                continue;
            }
        };
        let Some(flag) = flag else { return Err(hint(word.unexpected())) };
        let values = values_of(flag, &mut parser).map_err(hint)?;
        check(flag, &values)?;
        found.flags.push((flag.long, values));
    }
    check_operands(program, found.operands.len())?;
    Ok(Parsed::Run(found))
}

fn values_of(flag: &Flag, parser: &mut lexopt::Parser) -> Result<Vec<OsString>, lexopt::Error> {
    match flag.takes {
        Takes::Nothing => Ok(Vec::new()),
        Takes::Value(_) | Takes::Choice(_) | Takes::Choices(_) => Ok(vec![parser.value()?]),
        Takes::Pair(..) => Ok(vec![parser.value()?, parser.value()?]),
    }
}

fn check(flag: &Flag, values: &[OsString]) -> Result<()> {
    let (choices, words): (_, Vec<_>) = match flag.takes {
        Takes::Choice(choices) => (choices, values.iter().map(|v| v.to_string_lossy().into_owned()).collect()),
        Takes::Choices(choices) => {
            let lists = values.iter().map(|v| v.to_string_lossy().into_owned());
            (choices, lists.flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>()).collect())
        }
        _ => return Ok(()),
    };
    match words.iter().find(|word| !choices.contains(&word.as_str())) {
        Some(word) => Err(Error::usage(format!(
            "--{} wants {}, found \"{}\"",
            flag.long,
            choices.join(" or "),
            word.escape_default()
        ))),
        None => Ok(()),
    }
}

fn check_operands(program: &Program, count: usize) -> Result<()> {
    let (least, most) = match program.operands {
        Operands::None => (0, 0),
        Operands::Some(least, most) => (least, most),
        Operands::Command => return Ok(()),
    };
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let problem = if count < least { "an operand is missing" } else { "there are too many operands" };
    let usage = program.usage.first().copied().unwrap_or_default();
    Err(Error::usage(format!("{problem}; usage: {} {usage}", program.name)))
}
