//! What happens during a run as lines for people.

use crate::doing::schedule::{Counts, Event, Moment, Subject};
use crate::edge::colour::{Brush, Style};
use crate::values::record::{Action, Blocker};
use crate::values::result::BuildResult;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// As many lines of a failed build's log are shown.
const TAIL_LINES: usize = 20;

/// The lines for an event; none for what is not worth one.
pub(super) fn lines(brush: Brush, moment: &Moment<'_>, event: &Event<'_>) -> String {
    let Some(subject) = &moment.subject else { return general(brush, event) };
    let name = named(brush, subject);
    match event {
        Event::Start { attempt, reason, .. } => {
            let why = match (attempt, reason) {
                (1, None) => String::new(),
                (1, Some(reason)) => format!(" ({reason})"),
                (attempt, _) => format!(" (attempt {attempt})"),
            };
            format!("{} {name}{why}\n", word(brush, Style::Plain, "start"))
        }
        Event::End { success: true, duration_ms, .. } => {
            format!("{} {name} in {}\n", word(brush, Style::Green, "built"), brief(*duration_ms))
        }
        Event::End { result: None, .. } => format!("{} {name}\n", word(brush, Style::Yellow, "stopped")),
        Event::End { result: Some(result), duration_ms, log, .. } => {
            let head = format!("{} {name} after {}", word(brush, Style::Red, "failed"), brief(*duration_ms));
            format!("{head}: {}\n{}", reason(result), evidence(brush, result, *log))
        }
        Event::Settle { action: Action::Replayed, result: Some(result), log, warn, .. } => {
            let style = if *warn { Style::Yellow } else { Style::Red };
            let head = format!("{} {name}: a cached failure{}", word(brush, style, "replayed"), origin(result));
            format!("{head}: {}\n{}", reason(result), evidence(brush, result, *log))
        }
        Event::Settle { action: Action::Blocked, blocked_by, .. } => {
            format!("{} {name} by {}\n", word(brush, Style::Yellow, "blocked"), roots(blocked_by))
        }
        Event::Settle { action: Action::Cancelled, .. } => {
            format!("{} {name}\n", word(brush, Style::Yellow, "cancelled"))
        }
        Event::Wait => format!("{} {name}: another bst-schedule builds it\n", word(brush, Style::Plain, "wait")),
        Event::Ask { hook } => format!("{} {hook} about {name}\n", word(brush, Style::Plain, "ask")),
        // What the command line says needs no saying again.
        Event::Decide { decision } if decision.by == "policy" && decision.action != "retry" => String::new(),
        Event::Decide { decision } => {
            let delay = decision.delay_ms.map(|delay| format!(" in {}", brief(delay))).unwrap_or_default();
            let note = decision.note.as_ref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
            let who = format!("{}{delay} after {name}, says the {}{note}", decision.action, decision.by);
            format!("{} {who}\n", word(brush, Style::Plain, "decide"))
        }
        _ => String::new(),
    }
}

fn general(brush: Brush, event: &Event<'_>) -> String {
    match event {
        Event::Stop { action, why } => {
            let what = match *action {
                "quit" => "nothing new is started",
                _ => "what runs is stopped",
            };
            format!("{} {what}: {why}\n", word(brush, Style::Yellow, action))
        }
        Event::Warn { message } => format!("{} {message}\n", word(brush, Style::Yellow, "warning")),
        Event::Finish { counts, .. } => format!("{} {}\n", word(brush, Style::Bold, "done"), summary(counts)),
        _ => String::new(),
    }
}

/// A word at the begin of a line, padded.
fn word(brush: Brush, style: Style, text: &str) -> String {
    brush.paint(style, &format!("{text:>9}"))
}

/// An element as lines name it.
pub(super) fn named(brush: Brush, subject: &Subject<'_>) -> String {
    let name = brush.paint(Style::BoldBlue, &one_line(&subject.identity.element));
    match subject.key {
        Some(key) => format!("{} {name}", brush.paint(Style::Yellow, &key.brief())),
        None => name,
    }
}

/// Why a build failed, in one line.
pub(super) fn reason(result: &BuildResult) -> String {
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
        let phase = result.phase.as_ref().map(|phase| format!(" in {phase}")).unwrap_or_default();
        let _ = write!(text, " [{}{phase}]", class.word());
    }
    if let Some(detail) = &result.detail {
        let _ = write!(text, "; {}", one_line(detail));
    }
    text
}

/// When and where a stored failure was built.
fn origin(result: &BuildResult) -> String {
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

/// The end of the log, and where all of it is. What has no log has said all on stderr, which was shown.
fn evidence(brush: Brush, result: &BuildResult, log: Option<&Path>) -> String {
    let Some(log) = log else { return String::new() };
    let mut text = String::new();
    let tail: Vec<&str> = result.log_tail.as_deref().unwrap_or_default().lines().collect();
    for line in &tail[tail.len().saturating_sub(TAIL_LINES)..] {
        let _ = writeln!(text, "          {} {}", brush.paint(Style::Dim, "|"), visible(line));
    }
    let _ = writeln!(text, "          {} {}", brush.paint(Style::Dim, "log:"), log.display());
    text
}

fn roots(blocked_by: &[Blocker]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<_> = blocked_by.iter().take(SHOWN).map(|root| one_line(&root.element)).collect();
    let more = blocked_by.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &rest
}

/// How a run ended.
pub(super) fn summary(counts: &Counts) -> String {
    let parts = [
        (counts.built, "built"),
        (counts.cached, "cached"),
        (counts.failed, "failed"),
        (counts.replayed, "replayed"),
        (counts.blocked, "blocked"),
        (counts.cancelled, "cancelled"),
        (counts.skipped, "skipped"),
        (counts.errors, "with an error"),
    ];
    let parts: Vec<_> = parts.iter().filter(|(count, _)| *count > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
}

/// A duration in the unit that fits.
pub(super) fn brief(milliseconds: u64) -> String {
    match milliseconds {
        0..10_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => clock(Duration::from_millis(milliseconds)),
    }
}

/// A duration as a clock shows it.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..3600 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// Text of others on one line, without what would move the cursor.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let line = visible(text.trim());
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 3).chain("...".chars()).collect()
}

/// Control characters, which a build can print too, become spaces.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
