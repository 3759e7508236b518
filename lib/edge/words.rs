//! Words for people that several programs use: why a build failed, when and where, how long.

use crate::values::record::Blocker;
use crate::values::result::BuildResult;
use std::fmt::Write;
use std::time::Duration;

/// Why a build failed, in one line.
pub fn reason(result: &BuildResult) -> String {
    let mut text = one_line(&result.description);
    if text.is_empty() {
        "it is not known why".clone_into(&mut text);
    }
    if let Some(command) = &result.command {
        let _ = write!(text, ": {}", one_line(command));
    }
    match (result.exit, result.signal) {
        (Some(exit), _) if !text.contains(&format!("Exited with {exit}")) => {
            let _ = write!(text, " (exit {exit})");
        }
        (None, Some(signal)) => {
            let _ = write!(text, " (signal {signal})");
        }
        _ => {}
    }
    if let Some(class) = result.class {
        let phase = result.phase.as_ref().map(|phase| format!(" in {}", one_line(phase))).unwrap_or_default();
        let _ = write!(text, " [{}{phase}]", class.word());
    }
    if let Some(detail) = &result.detail {
        let _ = write!(text, "; {}", one_line(detail));
    }
    text
}

/// When and where a build ran, with a space in front, or nothing.
pub fn origin(result: &BuildResult) -> String {
    let mut text = String::new();
    if let Some(time) = result.finished.or(result.started) {
        let _ = write!(text, " of {time}");
    }
    if let Some(host) = &result.host {
        let _ = write!(text, " on {}", one_line(host));
    }
    if let Some(attempt) = result.attempt.filter(|&attempt| attempt > 1) {
        let _ = write!(text, ", attempt {attempt}");
    }
    text
}

/// The failed elements that block another, the first few of them.
pub fn roots(blocked_by: &[Blocker]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<_> = blocked_by.iter().take(SHOWN).map(|root| one_line(&root.element)).collect();
    let more = blocked_by.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &rest
}

/// The last lines of a log's end.
pub fn last_lines(tail: &str, most: usize) -> impl Iterator<Item = String> + '_ {
    let skipped = tail.lines().count().saturating_sub(most);
    tail.lines().skip(skipped).map(visible)
}

/// A duration in the unit that fits.
pub fn brief(milliseconds: u64) -> String {
    match milliseconds {
        0..10_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => clock(Duration::from_millis(milliseconds)),
    }
}

/// A duration as a clock shows it.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..3600 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// Text of others on one line, without what would move the cursor.
pub fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let line = visible(text.trim());
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 3).chain("...".chars()).collect()
}

/// Control characters, which a build can print too, become spaces.
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
