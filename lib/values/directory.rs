//! One directory of a Merkle tree: a message that names its files by digest and its sub-directories by
//! the digests of their own messages.
//!
//! The canonical form is in spec: artifacts 2.3: entries sorted by name within each list, default values
//! left out, no properties in ordinary trees. A tree from elsewhere is checked before anything is done
//! with it: [`decode`] is the only way in.

use super::{Digest, Error, Result, name, proto};
use prost::Message;
use std::collections::HashSet;

/// Reads a Directory from bytes that came from a store or a server. Refuses what could write outside its
/// place or cannot be a directory: a name that is no single path component, a name that is there twice, a
/// node without digest, a link without target. Lists that are not sorted are accepted: only order differs,
/// and other tools made them.
pub fn decode(bytes: &[u8]) -> Result<proto::Directory> {
    let directory = proto::Directory::decode(bytes)
        .map_err(|error| Error::damaged(format!("a directory's message cannot be read: {error}")))?;
    check(&directory)?;
    Ok(directory)
}

/// The canonical bytes. The lists must be sorted; see [`sort`].
pub fn encode(directory: &proto::Directory) -> Vec<u8> {
    directory.encode_to_vec()
}

/// Puts each list in the canonical order: by the bytes of the names.
pub fn sort(directory: &mut proto::Directory) {
    directory.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    directory.directories.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    directory.symlinks.sort_unstable_by(|a, b| a.name.cmp(&b.name));
}

/// The digest that a node's message holds.
pub fn node_digest(digest: &Option<proto::Digest>, name: &str) -> Result<Digest> {
    match digest {
        Some(digest) => Digest::from_proto(digest),
        None => Err(Error::damaged(format!("a directory names \"{}\" without a digest", name.escape_default()))),
    }
}

fn check(directory: &proto::Directory) -> Result<()> {
    let files = directory.files.iter().map(|node| &node.name);
    let directories = directory.directories.iter().map(|node| &node.name);
    let symlinks = directory.symlinks.iter().map(|node| &node.name);
    let mut seen = HashSet::new();
    for entry in files.chain(directories).chain(symlinks) {
        if !name::is_component(entry) {
            return Err(Error::damaged(format!("a directory has an entry named \"{}\"", entry.escape_default())));
        }
        if !seen.insert(entry) {
            return Err(Error::damaged(format!("a directory has two entries named \"{}\"", entry.escape_default())));
        }
    }
    for node in &directory.files {
        node_digest(&node.digest, &node.name)?;
    }
    for node in &directory.directories {
        node_digest(&node.digest, &node.name)?;
    }
    match directory.symlinks.iter().find(|node| node.target.is_empty() || node.target.contains('\0')) {
        Some(node) => Err(Error::damaged(format!("the link \"{}\" has no target", node.name.escape_default()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_link(name: &str, target: &str) -> Vec<u8> {
        let node = proto::SymlinkNode { name: name.into(), target: target.into(), node_properties: None };
        encode(&proto::Directory { symlinks: vec![node], ..Default::default() })
    }

    #[test]
    fn names_that_leave_their_place_are_refused() {
        assert!(decode(&with_link("a", "../x")).is_ok());
        for bad in ["..", ".", "", "a/b", "a\0"] {
            assert!(decode(&with_link(bad, "x")).is_err(), "{bad:?}");
        }
        assert!(decode(&with_link("a", "")).is_err());
        assert!(decode(b"\xff\xff").is_err());
    }
}
