//! The refs: `artifacts/refs/PROJECT/ELEMENT/KEY`, each a serialised Artifact message.

use super::cas::TOUCH_AFTER;
use super::fs;
use super::glance::Glance;
use crate::values::{Error, Key, Result, name, name::ArtifactName, proto};
use prost::Message;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// No ref is longer: it names one dependency of the build scope in about 150 bytes.
const LONGEST: u64 = 1 << 28;

/// The refs of a store.
#[derive(Clone, Debug)]
pub struct Artifacts {
    refs: PathBuf,
}

impl Artifacts {
    pub(super) fn new(root: &Path) -> Artifacts {
        Artifacts { refs: root.join("refs") }
    }

    /// The directory of all refs.
    pub fn root(&self) -> &Path {
        &self.refs
    }

    /// Where a ref lies, whether it is there or not.
    pub fn path(&self, name: &ArtifactName) -> PathBuf {
        let mut path = PathBuf::with_capacity(self.refs.as_os_str().len() + name.element().len() + 128);
        path.push(&self.refs);
        path.push(name.project());
        path.push(name.element());
        let key = crate::values::hex::encode(name.key().bytes());
        path.push(std::str::from_utf8(&key).unwrap_or_default());
        path
    }

    /// Whether there is a ref, whatever it holds.
    pub fn exists(&self, name: &ArtifactName) -> bool {
        rustix::fs::access(self.path(name), rustix::fs::Access::EXISTS).is_ok()
    }

    /// Reads a ref; `None` where there is none; an error of code damaged where it holds no artifact.
    pub fn read(&self, name: &ArtifactName) -> Result<Option<proto::Artifact>> {
        let Some(bytes) = self.read_bytes(name)? else { return Ok(None) };
        decode(&bytes).map(Some).ok_or_else(|| {
            let wrong = what_is_wrong(&bytes);
            Error::damaged(format!("the ref {name} holds no artifact: {wrong}; bst-fsck --repair puts it aside"))
        })
    }

    /// The bytes of a ref.
    pub fn read_bytes(&self, name: &ArtifactName) -> Result<Option<Vec<u8>>> {
        Ok(self.load(name, false)?.map(|(bytes, _)| bytes))
    }

    /// The bytes of a ref, which counts as used from now on, as when BuildStream loads it.
    pub fn use_bytes(&self, name: &ArtifactName) -> Result<Option<Vec<u8>>> {
        Ok(self.load(name, true)?.map(|(bytes, _)| bytes))
    }

    /// The bytes of a ref, and when it was used last.
    pub fn load(&self, name: &ArtifactName, touch: bool) -> Result<Option<(Vec<u8>, SystemTime)>> {
        let path = self.path(name);
        let failed = |error: std::io::Error| Error::io("cannot read", &path, error);
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if fs::is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let meta = file.metadata().map_err(failed)?;
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(LONGEST)).unwrap_or(0) + 1);
        (&file).take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
        let used = meta.modified().map_err(failed)?;
        if touch && SystemTime::now().duration_since(used).is_ok_and(|age| age.as_secs() > TOUCH_AFTER) {
            // Of another user's store it cannot be set; then it is their affair what expires.
            let _ = file.set_modified(SystemTime::now());
        }
        Ok(Some((bytes, used)))
    }

    /// Writes a ref. Everything that the artifact names must be in the store already: the ref is the commit
    /// point.
    pub fn write(&self, name: &ArtifactName, artifact: &proto::Artifact) -> Result<()> {
        self.write_bytes(name, &artifact.encode_to_vec())
    }

    /// The same for a message that is passed on as it came.
    pub fn write_bytes(&self, name: &ArtifactName, bytes: &[u8]) -> Result<()> {
        fs::write_atomic(&self.path(name), bytes, 0o644)
    }

    /// Removes a ref; `false` where there was none.
    pub fn remove(&self, name: &ArtifactName) -> Result<bool> {
        let path = self.path(name);
        let removed = fs::remove_if_there(&path)?;
        // An element without artifacts leaves no directory; one that is in use stays.
        if let Some(element) = path.parent() {
            let _ = std::fs::remove_dir(element);
        }
        Ok(removed)
    }

    /// Every ref, one directory at a time: a million of them take no more memory than the largest
    /// directory. Names that no artifact can have are passed over.
    pub fn all(&self) -> impl Iterator<Item = Result<ArtifactName>> + use<> {
        children(self.refs.clone()).flat_map(|project| match project {
            Err(error) => Box::new(std::iter::once(Err(error))) as Box<dyn Iterator<Item = _>>,
            Ok((path, project)) => Box::new(children(path).flat_map(move |element| match element {
                Err(error) => Box::new(std::iter::once(Err(error))) as Box<dyn Iterator<Item = _>>,
                Ok((path, element)) => Box::new(keys(path, project.clone(), element)),
            })),
        })
    }

    /// The refs of one element, given by its normal name.
    pub fn of_element(&self, project: &str, element: &str) -> impl Iterator<Item = Result<ArtifactName>> + use<> {
        keys(self.refs.join(project).join(element), project.to_owned(), element.to_owned())
    }
}

fn keys(path: PathBuf, project: String, element: String) -> impl Iterator<Item = Result<ArtifactName>> {
    children(path).filter_map(move |entry| match entry {
        Err(error) => Some(Err(error)),
        Ok((_, key)) => {
            let key: Key = key.parse().ok()?;
            ArtifactName::from_normal(&project, &element, key).ok().map(Ok)
        }
    })
}

/// The entries of a directory with names that are text and no temporary files; none where it is not there.
fn children(path: PathBuf) -> impl Iterator<Item = Result<(PathBuf, String)>> {
    let (entries, error) = match std::fs::read_dir(&path) {
        Ok(entries) => (Some(entries), None),
        Err(error) if fs::is_absent(&error) => (None, None),
        Err(error) => (None, Some(Error::io("cannot list", &path, error))),
    };
    let entries = entries.into_iter().flatten().filter_map(move |entry| match entry {
        Err(error) => Some(Err(Error::io("cannot list", &path, error))),
        Ok(entry) => {
            let name = entry.file_name().into_string().ok()?;
            name::is_component(&name).then(|| Ok((entry.path(), name)))
        }
    });
    error.map(Err).into_iter().chain(entries)
}

/// An artifact's message, if the bytes are one. An empty message can be read too, and a cut one may: both lack
/// what every artifact has.
pub fn decode(bytes: &[u8]) -> Option<proto::Artifact> {
    Glance::at(bytes)?.whole()?;
    proto::Artifact::decode(bytes).ok()
}

/// Why bytes are no artifact, in words.
pub(super) fn what_is_wrong(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "it is empty".to_owned();
    }
    match proto::Artifact::decode(bytes) {
        Err(error) => format!("its {} bytes are no message ({error})", bytes.len()),
        Ok(_) => format!("its {} bytes lack what every artifact has: cut off, or something else", bytes.len()),
    }
}
