//! One line for each element, by a format string.

use super::fields::value;
use super::template::{DEFAULT, Template};
use super::{Shown, print};
use crate::edge::colour::Brush;
use crate::values::Result;

/// Prints lines.
pub(super) struct Lines {
    template: Template,
    brush: Brush,
    pending: String,
    /// Line ends that are printed only if something follows: BuildStream's list ends with one, whatever the
    /// format.
    ends: usize,
}

/// As much may be held back.
const BATCH: usize = 1 << 16;

impl Lines {
    pub fn new(format: Option<&str>, brush: Brush) -> Result<Lines> {
        Ok(Lines { template: Template::parse(format.unwrap_or(DEFAULT))?, brush, pending: String::new(), ends: 0 })
    }

    pub fn push(&mut self, shown: &Shown) -> Result<()> {
        let line = self.template.fill(self.brush, |field| value(field, shown))?;
        let text = line.trim_end_matches('\n');
        if !text.is_empty() {
            self.pending.extend(std::iter::repeat_n('\n', self.ends));
            self.pending += text;
            self.ends = 0;
        }
        self.ends += line.len() - text.len() + 1;
        if self.pending.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Prints what is there, and the line end that surely comes.
    pub fn flush(&mut self) -> Result<()> {
        if self.ends > 0 && !self.pending.is_empty() {
            self.pending.push('\n');
            self.ends -= 1;
        }
        print(&std::mem::take(&mut self.pending)).map(drop)
    }

    pub fn finish(&mut self) -> Result<()> {
        self.flush()
    }
}
