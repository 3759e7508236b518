//! What the store remembers of sources: `source_protos/KIND/KEY` for one source, `elementsources/KEY` for
//! those of an element together, each a Source message that names a tree, and `sources/KIND/URL/` for
//! what was downloaded.

use crate::store::{Store, fs};
use crate::values::{Digest, Error, Key, Result, directory, name, proto, record::Source};
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};

/// The source cache of a store.
pub struct SourceCache<'a> {
    store: &'a Store,
}

impl<'a> SourceCache<'a> {
    pub fn new(store: &'a Store) -> SourceCache<'a> {
        SourceCache { store }
    }

    /// The tree of an element's sources, if it is there with everything in it.
    pub fn element(&self, key: Key) -> Result<Option<Digest>> {
        self.read(&self.element_path(key))
    }

    /// Remembers the tree of an element's sources, which is in the store already.
    pub fn set_element(&self, key: Key, tree: &Digest) -> Result<()> {
        write(&self.element_path(key), tree)
    }

    /// The tree of one source, if it is there with everything in it.
    pub fn single(&self, source: &Source) -> Result<Option<Digest>> {
        self.read(&self.single_path(source)?)
    }

    /// Remembers the tree of one source, which is in the store already.
    pub fn set_single(&self, source: &Source, tree: &Digest) -> Result<()> {
        write(&self.single_path(source)?, tree)
    }

    /// The directory in which the downloads from a URL are kept. The URL is as the project writes it: its
    /// alias is part of the name.
    pub fn mirror(&self, kind: &str, url: &str) -> Result<PathBuf> {
        Ok(self.store.root().join("sources").join(component(kind)?).join(mangle(url)))
    }

    fn element_path(&self, key: Key) -> PathBuf {
        self.store.root().join("elementsources").join(key.to_string())
    }

    fn single_path(&self, source: &Source) -> Result<PathBuf> {
        let key = match source.key {
            Some(key) => key,
            None => hash(unique(source)?)?,
        };
        Ok(self.store.root().join("source_protos").join(component(&source.kind)?).join(key.to_string()))
    }

    fn read(&self, path: &Path) -> Result<Option<Digest>> {
        let Some(bytes) = fs::read_if_there(path)? else { return Ok(None) };
        // A damaged entry is as good as none: it is made again.
        let Some(files) = proto::Source::decode(&bytes[..]).ok().and_then(|source| source.files) else {
            return Ok(None);
        };
        let Ok(digest) = Digest::from_proto(&files) else { return Ok(None) };
        Ok(self.is_whole(&digest, 0).then_some(digest))
    }

    /// Whether the store has every blob of a tree.
    fn is_whole(&self, tree: &Digest, depth: usize) -> bool {
        let cas = self.store.cas();
        let Ok(message) = cas.read(tree).and_then(|bytes| directory::decode(&bytes)) else { return false };
        depth < DEEPEST
            && message
                .files
                .iter()
                .all(|node| directory::node_digest(&node.digest, &node.name).is_ok_and(|d| cas.has(&d)))
            && message.directories.iter().all(|node| {
                directory::node_digest(&node.digest, &node.name).is_ok_and(|digest| self.is_whole(&digest, depth + 1))
            })
    }
}

/// Deeper trees are not taken: no path of theirs can be opened.
const DEEPEST: usize = 2048;

fn write(path: &Path, tree: &Digest) -> Result<()> {
    let message = proto::Source { version: 0, files: Some(tree.to_proto()) };
    fs::write_atomic(path, &message.encode_to_vec(), 0o644)
}

/// The key of an element's sources together (spec: keys 3.8).
pub fn element_key(sources: &[Source]) -> Result<Key> {
    let entry = |source: &Source| -> Result<Value> {
        let mut entry = json!({"key": unique(source)?, "name": source.kind});
        if let Some(directory) = source.directory.as_deref().filter(|directory| !directory.is_empty()) {
            entry["directory"] = directory.into();
        }
        Ok(entry)
    };
    hash(&Value::Array(sources.iter().map(entry).collect::<Result<_>>()?))
}

fn unique(source: &Source) -> Result<&Value> {
    source.unique.as_ref().ok_or_else(|| {
        Error::new(
            crate::values::Code::NoRef,
            format!("a source of kind {} has no ref; bst-track finds one", source.kind.escape_default()),
        )
    })
}

/// A URL as the name of a directory.
fn mangle(url: &str) -> String {
    url.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '%' | '_') { c } else { '_' }).collect()
}

fn component(name: &str) -> Result<&str> {
    if name::is_component(name) {
        return Ok(name);
    }
    Err(Error::malformed(format!("\"{}\" cannot be the kind of a source", name.escape_default())))
}

fn hash(value: &Value) -> Result<Key> {
    let mut text = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut text, Ascii))
        .map_err(|error| Error::malformed(format!("the unique key of a source cannot be written: {error}")))?;
    Ok(Key::new(*Digest::of(&text).hash()))
}

/// JSON in ASCII only, as keys are made of (spec: keys 3.9).
struct Ascii;

impl serde_json::ser::Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if c.is_ascii() {
                writer.write_all(&[c as u8])?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_buildstream() {
        // The key of an element without sources, in every cache directory of BuildStream.
        let none = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";
        assert_eq!(element_key(&[]).unwrap().to_string(), none);
        let mut text = Vec::new();
        json!({"b": "é\u{7f}\u{1f}😀/", "a": [1, true, null]})
            .serialize(&mut serde_json::Serializer::with_formatter(&mut text, Ascii))
            .unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "{\"a\":[1,true,null],\"b\":\"\\u00e9\u{7f}\\u001f\\ud83d\\ude00/\"}"
        );
    }

    #[test]
    fn urls_are_names_of_directories_as_in_buildstream() {
        assert_eq!(mangle("loc:proj.tar.gz"), "loc_proj_tar_gz");
        assert_eq!(mangle("https://a/%20_é"), "https___a_%20__");
    }
}
