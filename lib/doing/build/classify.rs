//! The class of a failure, from what is known of it, and the user's own rules.

use super::Failure;
use crate::doing::sandbox::Facts;
use crate::values::glob::Glob;
use crate::values::result::FailureClass;
use crate::values::{Error, Place, Result};
use regex::bytes::RegexSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Exit status with which a command says that it may go better next time: EX_TEMPFAIL of sysexits.h.
const TEMPORARY: i32 = 75;

/// Sets the class of a failed command by its status and by what the system said.
pub(super) fn by_facts(failure: &mut Failure, facts: &Facts, status: i32, tail: &str) {
    let signal = ended_by_signal(status);
    match signal {
        Some(_) => failure.signal = signal,
        None => failure.exit = Some(status),
    }
    if let Some(detail) = resource(facts, signal, tail) {
        failure.class = FailureClass::Resource;
        failure.detail = Some(detail.to_owned());
    } else if signal.is_some() {
        failure.class = FailureClass::Signal;
    } else if status == TEMPORARY {
        failure.class = FailureClass::Temporary;
    }
}

/// What was used up, if the system says so.
fn resource(facts: &Facts, signal: Option<i32>, tail: &str) -> Option<&'static str> {
    // The whole system's count may speak of another process: ours must have been killed too.
    let killed = signal == Some(libc::SIGKILL) || tail.contains("Killed") || tail.contains("signal 9");
    if facts.out_of_memory > 0 {
        Some("The build used all of the memory that it may have, and the system killed processes of it")
    } else if facts.out_of_memory_anywhere > 0 && killed {
        Some("The system had no memory left and killed processes")
    } else if facts.too_many_processes > 0 {
        Some("The build had as many processes as it may have")
    } else if facts.disk_full {
        Some("There is no space left on the file system of the store")
    } else {
        None
    }
}

/// The signal that a shell's exit status speaks of: one that ends a process for what it did or for what was
/// done to it. Numbers that programs use as their own exit status (git's 128 and 129) are none.
fn ended_by_signal(status: i32) -> Option<i32> {
    const DEADLY: [i32; 11] = [
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGILL,
        libc::SIGABRT,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGKILL,
        libc::SIGSEGV,
        libc::SIGPIPE,
        libc::SIGTERM,
        libc::SIGXCPU,
    ];
    DEADLY.into_iter().find(|signal| status == 128 + signal)
}

/// The user's rules: one a line, `CLASS [element=GLOB] [exit=N,N] [log=REGEX]`; the first that applies gives
/// the class.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// The regular expressions of all rules that have one.
    logs: RegexSet,
}

#[derive(Debug)]
struct Rule {
    class: FailureClass,
    element: Option<Glob>,
    exit: Vec<i32>,
    /// The position of its regular expression in the set.
    log: Option<usize>,
}

/// Longer lines of a log are looked at in pieces.
const LONGEST_LINE: u64 = 1 << 20;

impl Rules {
    /// Reads a file of rules.
    pub fn load(path: &Path) -> Result<Rules> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io("cannot read", path, error))?;
        let mut rules = Rules::default();
        let mut expressions = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = || Place {
                file: path.display().to_string(),
                line: u32::try_from(index + 1).unwrap_or(u32::MAX),
                column: 0,
            };
            rules.rules.push(rule(line, &mut expressions).map_err(|error| error.at(place()))?);
        }
        rules.logs =
            RegexSet::new(&expressions).map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
        Ok(rules)
    }

    /// Gives a failure of a command the class that the rules say.
    pub(super) fn apply(&self, failure: &mut Failure, element: &str, log: &Path) -> Result<()> {
        let exit = failure.exit.or(failure.signal.map(|signal| 128 + signal));
        let mut fitting = self.rules.iter().filter(|rule| {
            rule.element.as_ref().is_none_or(|glob| glob.matches(element))
                && (rule.exit.is_empty() || exit.is_some_and(|exit| rule.exit.contains(&exit)))
        });
        if self.rules.iter().all(|rule| rule.log.is_none()) {
            failure.class = fitting.next().map_or(failure.class, |rule| rule.class);
            return Ok(());
        }
        let found = self.search(log)?;
        let first = fitting.find(|rule| rule.log.is_none_or(|log| found[log]));
        failure.class = first.map_or(failure.class, |rule| rule.class);
        Ok(())
    }

    /// Which of the regular expressions match a line of the log.
    fn search(&self, log: &Path) -> Result<Vec<bool>> {
        let failed = |error| Error::io("cannot read", log, error);
        let mut found = vec![false; self.logs.len()];
        let mut reader = BufReader::with_capacity(1 << 16, File::open(log).map_err(failed)?);
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Ok(found);
            }
            for index in &self.logs.matches(line.strip_suffix(b"\n").unwrap_or(&line)) {
                found[index] = true;
            }
        }
    }
}

fn rule(line: &str, expressions: &mut Vec<String>) -> Result<Rule> {
    let (word, mut rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let class = FailureClass::from_word(word)
        .ok_or_else(|| Error::usage(format!("\"{}\" is no class of failures", word.escape_default())))?;
    let mut rule = Rule { class, element: None, exit: Vec::new(), log: None };
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(rule);
        }
        if let Some(expression) = rest.strip_prefix("log=") {
            // To the end of the line: a regular expression may have spaces in it.
            regex::bytes::Regex::new(expression).map_err(|error| Error::usage(error.to_string()))?;
            rule.log = Some(expressions.len());
            expressions.push(expression.to_owned());
            return Ok(rule);
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after;
        if let Some(glob) = word.strip_prefix("element=") {
            rule.element = Some(Glob::new(glob));
        } else if let Some(numbers) = word.strip_prefix("exit=") {
            let numbers = numbers.split(',').map(str::parse).collect::<Result<Vec<i32>, _>>();
            rule.exit = numbers
                .map_err(|_| Error::usage(format!("\"{}\" is no list of exit statuses", word.escape_default())))?;
        } else {
            return Err(Error::usage(format!(
                "found \"{}\", expected element=GLOB, exit=N,... or log=REGEX",
                word.escape_default()
            )));
        }
    }
}
