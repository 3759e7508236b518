//! The hook for a person at a terminal: what bst-ask does.
//!
//! It speaks at the terminal itself, for stdin holds the record and stdout takes the answer. ^C is a key like
//! others while it asks: it must not reach the scheduler and its builds by another way than the answer.

mod terminal;

use super::colour::{Brush, Style, When};
use super::words::{last_lines, one_line, reason};
use super::{environment, pipe, sibling};
use crate::doing::policy::Action;
use crate::values::result::BuildResult;
use crate::values::{Error, Exit, Key, Record, Result};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use terminal::{Said, Terminal};

/// As many lines of the log's end are shown with the question.
const TAIL_LINES: usize = 10;

/// What a person can choose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Answer(Action),
    Log,
    Shell,
}

/// Each choice with its word and what it does.
const CHOICES: [(&str, Choice, &str); 6] = [
    ("continue", Choice::Answer(Action::Continue), "build all that does not depend on it"),
    ("quit", Choice::Answer(Action::Quit), "start nothing new, let what runs finish"),
    ("terminate", Choice::Answer(Action::Terminate), "stop what runs"),
    ("retry", Choice::Answer(Action::Retry), "try this element again"),
    ("log", Choice::Log, "read the whole log"),
    ("shell", Choice::Shell, "a shell in the tree of the failed build"),
];

/// What failed.
struct Failure {
    element: String,
    name: Option<OsString>,
    result: BuildResult,
    log: Option<PathBuf>,
}

/// Asks, and prints the answer.
pub fn run() -> Result<Exit> {
    let failure = Failure::of(&read_record()?)?;
    let mut terminal = Terminal::open()?;
    // Whoever waits for the answer learns that a person has been asked, who takes his time.
    answer("wait")?;
    terminal.say(&failure.question())?;
    loop {
        terminal.say("Choice [continue]: ")?;
        let said = match terminal.hear()? {
            Said::Line(line) => line,
            Said::Interrupt => {
                terminal.say("^C\n")?;
                return answer(Action::Terminate.word());
            }
            // As at any prompt, the end of input is a way to say that one wants to be gone.
            Said::End => {
                terminal.say("\n")?;
                return answer(Action::Terminate.word());
            }
        };
        match failure.choice(said.trim()) {
            Ok(Choice::Answer(action)) => return answer(action.word()),
            Ok(Choice::Log) => terminal.lend(failure.pager())?,
            Ok(Choice::Shell) => {
                let command = terminal.stdin().and_then(|stdin| failure.shell(stdin));
                terminal.lend(command)?;
            }
            Err(problem) => terminal.say(&format!("{problem}\n"))?,
        }
    }
}

fn answer(word: &str) -> Result<Exit> {
    let mut out = std::io::stdout();
    let written = writeln!(out, "{word}").and_then(|()| out.flush());
    written.map_err(|error| Error::io("cannot write to", Path::new("stdout"), error))?;
    Ok(Exit::Done)
}

/// The failure's record; an empty one where stdin has none, for the question can be asked all the same.
fn read_record() -> Result<Record> {
    pipe::Reader::new(std::io::stdin()).next_record().unwrap_or_else(|| Ok(Record::default()))
}

impl Failure {
    fn of(record: &Record) -> Result<Failure> {
        let element: Option<String> = record.get("element")?;
        let key: Option<Key> = record.get("key")?;
        let result: BuildResult = record.get("result")?.unwrap_or_default();
        let name = key.and_then(|key| record.artifact_name(key).ok()).map(|name| name.to_string().into());
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Ok(Failure {
            element: element
                .or_else(|| variable("BST_ELEMENT").map(|name| name.to_string_lossy().into_owned()))
                .unwrap_or_else(|| "an element".to_owned()),
            name,
            result,
            log: variable("BST_LOG_FILE").map(PathBuf::from).filter(|path| path.exists()),
        })
    }

    /// The choices that there are: no log, no way to read it.
    fn choices(&self) -> impl Iterator<Item = &'static (&'static str, Choice, &'static str)> {
        CHOICES.iter().filter(|(_, choice, _)| match choice {
            Choice::Answer(_) => true,
            Choice::Log => self.log.is_some(),
            Choice::Shell => self.name.is_some(),
        })
    }

    fn question(&self) -> String {
        let brush = Brush(When::Auto.colours(true));
        let mut text = format!("\n{} ", brush.paint(Style::Red, "Build failure on element:"));
        let _ = writeln!(text, "{}", brush.paint(Style::BoldBlue, &one_line(&self.element)));
        let _ = writeln!(text, "  {}", reason(&self.result));
        for line in last_lines(self.result.log_tail.as_deref().unwrap_or_default(), TAIL_LINES) {
            let _ = writeln!(text, "  {} {line}", brush.paint(Style::Dim, "|"));
        }
        text += "\nChoose one of these; the first letter is enough:\n";
        for (word, _, what) in self.choices() {
            let _ = writeln!(text, "  {word:9}  {what}");
        }
        text + "^C terminates.\n\n"
    }

    /// The choice that a word begins; nothing is the first one.
    fn choice(&self, word: &str) -> Result<Choice, String> {
        let word = word.to_lowercase();
        let mut found = self.choices().filter(|(name, _, _)| name.starts_with(&word));
        match (found.next(), found.next()) {
            (Some((_, choice, _)), None) => Ok(*choice),
            (Some((_, choice, _)), Some(_)) if word.is_empty() => Ok(*choice),
            (Some((first, _, _)), Some((second, _, _))) => Err(format!("{first} or {second}?")),
            (None, _) => {
                let words: Vec<_> = self.choices().map(|(name, _, _)| *name).collect();
                Err(format!("\"{}\" is none of {}", word.escape_default(), words.join(", ")))
            }
        }
    }

    /// The log in the user's pager.
    fn pager(&self) -> Result<Command> {
        let path = self.log.as_ref().ok_or_else(|| Error::not_found("there is no log"))?;
        let log = std::fs::File::open(path).map_err(|error| Error::io("cannot read", path, error))?;
        let pager = std::env::var_os("PAGER").filter(|pager| !pager.is_empty());
        let mut command = match pager {
            // As everywhere, it may have arguments.
            Some(pager) => {
                let mut command = Command::new("sh");
                command.arg("-c").arg(pager);
                command
            }
            None => {
                Command::new(["less", "more"].into_iter().find_map(environment::find_program).unwrap_or("cat".into()))
            }
        };
        command.stdin(Stdio::from(log));
        Ok(command)
    }

    /// bst-shell for the failed build.
    fn shell(&self, stdin: Stdio) -> Result<Command> {
        let name = self.name.as_ref().ok_or_else(|| Error::not_found("there is no build tree"))?;
        let mut command = Command::new(sibling::path("bst-shell")?);
        command.arg(name).stdin(stdin);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(log: bool) -> Failure {
        let log = log.then(|| PathBuf::from("/dev/null"));
        Failure { element: "a.bst".into(), name: Some("p/a/k".into()), result: BuildResult::default(), log }
    }

    #[test]
    fn the_begin_of_a_word_is_enough() {
        let failure = failure(true);
        assert_eq!(failure.choice(""), Ok(Choice::Answer(Action::Continue)));
        assert_eq!(failure.choice("T"), Ok(Choice::Answer(Action::Terminate)));
        assert_eq!(failure.choice("ret"), Ok(Choice::Answer(Action::Retry)));
        assert_eq!(failure.choice("l"), Ok(Choice::Log));
        assert_eq!(failure.choice("shell"), Ok(Choice::Shell));
        assert!(failure.choice("x").is_err() && failure.choice("quit now").is_err());
    }

    #[test]
    fn without_a_log_there_is_none_to_read() {
        let failure = failure(false);
        assert!(failure.choice("log").is_err());
        assert!(!failure.question().contains("log "));
    }
}
