//! Everything that keeps blobs: refs, failures that were kept without one, the source cache. For bst-gc and
//! bst-fsck.

use super::{Store, fs, glance::Glance, inventory, metadata};
use crate::values::{Digest, Error, Result, name::ArtifactName, proto};
use prost::Message;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What a root is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Ref(ArtifactName),
    /// A metadata file that keeps the message of a failure that answers for no key.
    Kept(ArtifactName),
    /// A file of the source cache.
    Source,
}

/// Something that keeps blobs.
#[derive(Clone, Debug)]
pub struct Root {
    pub path: PathBuf,
    pub kind: Kind,
    pub used: SystemTime,
    /// Trees and blobs without which it is worth nothing.
    pub needed: Needs,
    /// Those that may be missing: build trees and the like.
    pub wanted: Needs,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

/// What a root keeps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    pub trees: Vec<Digest>,
    pub blobs: Vec<Digest>,
}

/// All roots of a store, in no order.
pub fn all(store: &Store) -> Result<Vec<Root>> {
    let mut roots = Vec::new();
    let root = store.root();
    for path in files(store.artifacts().root(), 3)? {
        roots.extend(of_ref(store, path)?);
    }
    for path in files(store.metadata().root(), 3)? {
        roots.extend(of_metadata(store, path)?);
    }
    for path in files(&root.join("source_protos"), 2)?.into_iter().chain(files(&root.join("elementsources"), 1)?) {
        roots.extend(of_source(path)?);
    }
    Ok(roots)
}

/// The files at a depth below a directory, without temporary ones.
pub fn files(directory: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(directory).min_depth(depth).max_depth(depth) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && !fs::is_temporary(entry.file_name()) => {
                found.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) if error.io_error().is_some_and(fs::is_absent) => {}
            Err(error) => return Err(Error::io("cannot list", directory, std::io::Error::from(error))),
        }
    }
    Ok(found)
}

/// A file with the time of its last use; `None` if it is gone since.
fn read(path: &Path) -> Result<Option<(Vec<u8>, SystemTime)>> {
    let Some(bytes) = fs::read_if_there(path)? else { return Ok(None) };
    match std::fs::metadata(path).and_then(|meta| meta.modified()) {
        Ok(used) => Ok(Some((bytes, used))),
        Err(error) if fs::is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("cannot read", path, error)),
    }
}

fn of_ref(store: &Store, path: PathBuf) -> Result<Option<Root>> {
    let Some(name) = ref_name(&path) else {
        let problem = Some("its name is not PROJECT/ELEMENT/KEY".to_owned());
        let (needed, wanted) = <(Needs, Needs)>::default();
        return Ok(Some(Root { path, kind: Kind::Source, used: SystemTime::now(), needed, wanted, problem }));
    };
    debug_assert_eq!(store.artifacts().path(&name), path);
    let Some((bytes, used)) = read(&path)? else { return Ok(None) };
    let (needed, wanted, problem) = of_message(&bytes);
    Ok(Some(Root { path, kind: Kind::Ref(name), used, needed, wanted, problem }))
}

fn ref_name(path: &Path) -> Option<ArtifactName> {
    let mut parts = path.iter().rev();
    let key = parts.next()?.to_str()?.parse().ok()?;
    let element = parts.next()?.to_str()?;
    ArtifactName::from_normal(parts.next()?.to_str()?, element, key).ok()
}

fn of_message(bytes: &[u8]) -> (Needs, Needs, Option<String>) {
    match Glance::at(bytes).and_then(Glance::whole) {
        Some(whole) => {
            let mut blobs = whole.metadata.to_vec();
            blobs.extend(whole.view.logs(bytes));
            let optional = [whole.view.buildtree, whole.view.sources, whole.view.buildroot];
            let wanted = Needs { trees: optional.into_iter().flatten().collect(), blobs: Vec::new() };
            (Needs { trees: whole.view.files.into_iter().collect(), blobs }, wanted, None)
        }
        None => (Needs::default(), Needs::default(), Some(super::artifact::what_is_wrong(bytes))),
    }
}

fn of_metadata(store: &Store, path: PathBuf) -> Result<Option<Root>> {
    let Some((bytes, used)) = read(&path)? else { return Ok(None) };
    let (Some(name), Some(metadata)) = (inventory::name_of(&path), metadata::decode(&bytes)) else {
        let problem = Some("it holds no metadata, or is not where it belongs".to_owned());
        let (needed, wanted) = <(Needs, Needs)>::default();
        return Ok(Some(Root { path, kind: Kind::Source, used, needed, wanted, problem }));
    };
    // Logs of attempts are kept as long as anything of the key; what else an attempt left may go.
    let logs = metadata.attempts.iter().map(|attempt| attempt.result.log).chain([metadata.result.log]);
    let mut wanted = Needs { trees: Vec::new(), blobs: logs.flatten().collect() };
    if metadata.artifact.reference.is_none() {
        wanted.blobs.extend(metadata.message);
        if let Some(message) = metadata.message.and_then(|message| store.cas().read(&message).ok()) {
            let (needs, more, _) = of_message(&message);
            wanted.trees.extend(needs.trees.into_iter().chain(more.trees));
            wanted.blobs.extend(needs.blobs);
        }
    }
    // What is known of an artifact stays as long as the artifact.
    let of_ref = std::fs::metadata(store.artifacts().path(&name)).and_then(|meta| meta.modified()).ok();
    let used = of_ref.map_or(used, |of_ref| used.max(of_ref));
    Ok(Some(Root { path, kind: Kind::Kept(name), used, needed: Needs::default(), wanted, problem: None }))
}

fn of_source(path: PathBuf) -> Result<Option<Root>> {
    let Some((bytes, used)) = read(&path)? else { return Ok(None) };
    let message = proto::Source::decode(&*bytes).ok();
    let files = message.and_then(|message| Digest::from_proto(&message.files?).ok());
    let problem = files.is_none().then(|| "it names no tree".to_owned());
    let needed = Needs { trees: files.into_iter().collect(), blobs: Vec::new() };
    Ok(Some(Root { path, kind: Kind::Source, used, needed, wanted: Needs::default(), problem }))
}
