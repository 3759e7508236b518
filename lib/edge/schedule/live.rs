//! The display at a terminal: what runs and what is left, below the lines of what happened.

use super::lines::named;
use crate::doing::schedule::{Counts, Event, Moment};
use crate::edge::colour::{Brush, Style};
use crate::edge::words::clock;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// How often the display moves.
const INTERVAL: Duration = Duration::from_millis(200);

/// At most as many jobs are shown, one a line.
const MOST_JOBS: usize = 12;

/// The lines at the bottom.
#[derive(Debug, Default)]
pub(super) struct Live {
    begun: Option<Instant>,
    counts: Counts,
    /// By slot: what runs there, and since when.
    running: Vec<Option<(String, Instant)>>,
    /// How many lines are on the screen.
    shown: usize,
    drawn: Option<Instant>,
    /// Somebody else has the terminal.
    held: bool,
    ended: bool,
}

impl Live {
    /// Takes note of an event.
    pub fn note(&mut self, moment: &Moment<'_>, event: &Event<'_>) {
        self.counts = *moment.counts;
        self.begun.get_or_insert_with(|| Instant::now().checked_sub(moment.since).unwrap_or_else(Instant::now));
        match event {
            Event::Start { slot, .. } => {
                let name = moment.subject.map(|subject| named(Brush(true), &subject)).unwrap_or_default();
                if self.running.len() <= *slot {
                    self.running.resize(slot + 1, None);
                }
                self.running[*slot] = Some((name, Instant::now()));
            }
            Event::End { slot, .. } => {
                if let Some(job) = self.running.get_mut(*slot) {
                    *job = None;
                }
            }
            Event::Ask { .. } => self.held = true,
            Event::Decide { .. } => self.held = false,
            Event::Finish { .. } => self.ended = true,
            _ => {}
        }
    }

    /// Whether lines have to wait until the terminal is ours again.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// What takes the display off the screen.
    pub fn erase(&mut self) -> String {
        let up = std::mem::take(&mut self.shown);
        if up == 0 { String::new() } else { format!("\r\x1b[{up}A\x1b[J") }
    }

    /// What puts the display on the screen, if it is time.
    pub fn draw(&mut self, force: bool) -> Option<String> {
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= INTERVAL);
        if self.held || self.ended || !(force || due) || self.begun.is_none() {
            return None;
        }
        self.drawn = Some(Instant::now());
        let mut text = self.erase();
        let lines = self.lines(width());
        self.shown = lines.len();
        for line in lines {
            text += &line;
            text += "\n";
        }
        Some(text)
    }

    fn lines(&self, width: usize) -> Vec<String> {
        let counts = &self.counts;
        let elapsed = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let mut head = format!("[{}] {}/{} done", clock(elapsed), counts.done(), counts.total);
        let left = counts.total.saturating_sub(counts.done() + counts.running);
        for (count, what) in [
            (counts.running, "running"),
            (left, "waiting"),
            (counts.failed + counts.replayed, "failed"),
            (counts.blocked, "blocked"),
        ] {
            if count > 0 {
                let _ = write!(head, ", {count} {what}");
            }
        }
        let mut lines = vec![Brush(true).paint(Style::Bold, &head.chars().take(width).collect::<String>())];
        let running: Vec<_> = self.running.iter().flatten().collect();
        for (name, since) in running.iter().take(MOST_JOBS) {
            lines.push(cut(&format!("  {} {name}", clock(since.elapsed())), width));
        }
        if running.len() > MOST_JOBS {
            lines.push(format!("  and {} more", running.len() - MOST_JOBS));
        }
        lines
    }

    /// When it wants to move.
    pub fn tick(&self) -> Option<Duration> {
        (!self.held && !self.ended && self.counts.running > 0).then_some(INTERVAL)
    }
}

/// Cuts a coloured line so that it does not wrap.
fn cut(line: &str, width: usize) -> String {
    let (mut text, mut left, mut in_code) = (String::new(), width, false);
    for c in line.chars() {
        if c == '\x1b' {
            in_code = true;
        } else if !in_code {
            if left == 0 {
                return text + "\x1b[0m";
            }
            left -= 1;
        }
        text.push(c);
        in_code &= c != 'm';
    }
    text
}

/// The width of the terminal, less one: some wrap after the last column.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr());
    usize::from(size.map_or(80, |size| size.ws_col).max(20)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_by_what_is_seen() {
        assert_eq!(cut("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mabc\x1b[0m");
        assert_eq!(cut("abc", 3), "abc");
    }
}
