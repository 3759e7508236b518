//! Who watches a run: records go to stdout, words to stderr, events to their file.

use super::events::Events;
use super::lines::lines;
use super::live::Live;
use crate::doing::schedule::{Event, Moment, Watcher};
use crate::edge::colour::{Brush, When};
use crate::edge::pipe::{self, Stdout, Writer};
use crate::values::{Record, Result};
use std::io::IsTerminal;
use std::time::Duration;

/// Everything outside.
pub(super) struct Outside {
    records: Writer<Stdout>,
    events: Option<Events>,
    words: Words,
}

/// What is said on stderr.
struct Words {
    brush: Brush,
    quiet: bool,
    live: Option<Live>,
    pending: Vec<u8>,
}

impl Outside {
    /// `events` is what `--events` names.
    pub fn new(events: Option<&str>, quiet: bool, color: When) -> Result<Outside> {
        let is_terminal = std::io::stderr().is_terminal();
        let words = Words {
            brush: Brush(color.colours(is_terminal)),
            quiet,
            live: (is_terminal && !quiet).then(Live::default),
            pending: Vec::new(),
        };
        Ok(Outside { records: pipe::stdout(), events: events.map(Events::open).transpose()?, words })
    }

    /// Says something before the run begins.
    pub fn warn(&mut self, message: &str) {
        self.words.pending.extend_from_slice(format!("bst-schedule: {message}\n").as_bytes());
    }
}

impl Watcher for Outside {
    fn event(&mut self, moment: &Moment<'_>, event: &Event<'_>) {
        if let Some(events) = &mut self.events {
            events.push(moment, event);
        }
        self.words.take(moment, event);
    }

    fn record(&mut self, record: &Record) -> Result<()> {
        self.records.push(record)
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(Err(error)) = self.events.as_mut().map(Events::flush) {
            // The run matters more than its diary.
            self.events = None;
            self.warn(&format!("{error}; no more events are written"));
        }
        self.words.flush();
        self.records.flush()
    }

    fn tick(&self) -> Option<Duration> {
        self.words.live.as_ref().and_then(Live::tick)
    }
}

impl Words {
    fn take(&mut self, moment: &Moment<'_>, event: &Event<'_>) {
        if let Some(live) = &mut self.live {
            if matches!(event, Event::Ask { .. }) {
                let erase = live.erase();
                self.pending.extend_from_slice(erase.as_bytes());
                self.say(moment, event);
                write_all(&std::mem::take(&mut self.pending));
            }
            if let Some(live) = &mut self.live {
                live.note(moment, event);
            }
            // A display shows what starts by itself.
            if matches!(event, Event::Start { .. } | Event::Ask { .. }) {
                return;
            }
        }
        self.say(moment, event);
    }

    fn say(&mut self, moment: &Moment<'_>, event: &Event<'_>) {
        match event {
            Event::Output { text } => self.pending.extend_from_slice(text),
            Event::Warn { .. } => {
                let text = lines(self.brush, moment, event);
                self.pending.extend_from_slice(b"bst-schedule: ");
                self.pending.extend_from_slice(text.trim_start().as_bytes());
            }
            _ if self.quiet => {}
            _ => self.pending.extend_from_slice(lines(self.brush, moment, event).as_bytes()),
        }
    }

    /// Nobody who reads words may stop the run: what cannot be written is lost.
    fn flush(&mut self) {
        let Some(live) = &mut self.live else {
            return write_all(&std::mem::take(&mut self.pending));
        };
        if live.is_held() {
            return;
        }
        let something = !self.pending.is_empty();
        let mut text = if something { live.erase().into_bytes() } else { Vec::new() };
        text.append(&mut self.pending);
        if let Some(display) = live.draw(something) {
            text.extend_from_slice(display.as_bytes());
        }
        write_all(&text);
    }
}

fn write_all(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stderr(), bytes) {
            Ok(written) if written > 0 => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            _ => return,
        }
    }
}
