//! What happens during a run as lines for people.

use crate::doing::schedule::{Counts, Event, Moment, Subject};
use crate::edge::colour::{Brush, Style};
use crate::edge::words::{brief, last_lines, one_line, origin, reason, roots, visible};
use crate::values::record::Action;
use crate::values::result::BuildResult;
use std::fmt::Write;
use std::path::Path;

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
            format!("{} {what}: {}\n", word(brush, Style::Yellow, action), one_line(why))
        }
        Event::Warn { message } => format!("{} {}\n", word(brush, Style::Yellow, "warning"), visible(message)),
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

/// The end of the log, and where all of it is. What has no log has said all on stderr, which was shown.
fn evidence(brush: Brush, result: &BuildResult, log: Option<&Path>) -> String {
    let Some(log) = log else { return String::new() };
    let mut text = String::new();
    for line in last_lines(result.log_tail.as_deref().unwrap_or_default(), TAIL_LINES) {
        let _ = writeln!(text, "          {} {line}", brush.paint(Style::Dim, "|"));
    }
    let _ = writeln!(text, "          {} {}", brush.paint(Style::Dim, "log:"), log.display());
    text
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
