//! Parts of what the store holds, by the words of a command line: `DIGEST`, `DIGEST:PATH`,
//! `KEY`, `PROJECT/ELEMENT/KEY:PART` and `PROJECT/ELEMENT/KEY:PART/PATH`.

use super::lookup::Lookups;
use super::tree::{self, Node};
use super::{Store, naming};
use crate::values::{Digest, Error, Result, name::ArtifactName, proto};

/// The trees that an artifact may have.
pub const TREES: [&str; 4] = ["files", "buildtree", "sources", "buildroot"];
/// The blobs that an artifact has.
pub const BLOBS: [&str; 4] = ["log", "public", "environment", "variables"];

/// What a word names.
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// Something in a tree, with the name by which it is called.
    Node(Node, String),
    /// An artifact itself: the parts that it has.
    Artifact(Vec<(&'static str, Digest)>),
}

/// What a word names. A digest that stands alone is a blob; `as_tree` says that it is a directory.
pub fn find(store: &Store, word: &str, as_tree: bool) -> Result<Part> {
    let (head, path) = match word.split_once(':') {
        Some((head, path)) => (head, Some(path)),
        None => (word, None),
    };
    if let Ok(digest) = head.parse::<Digest>() {
        let node = match path {
            Some(path) => tree::find(&store.cas(), &digest, path)?,
            None if as_tree => Node::Directory(digest),
            None => Node::File { digest, executable: false },
        };
        let name = path.and_then(|path| path.rsplit('/').find(|name| !name.is_empty())).unwrap_or(head);
        return Ok(Part::Node(node, name.to_owned()));
    }
    let name = naming::name(store, head)?;
    let artifact = read(store, &name)?;
    let Some(path) = path else { return Ok(Part::Artifact(parts(&artifact)?)) };
    let (part, path) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let digest = part_of(&name, &artifact, part)?;
    if BLOBS.contains(&part) {
        return match path {
            "" => Ok(Part::Node(Node::File { digest, executable: false }, part.to_owned())),
            _ => Err(Error::not_found(format!("\"{part}\" of {name} is a file, not a directory"))),
        };
    }
    let node = tree::find(&store.cas(), &digest, path)?;
    let shown = path.rsplit('/').find(|name| !name.is_empty()).unwrap_or(part);
    Ok(Part::Node(node, shown.to_owned()))
}

/// The artifact of a build, whether it answers for its key or not.
pub fn read(store: &Store, name: &ArtifactName) -> Result<proto::Artifact> {
    match Lookups::new(store).build(name)? {
        Some((artifact, _)) => Ok(artifact),
        None => Err(Error::not_found(format!("the store has no artifact {name}"))),
    }
}

/// The digest of a part of an artifact.
pub fn part_of(name: &ArtifactName, artifact: &proto::Artifact, part: &str) -> Result<Digest> {
    if !TREES.contains(&part) && !BLOBS.contains(&part) {
        let known = [TREES, BLOBS].concat().join(", ");
        return Err(Error::usage(format!(
            "\"{}\" is no part of an artifact; there are {known}",
            part.escape_default()
        )));
    }
    let found = parts(artifact)?.into_iter().find(|(found, _)| *found == part);
    found.map(|(_, digest)| digest).ok_or_else(|| {
        let why = if artifact.build_success { "the build succeeded" } else { "the build failed" };
        Error::not_found(format!("{name} was stored without {part} ({why})"))
    })
}

/// The parts that an artifact has.
fn parts(artifact: &proto::Artifact) -> Result<Vec<(&'static str, Digest)>> {
    let log = artifact.logs.first().and_then(|log| log.digest.as_ref());
    let all = [
        ("files", artifact.files.as_ref()),
        ("buildtree", artifact.buildtree.as_ref()),
        ("sources", artifact.sources.as_ref()),
        ("buildroot", artifact.buildroot.as_ref()),
        ("log", log),
        ("public", artifact.public_data.as_ref()),
        ("environment", artifact.low_diversity_meta.as_ref()),
        ("variables", artifact.high_diversity_meta.as_ref()),
    ];
    let there = all.into_iter().filter_map(|(part, digest)| Some((part, digest?)));
    there.map(|(part, digest)| Digest::from_proto(digest).map(|digest| (part, digest))).collect()
}
