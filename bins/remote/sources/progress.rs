//! What people see of downloads: one line at the bottom of a terminal, and nothing anywhere else.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How often the line changes.
const TICK: Duration = Duration::from_millis(200);

/// Counts of a run.
pub(super) struct Progress {
    started: AtomicU64,
    finished: AtomicU64,
    bytes: AtomicU64,
    expected: AtomicU64,
    shown: AtomicBool,
    begin: Instant,
    terminal: bool,
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress {
            started: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            expected: AtomicU64::new(0),
            shown: AtomicBool::new(false),
            begin: Instant::now(),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn starts(&self) {
        self.started.fetch_add(1, Relaxed);
    }

    /// A server says how much comes.
    pub(super) fn expects(&self, bytes: u64) {
        self.expected.fetch_add(bytes, Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn finishes(&self) {
        self.finished.fetch_add(1, Relaxed);
    }

    /// Runs `work` and shows how far it is, where somebody can see it.
    pub(super) fn showing<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        if !self.terminal {
            return work();
        }
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let shower = scope.spawn(|| {
                while !done.load(Relaxed) {
                    std::thread::park_timeout(TICK);
                    self.show();
                }
                self.clear();
            });
            let outcome = work();
            done.store(true, Relaxed);
            shower.thread().unpark();
            outcome
        })
    }

    /// A line for people, above the progress.
    pub(super) fn say(&self, text: &str) {
        self.clear();
        eprintln!("{text}");
    }

    fn show(&self) {
        let started = self.started.load(Relaxed);
        if started == 0 {
            return;
        }
        let bytes = self.bytes.load(Relaxed);
        let expected = self.expected.load(Relaxed);
        let rate = bytes as f64 / self.begin.elapsed().as_secs_f64().max(0.001);
        let of = if expected > bytes { format!(" of {}", human(expected as f64)) } else { String::new() };
        let finished = self.finished.load(Relaxed);
        let line = format!("{finished} of {started} downloads, {}{of}, {}/s", human(bytes as f64), human(rate));
        // Carriage return, the line, and the rest of what stood there cleared.
        let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
        self.shown.store(true, Relaxed);
    }

    fn clear(&self) {
        if self.shown.swap(false, Relaxed) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// A size as people read it.
fn human(bytes: f64) -> String {
    let mut size = bytes;
    for unit in ["B", "KiB", "MiB"] {
        if size < 1024.0 {
            return format!("{size:.*} {unit}", usize::from(unit != "B"));
        }
        size /= 1024.0;
    }
    format!("{size:.1} GiB")
}
