//! The Directory message of a directory on disk.

use super::{Digests, Stamp};
use crate::values::{Code, Digest, Error, Result, directory, proto};
use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// Less than this is read on one thread.
const BIG: u64 = 4 << 20;
const MANY: usize = 256;

/// The digest of the message of `path`.
pub fn digest(digests: &Digests, path: &Path, times: bool) -> Result<Digest> {
    let mut found = Found { times, now: SystemTime::now(), files: Vec::new() };
    let metadata = path.symlink_metadata().map_err(|error| Error::io("cannot read", path, error))?;
    let entries = if metadata.is_dir() { found.directory(path)? } else { vec![found.single(path)?] };
    let contents = found.contents(digests)?;
    // The time of the tree itself is not part of it, as against those of the directories in it.
    Ok(message(entries, None, &contents))
}

/// What is found before files are read.
struct Found {
    times: bool,
    now: SystemTime,
    files: Vec<(PathBuf, Stamp, u64)>,
}

enum Entry {
    /// `content` is its number among the files.
    File {
        name: String,
        content: usize,
        executable: bool,
        time: Option<proto::NodeProperties>,
    },
    Directory {
        name: String,
        entries: Vec<Entry>,
        time: Option<proto::NodeProperties>,
    },
    Link {
        name: String,
        target: String,
    },
}

impl Found {
    fn directory(&mut self, path: &Path) -> Result<Vec<Entry>> {
        let failed = |error| Error::io("cannot read", path, error);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = utf8(entry.file_name(), path, "an entry's name")?;
            let path = entry.path();
            let metadata = entry.metadata().map_err(|error| Error::io("cannot read", &path, error))?;
            if metadata.is_dir() {
                let time = self.time(&metadata);
                entries.push(Entry::Directory { name, entries: self.directory(&path)?, time });
            } else if metadata.is_symlink() {
                let target = std::fs::read_link(&path).map_err(|error| Error::io("cannot read", &path, error))?;
                entries.push(Entry::Link { name, target: utf8(target.into_os_string(), &path, "its target")? });
            } else if metadata.is_file() {
                // Only the owner's bit counts.
                let executable = metadata.permissions().mode() & 0o100 != 0;
                entries.push(self.file(name, path, &metadata, executable));
            }
        }
        Ok(entries)
    }

    /// A path that is a file: it counts as executable if this user may execute it.
    fn single(&mut self, path: &Path) -> Result<Entry> {
        let metadata = path.metadata().map_err(|error| Error::io("cannot read", path, error))?;
        let name = utf8(path.file_name().unwrap_or_default().to_owned(), path, "the name")?;
        let executable = rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
        Ok(self.file(name, path.to_owned(), &metadata, executable))
    }

    fn file(&mut self, name: String, path: PathBuf, metadata: &std::fs::Metadata, executable: bool) -> Entry {
        let time = self.time(metadata);
        self.files.push((path, Stamp::of(metadata, self.now), metadata.len()));
        Entry::File { name, content: self.files.len() - 1, executable, time }
    }

    fn time(&self, metadata: &std::fs::Metadata) -> Option<proto::NodeProperties> {
        self.times.then(|| proto::NodeProperties {
            mtime: Some(proto::Timestamp {
                seconds: metadata.mtime(),
                // BuildStream reads no more than microseconds.
                nanos: (metadata.mtime_nsec() / 1000 * 1000) as i32,
            }),
            ..Default::default()
        })
    }

    /// The digests of all files, in order.
    fn contents(&self, digests: &Digests) -> Result<Vec<Digest>> {
        let unknown = self.files.iter().filter(|(_, stamp, _)| digests.memory.get(stamp).is_none());
        let (count, bytes) = unknown.fold((0, 0), |(count, bytes), (_, _, size)| (count + 1, bytes + size));
        if digests.threads < 2 || (count < MANY && bytes < BIG) {
            return self.files.iter().map(|(path, stamp, size)| digests.content(path, stamp, *size)).collect();
        }
        let results: Vec<OnceLock<Result<Digest>>> = self.files.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let work = &|| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some((path, stamp, size)) = self.files.get(index) else { break };
                _ = results[index].set(digests.content(path, stamp, *size));
            }
        };
        std::thread::scope(|scope| {
            (0..digests.threads).for_each(|_| drop(scope.spawn(work)));
        });
        results.into_iter().filter_map(OnceLock::into_inner).collect()
    }
}

fn message(entries: Vec<Entry>, time: Option<proto::NodeProperties>, contents: &[Digest]) -> Digest {
    let mut message = proto::Directory { node_properties: time, ..proto::Directory::default() };
    for entry in entries {
        match entry {
            Entry::File { name, content, executable, time } => message.files.push(proto::FileNode {
                name,
                digest: contents.get(content).map(|digest| digest.to_proto()),
                is_executable: executable,
                node_properties: time,
            }),
            Entry::Directory { name, entries, time } => {
                let digest = Some(self::message(entries, time, contents).to_proto());
                message.directories.push(proto::DirectoryNode { name, digest });
            }
            Entry::Link { name, target } => {
                message.symlinks.push(proto::SymlinkNode { name, target, node_properties: None });
            }
        }
    }
    directory::sort(&mut message);
    Digest::of(&directory::encode(&message))
}

fn utf8(text: OsString, path: &Path, what: &str) -> Result<String> {
    text.into_string().map_err(|text| {
        let message = format!("{}: {what} is no UTF-8 (\"{}\"); rename it", path.display(), text.to_string_lossy());
        Error::new(Code::Source, message)
    })
}
