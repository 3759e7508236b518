//! Archives: from a downloaded file straight into the store. Nothing is unpacked on disk, so nothing can be
//! written outside, and each file is hashed once, while it is decompressed.

mod ar;
mod compression;
pub(super) mod layers;
mod member;
mod scene;
mod tar;
mod unpack;
mod zip;

pub(super) use member::normal;

use super::tree::Tree;
use crate::values::digest::Hasher;
use crate::values::{Digest, Error, Result};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Takes the content of a file into the store.
type Sink<'a> = &'a mut dyn FnMut(&mut dyn Read) -> Result<Digest>;

/// What is read at once.
const PIECE: usize = 1 << 18;

/// Which part of an archive is staged.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    /// What is below the first directory that a pattern matches; all of it if the pattern is empty.
    Base(&'a str),
    /// What is below the topmost directories, whatever they are called.
    BelowTop,
}

/// What a tar archive is in.
#[derive(Clone, Copy)]
pub(super) enum Container {
    None,
    /// A package of Debian.
    Deb,
}

/// What reading an archive gave.
pub(super) struct Unpacked {
    /// The hash of the file.
    pub(super) digest: Digest,
    /// What is in it.
    pub(super) tree: Result<Tree>,
    /// The topmost directory of the first member.
    pub(super) first: Option<String>,
}

/// Reads a tar archive, compressed or not.
pub(super) fn read_tar(path: &Path, container: Container, part: Part, sink: Sink) -> Result<Unpacked> {
    let failed = |error| Error::io("cannot read", path, error);
    let mut hashing = Hashing { input: File::open(path).map_err(failed)?, hasher: Hasher::default() };
    let members = {
        let input = BufReader::with_capacity(PIECE, &mut hashing);
        match container {
            Container::None => read_members(input, path, sink),
            Container::Deb => ar::data(input).and_then(|data| read_members(BufReader::new(data), path, sink)),
        }
    };
    // What follows the archive belongs to the file.
    io::copy(&mut hashing, &mut io::sink()).map_err(failed)?;
    let first = members.as_ref().ok().and_then(|members| {
        let top = members.first()?.path.split(|b| *b == b'/').next()?;
        Some(String::from_utf8_lossy(top).into_owned())
    });
    let tree = members.and_then(|members| tree_of_tar(members, part));
    Ok(Unpacked { digest: hashing.hasher.finish(), tree, first })
}

/// Reads a zip archive.
pub(super) fn read_zip(path: &Path, part: Part, sink: Sink) -> Result<Unpacked> {
    let failed = |error| Error::io("cannot read", path, error);
    let mut hashing = Hashing { input: File::open(path).map_err(failed)?, hasher: Hasher::default() };
    io::copy(&mut hashing, &mut io::sink()).map_err(failed)?;
    let members = zip::read(File::open(path).map_err(failed)?, sink);
    let tree = members.and_then(|members| tree_of_zip(members, part));
    Ok(Unpacked { digest: hashing.hasher.finish(), tree, first: None })
}

fn read_members(input: impl io::BufRead, path: &Path, sink: Sink) -> Result<Vec<member::Member>> {
    let decoder = compression::decompress(input).map_err(|error| Error::io("cannot read", path, error))?;
    tar::read(BufReader::with_capacity(PIECE, decoder), sink)
}

fn tree_of_tar(mut members: Vec<member::Member>, part: Part) -> Result<Tree> {
    let selected = match part {
        Part::Base("") => vec![true; members.len()],
        Part::Base(pattern) => {
            let base = member::base_directory(&members, pattern)?;
            member::select(&mut members, &base)
        }
        Part::BelowTop => member::select_below_top(&mut members),
    };
    unpack::unpack(&members, &selected)
}

fn tree_of_zip(members: Vec<zip::Member>, part: Part) -> Result<Tree> {
    let members = match part {
        Part::Base("") => members,
        Part::Base(pattern) => {
            let base = zip::base_directory(&members, pattern)?;
            if base.is_empty() { members } else { zip::below(members, &base) }
        }
        Part::BelowTop => zip::below_top(members),
    };
    zip::unpack(&members)
}

/// Hashes what is read through it.
struct Hashing {
    input: File,
    hasher: Hasher,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        Ok(length)
    }
}
