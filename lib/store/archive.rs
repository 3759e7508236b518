//! From a tree in the store to a tar stream, in the order of the names.

use super::cas::Cas;
use super::checkout::FIXED_TIME;
use super::tree::Tree;
use crate::values::{Digest, Error, Result, directory, proto};
use std::io::{Read, Write};
use std::path::Path;
use tar::{Builder, EntryType, Header};

impl Cas {
    /// Writes a tree as a tar stream: owner 0, modes 0644 and 0755, and one time for all. The same tree gives
    /// the same bytes.
    pub fn write_tar(&self, tree: &Tree, mtime: Option<i64>, out: impl Write) -> Result<()> {
        tree.check_extent()?;
        let mtime = u64::try_from(mtime.unwrap_or(FIXED_TIME)).unwrap_or(0);
        let mut archive = Archive { cas: self, tree, mtime, builder: Builder::new(out) };
        archive.directory(&tree.root, "")?;
        archive.builder.finish().map_err(failed)
    }
}

struct Archive<'a, W: Write> {
    cas: &'a Cas,
    tree: &'a Tree,
    mtime: u64,
    builder: Builder<W>,
}

impl<W: Write> Archive<'_, W> {
    /// The depth is bounded: see [`Tree::check_extent`].
    fn directory(&mut self, digest: &Digest, prefix: &str) -> Result<()> {
        let message: &proto::Directory = self.tree.directory(digest)?;
        let mut names: Vec<(&str, Entry)> = Vec::new();
        names.extend(message.files.iter().map(|node| (&*node.name, Entry::File(node))));
        names.extend(message.directories.iter().map(|node| (&*node.name, Entry::Directory(node))));
        names.extend(message.symlinks.iter().map(|node| (&*node.name, Entry::Link(node))));
        names.sort_unstable_by(|a, b| a.0.cmp(b.0));
        for (name, entry) in names {
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            match entry {
                Entry::Directory(node) => {
                    let mut header = self.header(EntryType::Directory, 0o755, 0);
                    let path_with_slash = format!("{path}/");
                    self.builder.append_data(&mut header, &path_with_slash, std::io::empty()).map_err(failed)?;
                    self.directory(&directory::node_digest(&node.digest, name)?, &path)?;
                }
                Entry::File(node) => {
                    let digest = directory::node_digest(&node.digest, name)?;
                    let mode = if node.is_executable { 0o755 } else { 0o644 };
                    let mut header = self.header(EntryType::Regular, mode, digest.size());
                    let blob = Exact { reader: self.cas.open(&digest)?, left: digest.size() };
                    self.builder.append_data(&mut header, &path, blob).map_err(|error| in_blob(error, &digest))?;
                }
                Entry::Link(node) => {
                    let mut header = self.header(EntryType::Symlink, 0o777, 0);
                    self.builder.append_link(&mut header, &path, &node.target).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    fn header(&self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(self.mtime);
        header.set_uid(0);
        header.set_gid(0);
        header
    }
}

enum Entry<'a> {
    File(&'a proto::FileNode),
    Directory(&'a proto::DirectoryNode),
    Link(&'a proto::SymlinkNode),
}

/// A reader that gives exactly as much as the header says, or an error: a blob of another size would shift
/// all that follows in the stream.
struct Exact<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let length = self.reader.read(&mut buffer[..most])?;
        self.left -= length as u64;
        if length == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(length)
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io("cannot write", Path::new("the archive"), error)
}

fn in_blob(error: std::io::Error, digest: &Digest) -> Error {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return Error::damaged(format!("the blob {digest} is shorter than its digest says"));
    }
    failed(error)
}
