//! The source cache: `source_protos/KIND/KEY` for one source, `elementsources/KEY` for all sources of an
//! element staged together. Each file is a Source message that names a tree.

use super::fs;
use crate::values::{Digest, Error, Key, Result, name, proto};
use prost::Message;
use std::path::{Path, PathBuf};

/// The source cache of a store.
#[derive(Clone, Debug)]
pub struct Sources {
    root: PathBuf,
    downloads: PathBuf,
}

impl Sources {
    pub(super) fn new(root: &Path, downloads: PathBuf) -> Sources {
        Sources { root: root.to_owned(), downloads }
    }

    /// Where one source's message lies.
    pub fn path(&self, kind: &str, key: &Key) -> Result<PathBuf> {
        if !name::is_component(kind) {
            return Err(Error::malformed(format!("\"{}\" cannot be a kind of source", kind.escape_default())));
        }
        Ok(self.root.join("source_protos").join(kind).join(key.to_string()))
    }

    /// Where the message of all sources of an element lies.
    pub fn element_path(&self, key: &Key) -> PathBuf {
        self.root.join("elementsources").join(key.to_string())
    }

    /// Where the downloads of a kind lie.
    pub fn directory(&self, kind: &str) -> Result<PathBuf> {
        if !name::is_component(kind) {
            return Err(Error::malformed(format!("\"{}\" cannot be a kind of source", kind.escape_default())));
        }
        Ok(self.downloads.join(kind))
    }

    /// Where what was downloaded from a URL lies: a directory for each URL as written, alias kept.
    pub fn mirror(&self, kind: &str, url: &str) -> Result<PathBuf> {
        Ok(self.directory(kind)?.join(mangled(url)))
    }

    /// The tree of one source; `None` where the store has none, or only something that is none. Whether the
    /// tree is whole is another question: [`super::completeness`].
    pub fn read(&self, kind: &str, key: &Key) -> Result<Option<Digest>> {
        read(&self.path(kind, key)?)
    }

    /// Keeps the tree of one source, which must be in the store.
    pub fn write(&self, kind: &str, key: &Key, files: &Digest) -> Result<()> {
        write(&self.path(kind, key)?, files)
    }

    /// The tree of all sources of an element; NAME=sources of the build.
    pub fn read_element(&self, key: &Key) -> Result<Option<Digest>> {
        read(&self.element_path(key))
    }

    /// Keeps the tree of all sources of an element, which must be in the store.
    pub fn write_element(&self, key: &Key, files: &Digest) -> Result<()> {
        write(&self.element_path(key), files)
    }
}

fn read(path: &Path) -> Result<Option<Digest>> {
    let Some(bytes) = fs::read_if_there(path)? else { return Ok(None) };
    let message = proto::Source::decode(&*bytes).ok();
    Ok(message.and_then(|message| Digest::from_proto(&message.files?).ok()))
}

fn write(path: &Path, files: &Digest) -> Result<()> {
    let message = proto::Source { version: 0, files: Some(files.to_proto()) };
    fs::write_atomic(path, &message.encode_to_vec(), 0o644)
}

/// A URL as the name of a directory: every character outside `[0-9A-Za-z%_]` becomes `_`.
pub fn mangled(url: &str) -> String {
    url.chars().map(|c| if c.is_ascii_alphanumeric() || c == '%' || c == '_' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn urls_are_mangled_as_in_buildstream() {
        assert_eq!(super::mangled("loc:proj.tar.gz"), "loc_proj_tar_gz");
    }
}
