//! The log of a build, laid out as BuildStream lays out its own.

use crate::values::{Error, Key, Result, name::local_name};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A log that is being written. What runs in the sandbox writes to the same file.
pub struct Log {
    file: File,
    path: PathBuf,
    /// `[key] element:`
    subject: String,
}

/// How many bytes of a log its tail has at most.
const TAIL_BYTES: u64 = 4096;
/// How many lines.
const TAIL_LINES: usize = 20;

impl Log {
    /// Starts a log in a directory.
    pub fn start(directory: &Path, builder: &str, element: &str, key: Key) -> Result<Log> {
        let now = SystemTime::now();
        let stamp = Calendar::of(now);
        let path = directory.join(format!("{}-build.{}.log", key.brief(), stamp.compact()));
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)
            .map_err(|error| Error::io("cannot write", &path, error))?;
        let subject = format!("[{}] {}", key.brief(), local_name(element));
        let mut log = Log { file, path, subject };
        log.write(&format!("{builder} - {}\n", stamp.long()))?;
        Ok(log)
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The element's name in its project.
    pub fn element(&self) -> String {
        self.subject.split_once(' ').map_or("", |(_, element)| element).to_owned()
    }

    /// Something starts; the instant to be given back at its end.
    pub fn begin(&mut self, what: &str) -> Result<Instant> {
        self.line("[--:--:--]", "START", what)?;
        Ok(Instant::now())
    }

    /// Something ended.
    pub fn end(&mut self, since: Instant, success: bool, what: &str) -> Result<()> {
        let word = if success { "SUCCESS" } else { "FAILURE" };
        self.line(&format!("[{}]", clock(since.elapsed())), word, what)
    }

    /// A message with no duration: STATUS, LOG, WARNING.
    pub fn say(&mut self, word: &str, what: &str) -> Result<()> {
        self.line("[--:--:--]", word, what)
    }

    /// Lines that belong to what was said before.
    pub fn detail(&mut self, lines: &str) -> Result<()> {
        let mut text = String::from("\n");
        for line in lines.lines() {
            if line.is_empty() { text += "\n" } else { text += &format!("    {line}\n") }
        }
        self.write(&text)
    }

    /// The last lines, as text.
    pub fn tail(&mut self) -> String {
        let mut bytes = Vec::new();
        let start = self.file.metadata().map_or(0, |meta| meta.len().saturating_sub(TAIL_BYTES));
        // A tail that cannot be read is none: the log itself is what counts.
        if self.file.seek(SeekFrom::Start(start)).and_then(|_| self.file.read_to_end(&mut bytes)).is_err() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<&str> = text.lines().skip(usize::from(start > 0)).collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    fn line(&mut self, time: &str, word: &str, what: &str) -> Result<()> {
        let line = format!("{time} {word:<7} {}: {what}\n", self.subject);
        self.write(&line)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        match self.file.write_all(text.as_bytes()) {
            // What happens to the commands is worth more than a word about it: they meet the full disk, too.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
            written => written.map_err(|error| Error::io("cannot write", &self.path, error)),
        }
    }
}

fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A moment of UTC in parts.
struct Calendar {
    date: String,
    time: String,
    weekday: &'static str,
}

impl Calendar {
    fn of(time: SystemTime) -> Calendar {
        const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
        let text = crate::values::time::Time::from(time).to_string();
        let days = crate::values::time::Time::from(time).seconds() / 86400;
        let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap_or_default();
        let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
        Calendar { date: date.to_owned(), time: time.to_owned(), weekday }
    }

    fn compact(&self) -> String {
        format!("{}-{}", self.date.replace('-', ""), self.time.replace(':', ""))
    }

    fn long(&self) -> String {
        let mut parts: Vec<&str> = self.date.split('-').collect();
        parts.reverse();
        format!("{}, {} at {}", self.weekday, parts.join("-"), self.time)
    }
}
