//! Reads tar archives: ustar, GNU and pax with their long names and sparse files.
//!
//! What is an archive and where it ends is as for Python's `tarfile`, with which BuildStream reads it: a
//! block that is no header ends the archive, unless it is the first one; only files have data.

use super::Sink;
use super::member::{Kind, Member};
use crate::values::{Code, Error, Result};
use std::collections::BTreeMap;
use std::io::{self, Read};

const BLOCK: usize = 512;
/// Long names and extended headers are kept in memory: longer ones are refused.
const LONGEST_EXTENSION: u64 = 1 << 20;
/// More cannot be meant: each takes memory.
const MOST_MEMBERS: usize = 20_000_000;
/// What the files of one archive may be together: beyond it, it is a bomb.
const LARGEST: u64 = 1 << 40;

/// Reads all members, and hands the content of the files to `sink`.
pub(super) fn read(input: impl Read, sink: Sink) -> Result<Vec<Member>> {
    let mut reader = Reader { input, sink, total: 0, first: true };
    let mut members = Vec::new();
    while let Some(member) = reader.next_member(Extensions::default())? {
        if members.len() >= MOST_MEMBERS {
            return Err(broken("it has too many members"));
        }
        members.push(member);
    }
    Ok(members)
}

struct Reader<'a, R> {
    input: R,
    sink: Sink<'a>,
    total: u64,
    /// Whether no header was read yet.
    first: bool,
}

/// What headers before a member's own say of it.
#[derive(Clone, Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: BTreeMap<Vec<u8>, Vec<u8>>,
    /// `GNU.sparse.offset` and `.numbytes`, which come again and again.
    holes: Vec<(u64, u64)>,
    pending: bool,
}

/// The pieces of a file that are there: offset and length.
type Map = Vec<(u64, u64)>;

impl<R: Read> Reader<'_, R> {
    fn next_member(&mut self, mut extensions: Extensions) -> Result<Option<Member>> {
        loop {
            let Some(header) = self.header(extensions.pending)? else { return Ok(None) };
            match header.kind {
                b'L' | b'K' => {
                    let text = self.extension(header.size)?;
                    let text = until_nul(&text).to_vec();
                    *(if header.kind == b'L' { &mut extensions.name } else { &mut extensions.link }) = Some(text);
                    extensions.pending = true;
                }
                b'x' | b'X' | b'g' => {
                    let records = self.extension(header.size)?;
                    let mut found = Extensions::default();
                    parse_pax(&records, &mut found)?;
                    // Global records are comments in all archives that there are.
                    if header.kind != b'g' {
                        extensions.pax.append(&mut found.pax);
                        extensions.holes.append(&mut found.holes);
                        extensions.pending = true;
                    }
                }
                _ => return self.member(header, extensions).map(Some),
            }
        }
    }

    fn member(&mut self, header: Header, extensions: Extensions) -> Result<Member> {
        let pax = |name: &str| extensions.pax.get(name.as_bytes());
        let number = |name: &str| pax(name).and_then(|value| std::str::from_utf8(value).ok()?.parse::<u64>().ok());
        let mut path =
            pax("GNU.sparse.name").or(pax("path")).cloned().or(extensions.name.clone()).unwrap_or(header.name);
        let mut kind = header.kind;
        if kind == 0 && extensions.name.is_none() && path.ends_with(b"/") {
            kind = b'5';
        }
        if kind == b'5' || pax("path").is_some() {
            let length = path.iter().rposition(|b| *b != b'/').map_or(0, |last| last + 1);
            path.truncate(length);
        }
        let link = pax("linkpath").cloned().or(extensions.link).unwrap_or(header.link);
        let stored = number("size").unwrap_or(header.size);
        let kind = match kind {
            b'1' => Kind::HardLink(link),
            b'2' => Kind::Link(link),
            b'3' | b'4' | b'6' => Kind::Device,
            b'5' => Kind::Directory,
            b'S' => {
                let map = self.old_sparse_map(&header.raw)?;
                Kind::File(self.sparse(stored, &map, octal(&header.raw[483..495]).unwrap_or(0))?)
            }
            0 | b'0' | b'7' => {
                let real = number("GNU.sparse.realsize").or(number("GNU.sparse.size"));
                if let Some(map) = pax("GNU.sparse.map") {
                    let map = listed_map(map)?;
                    Kind::File(self.sparse(stored, &map, real.unwrap_or(stored))?)
                } else if pax("GNU.sparse.size").is_some() {
                    Kind::File(self.sparse(stored, &extensions.holes, real.unwrap_or(stored))?)
                } else if number("GNU.sparse.major") == Some(1) && number("GNU.sparse.minor") == Some(0) {
                    let (map, length) = self.leading_map(stored)?;
                    Kind::File(self.sparse(stored - length, &map, real.unwrap_or(stored))?)
                } else {
                    Kind::File(self.sparse(stored, &[(0, stored)], stored)?)
                }
            }
            _ => {
                self.skip(stored)?;
                Kind::Unknown
            }
        };
        Ok(Member { path, kind, executable: header.mode & 0o100 != 0 })
    }

    /// The next header, or the end. After a header that speaks of the next one there has to be one.
    fn header(&mut self, pending: bool) -> Result<Option<Header>> {
        let mut block = [0; BLOCK];
        let length = fill(&mut self.input, &mut block)?;
        let header = if length == BLOCK { Header::parse(&block) } else { None };
        let first = std::mem::replace(&mut self.first, false);
        match header {
            None if pending => Err(broken("it ends where a member's header should be")),
            None if first && (length < BLOCK || block.iter().any(|b| *b != 0)) => {
                Err(broken("it is no tar archive, compressed or not"))
            }
            header => Ok(header),
        }
    }

    /// The content of a header that speaks of the next one.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > LONGEST_EXTENSION {
            return Err(broken("a header of it is longer than 1 MiB"));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        if fill(&mut self.input, &mut bytes)? < bytes.len() {
            return Err(cut());
        }
        self.pad(size)?;
        Ok(bytes)
    }

    /// The map of an old GNU sparse file: four pieces in the header, more in blocks behind it.
    fn old_sparse_map(&mut self, raw: &[u8; BLOCK]) -> Result<Map> {
        let piece = |bytes: &[u8]| Some((octal(&bytes[..12])?, octal(&bytes[12..24])?));
        let mut map: Map = (0..4).map_while(|i| piece(&raw[386 + 24 * i..])).collect();
        let mut more = raw[482] != 0;
        while more {
            let mut block = [0; BLOCK];
            if fill(&mut self.input, &mut block)? < BLOCK {
                return Err(cut());
            }
            map.extend((0..21).map_while(|i| piece(&block[24 * i..])));
            more = block[504] != 0;
            if map.len() > MOST_MEMBERS {
                return Err(broken("a file of it has too many pieces"));
            }
        }
        Ok(map)
    }

    /// The map of a pax sparse file of version 1.0: decimal numbers, a line each, in the first blocks of the
    /// data. Says how long it is.
    fn leading_map(&mut self, stored: u64) -> Result<(Map, u64)> {
        let mut text = Vec::new();
        let mut length = 0;
        loop {
            let mut lines = text.split(|b| *b == b'\n').map(decimal);
            // What stands behind the last line end is not complete.
            let complete = text.iter().filter(|b| **b == b'\n').count();
            if let Some(count) = lines.next().filter(|_| complete > 0) {
                let count = count.ok_or_else(|| broken("a file's map of holes cannot be read"))?;
                if complete as u64 > count.saturating_mul(2) {
                    let numbers: Option<Vec<u64>> = lines.take(usize::try_from(count * 2).unwrap_or(0)).collect();
                    let numbers = numbers.ok_or_else(|| broken("a file's map of holes cannot be read"))?;
                    return Ok((numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect(), length));
                }
            }
            let mut block = [0; BLOCK];
            if length + BLOCK as u64 > stored
                || length > LONGEST_EXTENSION
                || fill(&mut self.input, &mut block)? < BLOCK
            {
                return Err(broken("a file's map of holes cannot be read"));
            }
            text.extend_from_slice(&block);
            length += BLOCK as u64;
        }
    }

    /// Stores a file of which `stored` bytes follow: the pieces of `map`, with zeros between, `size` bytes.
    fn sparse(&mut self, stored: u64, map: &[(u64, u64)], size: u64) -> Result<crate::values::Digest> {
        self.total = self.total.saturating_add(size);
        if self.total > LARGEST {
            return Err(broken("its files are more than 1 TiB"));
        }
        let mut content = Content {
            data: self.input.by_ref().take(stored),
            map: map.iter().copied(),
            piece: 0,
            at: 0,
            size,
            error: None,
        };
        let digest = (self.sink)(&mut content).map_err(|error| content.error.take().map_or(error, unreadable))?;
        if digest.size() != size {
            return Err(cut());
        }
        let rest = content.data.limit();
        self.skip_exactly(rest)?;
        self.pad(stored)?;
        Ok(digest)
    }

    fn skip(&mut self, size: u64) -> Result<()> {
        self.skip_exactly(size)?;
        self.pad(size)
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        self.skip_exactly(size.wrapping_neg() % BLOCK as u64)
    }

    fn skip_exactly(&mut self, size: u64) -> Result<()> {
        let copied = io::copy(&mut self.input.by_ref().take(size), &mut io::sink()).map_err(unreadable)?;
        if copied == size { Ok(()) } else { Err(cut()) }
    }
}

/// A file's content: pieces that are in the archive, and zeros.
struct Content<'a, R, I> {
    data: io::Take<&'a mut R>,
    map: I,
    /// What is left of the present piece.
    piece: u64,
    at: u64,
    size: u64,
    /// Why the archive could not be read on.
    error: Option<io::Error>,
}

impl<R: Read, I: Iterator<Item = (u64, u64)> + Clone> Read for Content<'_, R, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        while self.piece == 0 {
            let mut rest = self.map.clone();
            match rest.next() {
                Some((_, 0)) => self.map = rest,
                Some((start, length)) if start == self.at => {
                    self.piece = length;
                    self.map = rest;
                }
                // Pieces that overlap or go back: the file ends here, and that is found out.
                Some((start, _)) if start < self.at => return Ok(0),
                Some((start, _)) => return Ok(self.zeros(start, buffer)),
                None => return Ok(self.zeros(self.size, buffer)),
            }
        }
        let most = self.piece.min(self.size - self.at).min(buffer.len() as u64);
        let length = match self.data.read(&mut buffer[..usize::try_from(most).unwrap_or(0)]) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.error = Some(error);
                return Err(kind.into());
            }
            outcome => outcome?,
        };
        self.piece -= length as u64;
        self.at += length as u64;
        Ok(length)
    }
}

impl<R, I> Content<'_, R, I> {
    fn zeros(&mut self, until: u64, buffer: &mut [u8]) -> usize {
        let most = (until.min(self.size) - self.at).min(buffer.len() as u64);
        let length = usize::try_from(most).unwrap_or(0);
        buffer[..length].fill(0);
        self.at += most;
        length
    }
}

struct Header {
    raw: Box<[u8; BLOCK]>,
    name: Vec<u8>,
    mode: u64,
    size: u64,
    kind: u8,
    link: Vec<u8>,
}

impl Header {
    /// Reads a block, if it is a header.
    fn parse(block: &[u8; BLOCK]) -> Option<Header> {
        let sum = |add: fn(u8) -> i64| -> i64 {
            let counted = block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { b' ' } else { *b });
            counted.map(add).sum()
        };
        let checksum = i64::try_from(octal(&block[148..156])?).ok()?;
        // Some old programs added signed bytes.
        if checksum != sum(i64::from) && checksum != sum(|b| i64::from(b as i8)) {
            return None;
        }
        if block.iter().all(|b| *b == 0) {
            return None;
        }
        let mut name = until_nul(&block[..100]).to_vec();
        let prefix = until_nul(&block[345..500]);
        let is_gnu = &block[257..265] == b"ustar  \0";
        if !prefix.is_empty() && !is_gnu {
            name = [prefix, b"/", &name].concat();
        }
        Some(Header {
            raw: Box::new(*block),
            name,
            mode: octal(&block[100..108])?,
            size: octal(&block[124..136])?,
            kind: block[156],
            link: until_nul(&block[157..257]).to_vec(),
        })
    }
}

/// A number field: octal text, or with the first bit set the number itself.
fn octal(field: &[u8]) -> Option<u64> {
    match field.first()? {
        0o200 => field[1..].iter().try_fold(0_u64, |number, b| number.checked_mul(256)?.checked_add(u64::from(*b))),
        0o377 => None,
        _ => {
            let text = std::str::from_utf8(until_nul(field)).ok()?.trim();
            if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
        }
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|b| *b == 0).next().unwrap_or_default()
}

/// Reads `LENGTH KEYWORD=VALUE` lines.
fn parse_pax(mut records: &[u8], extensions: &mut Extensions) -> Result<()> {
    let bad = || broken("an extended header of it cannot be read");
    while records.first().is_some_and(|b| *b != 0) {
        let space = records.iter().position(|b| *b == b' ').ok_or_else(bad)?;
        let length = decimal(&records[..space]).and_then(|length| usize::try_from(length).ok()).ok_or_else(bad)?;
        let record = records.get(space + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(bad)?;
        let equals = record.iter().position(|b| *b == b'=').filter(|at| *at > 0).ok_or_else(bad)?;
        let (keyword, value) = (&record[..equals], &record[equals + 1..]);
        match keyword {
            b"GNU.sparse.offset" => extensions.holes.push((decimal(value).ok_or_else(bad)?, 0)),
            b"GNU.sparse.numbytes" => {
                extensions.holes.last_mut().ok_or_else(bad)?.1 = decimal(value).ok_or_else(bad)?;
            }
            _ => {}
        }
        extensions.pax.insert(keyword.to_vec(), value.to_vec());
        records = &records[length..];
    }
    Ok(())
}

/// `OFFSET,LENGTH,OFFSET,LENGTH,...`
fn listed_map(text: &[u8]) -> Result<Map> {
    let numbers: Option<Vec<u64>> = text.split(|b| *b == b',').map(decimal).collect();
    let numbers = numbers.ok_or_else(|| broken("a file's map of holes cannot be read"))?;
    Ok(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(length)
}

fn unreadable(error: io::Error) -> Error {
    broken(&format!("it cannot be read: {error}"))
}

fn cut() -> Error {
    broken("it ends in the middle of a file")
}

fn broken(what: &str) -> Error {
    Error::new(Code::Source, format!("the archive is broken: {what}"))
}
