//! The lines of `--events`: each an object with `event`, `at_ms` since the begin of the run, and `time`.

use crate::doing::schedule::{Event, Moment};
use crate::values::{Error, Result, time::Time};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Writes events.
#[derive(Debug)]
pub(super) struct Events {
    file: File,
    name: String,
    pending: Vec<u8>,
}

impl Events {
    /// Opens what `--events` names: a file, which is replaced, or `fd:N`.
    pub fn open(name: &str) -> Result<Events> {
        let failed = |error: std::io::Error| Error::io("cannot write events to", Path::new(name), error);
        let file = match name.strip_prefix("fd:") {
            Some(number) => descriptor(number)?,
            None => File::create(name).map_err(failed)?,
        };
        Ok(Events { file, name: name.to_owned(), pending: Vec::new() })
    }

    /// Takes an event; it goes out at the latest with the next [`Events::flush`].
    pub fn push(&mut self, moment: &Moment<'_>, event: &Event<'_>) {
        if matches!(event, Event::Output { .. }) {
            return;
        }
        let mut value = to_value(event);
        if let Value::Object(fields) = &mut value {
            fields.insert("at_ms".to_owned(), json!(u64::try_from(moment.since.as_millis()).unwrap_or(u64::MAX)));
            let time = fields.remove("time").unwrap_or_else(|| to_value(&Time::now()));
            fields.insert("time".to_owned(), time);
            if let Some(subject) = &moment.subject {
                if let Value::Object(subject) = to_value(subject) {
                    fields.extend(subject);
                }
            }
        }
        self.pending.extend_from_slice(value.to_string().as_bytes());
        self.pending.push(b'\n');
    }

    /// Writes what is pending.
    pub fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.pending);
        self.pending.clear();
        written.map_err(|error| Error::io("cannot write events to", Path::new(&self.name), error))
    }
}

/// Events are plain data; what could not be written is left out rather than ending the run.
fn to_value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}

/// A descriptor that whoever started this program opened. The jobs do not get it.
fn descriptor(number: &str) -> Result<File> {
    let wrong = || Error::usage(format!("--events: \"fd:{}\" is no open descriptor", number.escape_default()));
    let number: i32 = number.parse().ok().filter(|number| *number >= 0).ok_or_else(wrong)?;
    // SAFETY: the descriptor is borrowed for one call, which fails if nothing is open there; setting a flag
    // of a descriptor that others may share changes nothing for them.
    let copy = unsafe {
        if number > libc::STDERR_FILENO {
            libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        BorrowedFd::borrow_raw(number).try_clone_to_owned()
    };
    copy.map(File::from).map_err(|_| wrong())
}
