//! Records in from stdin and out to stdout.

use crate::values::error::ErrorRecord;
use crate::values::{Error, Exit, Record, Result};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

/// A record longer than this is refused: it would be no record but a stream without line ends.
const LONGEST: usize = 1 << 30;

/// Reads records, one a line; empty lines are passed over.
pub struct Reader<R> {
    input: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Reader<R> {
        Reader { input: BufReader::with_capacity(1 << 16, input), line: Vec::new() }
    }

    /// The next record, or that the line is none, or that there are no more.
    pub fn next_record(&mut self) -> Option<Result<Record>> {
        loop {
            self.line.clear();
            let most = LONGEST as u64;
            match self.input.by_ref().take(most).read_until(b'\n', &mut self.line) {
                Ok(0) => return None,
                Ok(_) if self.line.len() >= LONGEST => {
                    return Some(Err(Error::malformed("a line is longer than 1 GiB: expected records, one a line")));
                }
                Ok(_) if self.line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Some(Record::parse(&self.line)),
                Err(error) => return Some(Err(Error::io("cannot read", Path::new("stdin"), error))),
            }
        }
    }

    /// Whether the next record can be had without waiting.
    pub fn is_ready(&self) -> bool {
        self.input.buffer().contains(&b'\n')
    }
}

/// Writes records so that each goes out whole.
pub struct Writer<W> {
    output: W,
    pending: Vec<u8>,
}

/// Above this records that need not wait are written.
const BATCH: usize = 1 << 16;

impl<W: Write> Writer<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Writer<W> {
        Writer { output, pending: Vec::new() }
    }

    /// Takes a record; it goes out at the latest with the next [`Writer::flush`].
    pub fn push(&mut self, record: &Record) -> Result<()> {
        record.write_line(&mut self.pending)?;
        if self.pending.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Takes a line that is a record already, with its LF.
    pub fn push_line(&mut self, line: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(line);
        if self.pending.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Writes what is pending, in one write(2) where the system takes it in one.
    pub fn flush(&mut self) -> Result<()> {
        let written = self.output.write_all(&self.pending).and_then(|()| self.output.flush());
        self.pending.clear();
        written.map_err(|error| Error::io("cannot write to", Path::new("stdout"), error))
    }
}

/// A writer of records on stdout. It goes around the line buffer of std, which would cut records.
pub fn stdout() -> Writer<Stdout> {
    Writer::new(Stdout)
}

/// Descriptor 1, unbuffered.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        rustix::io::write(rustix::stdio::stdout(), bytes).map_err(io::Error::from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The loop of a filter: treats each record of stdin and writes it to stdout, in order, as soon as nothing
/// more can be had without waiting. A record that cannot be treated comes out with `error`, is named on
/// stderr, and the rest goes on. A record that comes in with `error` goes out as it came: what one program
/// could not treat is no input for the next, and the first word about it is the one that counts.
pub fn filter(program: &str, mut treat: impl FnMut(&mut Record) -> Result<Exit>) -> Result<Exit> {
    select(program, |record| treat(record).map(Some))
}

/// The exit of a record that came in with `error`. Its code may be a word of a later version.
pub fn earlier(record: &Record) -> Option<Exit> {
    let error = record.has("error").then(|| record.get::<ErrorRecord>("error").ok().flatten());
    error.map(|error| error.map_or(Exit::Usage, |error| error.code.exit()))
}

/// The same for a filter that can do something about some errors of others: those that `mends` says.
pub fn mend(
    program: &str,
    mends: impl Fn(&ErrorRecord) -> bool,
    mut treat: impl FnMut(&mut Record) -> Result<Exit>,
) -> Result<Exit> {
    each(program, mends, |record| treat(record).map(Some))
}

/// The same for a filter that lets some records through and drops those for which `treat` gives nothing.
pub fn select(program: &str, treat: impl FnMut(&mut Record) -> Result<Option<Exit>>) -> Result<Exit> {
    each(program, |_| false, treat)
}

fn each(
    program: &str,
    mends: impl Fn(&ErrorRecord) -> bool,
    mut treat: impl FnMut(&mut Record) -> Result<Option<Exit>>,
) -> Result<Exit> {
    let mut reader = Reader::new(io::stdin());
    let mut writer = stdout();
    let mut exit = Exit::Done;
    loop {
        if !reader.is_ready() {
            writer.flush()?;
        }
        let Some(record) = reader.next_record() else { break };
        let mut treated = Record::default();
        let outcome = record.and_then(|record| {
            treated = record;
            let mended =
                treated.get::<ErrorRecord>("error").is_ok_and(|error| error.is_some_and(|error| mends(&error)));
            match earlier(&treated).filter(|_| !mended) {
                Some(exit) => Ok(Some(exit)),
                None => treat(&mut treated),
            }
        });
        let outcome = outcome.or_else(|error| {
            eprintln!("{program}: {}: {error}", treated.label());
            treated.set_error(&error).map(|()| Some(error.code().exit()))
        })?;
        if let Some(outcome) = outcome {
            exit = exit.and(outcome);
            writer.push(&treated)?;
        }
    }
    writer.flush()?;
    Ok(exit)
}
