//! The logs of builds.

use super::{Store, naming, part};
use crate::values::record::{ArtifactField, Work};
use crate::values::result::BuildResult;
use crate::values::{Digest, Error, Record, Result, name::ArtifactName};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Where a log is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Log {
    Stored(Digest),
    /// Of a build that is not committed yet.
    File(PathBuf),
}

/// The log that a word of a command line means: `KEY` or `PROJECT/ELEMENT/KEY`; of an earlier attempt if its
/// number is given.
pub fn of_word(store: &Store, word: &str, attempt: Option<u32>) -> Result<Log> {
    of_name(store, &naming::name(store, word)?, attempt)
}

/// The log that a record means.
pub fn of_record(store: &Store, record: &Record, attempt: Option<u32>) -> Result<Log> {
    if attempt.is_none() {
        if let Some(log) = record.get::<Work>("work")?.and_then(|work| work.log) {
            return Ok(Log::File(log.into()));
        }
        let artifact = record.get::<ArtifactField>("artifact")?.and_then(|artifact| artifact.log);
        let result = record.get::<BuildResult>("result")?.and_then(|result| result.log);
        if let Some(digest) = artifact.or(result) {
            return Ok(Log::Stored(digest));
        }
    }
    of_name(store, &record.artifact_name(record.require("key")?)?, attempt)
}

fn of_name(store: &Store, name: &ArtifactName, attempt: Option<u32>) -> Result<Log> {
    let metadata = store.metadata().read(name)?;
    if let Some(number) = attempt {
        let metadata = metadata.ok_or_else(|| Error::not_found(format!("no attempts are known of {name}")))?;
        let results = metadata.attempts.iter().map(|attempt| &attempt.result).chain([&metadata.result]);
        let mut found = results.filter(|result| result.attempt == Some(number));
        let log = found.next_back().and_then(|result| result.log);
        return log.map(Log::Stored).ok_or_else(|| Error::not_found(format!("{name} has no log of attempt {number}")));
    }
    match part::read(store, name) {
        Ok(artifact) => part::part_of(name, &artifact, "log").map(Log::Stored),
        // Of some failures nothing but the log is kept; and a log can outlive a damaged ref.
        Err(error) => match metadata.and_then(|metadata| metadata.artifact.log.or(metadata.result.log)) {
            Some(digest) => Ok(Log::Stored(digest)),
            None => Err(error),
        },
    }
}

impl Log {
    /// Writes the log as it is, or its last lines. The bytes of a stored log are verified, unless only the end
    /// is wanted.
    pub fn write(&self, store: &Store, lines: Option<u64>, out: &mut impl Write) -> Result<()> {
        let path = match (self, lines) {
            (Log::Stored(digest), None) => return store.cas().copy_to(digest, out),
            (Log::Stored(digest), Some(_)) => store.cas().path(digest),
            (Log::File(path), _) => path.clone(),
        };
        let failed = |error| Error::io("cannot read", &path, error);
        let mut file = match self {
            Log::Stored(digest) => store.cas().open(digest)?,
            Log::File(path) => File::open(path).map_err(failed)?,
        };
        if let Some(lines) = lines {
            let start = start_of_last(&mut file, lines).map_err(failed)?;
            file.seek(SeekFrom::Start(start)).map_err(failed)?;
        }
        std::io::copy(&mut file, out).map_err(|error| Error::io("cannot write", Path::new("the log"), error))?;
        Ok(())
    }
}

/// Where the last lines of a file begin, found from its end: a log may have gigabytes.
fn start_of_last(file: &mut File, lines: u64) -> std::io::Result<u64> {
    const PIECE: u64 = 1 << 16;
    let end = file.seek(SeekFrom::End(0))?;
    let (mut left, mut at) = (lines, end);
    let mut buffer = Vec::new();
    while at > 0 {
        let start = at.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        buffer.clear();
        Read::by_ref(file).take(at - start).read_to_end(&mut buffer)?;
        for (index, &byte) in buffer.iter().enumerate().rev() {
            let place = start + index as u64;
            // The end of the last line begins no other.
            if byte == b'\n' && place + 1 < end {
                left = left.saturating_sub(1);
            }
            if left == 0 {
                return Ok(if lines == 0 { end } else { place + 1 });
            }
        }
        at = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        let mut file = tempfile::tempfile().expect("a file");
        let text: String = (0..40_000).map(|line| format!("line {line}\n")).collect();
        file.write_all(text.as_bytes()).expect("written");
        for lines in [0, 1, 3, 39_999, 40_000, 50_000] {
            let start = start_of_last(&mut file, lines).expect("a place");
            let expected = 40_000_u64.saturating_sub(lines);
            let found = text[usize::try_from(start).expect("small")..].lines().next().map(str::to_owned);
            assert_eq!(found, (expected < 40_000).then(|| format!("line {expected}")), "{lines}");
        }
        let mut open = tempfile::tempfile().expect("a file");
        open.write_all(b"one\ntwo").expect("written");
        assert_eq!(start_of_last(&mut open, 1).expect("a place"), 4);
    }
}
