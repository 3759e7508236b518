//! The summary at the end: what failed and why, and what that blocks.

use super::Shown;
use crate::edge::colour::{Brush, Style};
use crate::edge::words::{last_lines, one_line, origin, reason, roots};
use crate::values::record::Action;
use std::fmt::Write;

/// As many lines of a log's end are shown.
const TAIL_LINES: usize = 20;

/// Collects what the summary speaks of.
#[derive(Default)]
pub(super) struct Failures {
    all: Vec<Shown>,
}

impl Failures {
    pub fn note(&mut self, shown: Shown) {
        self.all.push(shown);
    }

    /// The summary; nothing if there is nothing to say.
    pub fn text(&self, brush: Brush) -> String {
        let mut text = String::new();
        let failed: Vec<_> = self.all.iter().filter(|shown| shown.failed()).collect();
        if !failed.is_empty() {
            text += "\n";
            text += &brush.paint(Style::Bold, "Failed");
            text += "\n";
        }
        for shown in failed {
            failure(&mut text, brush, shown);
        }
        section(&mut text, brush, "Blocked", self.acted(Action::Blocked));
        section(&mut text, brush, "Cancelled", self.acted(Action::Cancelled));
        text
    }

    fn acted(&self, action: Action) -> Vec<&Shown> {
        let has = |shown: &&Shown| shown.schedule.as_ref().is_some_and(|schedule| schedule.action == action);
        self.all.iter().filter(has).collect()
    }
}

fn failure(text: &mut String, brush: Brush, shown: &Shown) {
    let name = brush.paint(Style::BoldBlue, &one_line(&shown.identity.element));
    let key = shown.key.map(|key| brush.paint(Style::Yellow, &key.brief()) + " ").unwrap_or_default();
    if let Some(problem) = &shown.error {
        let place = match (&problem.file, problem.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {key}{name}: {}", brush.paint(Style::Red, &one_line(&(place + &problem.message))));
    }
    let Some(result) = &shown.result else { return };
    if shown.error.is_none() {
        let _ = writeln!(text, "  {key}{name}: {}", brush.paint(Style::Red, &reason(result)));
    }
    if is_cached(shown) {
        let _ = writeln!(text, "      a cached failure{}", origin(result));
    }
    for line in last_lines(result.log_tail.as_deref().unwrap_or_default(), TAIL_LINES) {
        let _ = writeln!(text, "      {} {line}", brush.paint(Style::Dim, "|"));
    }
    if let (Some(key), Some(_)) = (shown.key, &result.log) {
        let _ = writeln!(text, "      {} bst-log {key}", brush.paint(Style::Dim, "log:"));
    }
}

/// Whether the failure was there before this run.
fn is_cached(shown: &Shown) -> bool {
    shown.schedule.as_ref().is_none_or(|schedule| schedule.action == Action::Replayed)
}

fn section(text: &mut String, brush: Brush, title: &str, all: Vec<&Shown>) {
    if all.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", brush.paint(Style::Bold, title));
    for shown in all {
        let name = brush.paint(Style::BoldBlue, &one_line(&shown.identity.element));
        let by = shown.schedule.as_ref().map(|schedule| &schedule.blocked_by).filter(|by| !by.is_empty());
        let by = by.map(|by| format!(" by {}", roots(by))).unwrap_or_default();
        let _ = writeln!(text, "  {name}{by}");
    }
}
