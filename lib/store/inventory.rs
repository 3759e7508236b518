//! Everything that the store has: each artifact once, under its strong key, and what is known of keys that
//! have no artifact. It is streamed; a million artifacts take no more memory than a thousand.

use super::glance::Glance;
use super::lookup::Lookups;
use super::metadata::Metadata;
use super::{Store, fs};
use crate::values::record::{ArtifactField, Cache, State};
use crate::values::result::BuildResult;
use crate::values::{Digest, Key, Record, Result, name::ArtifactName, proto, time::Time};
use std::path::PathBuf;
use std::time::SystemTime;

/// One key of the store.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the ref is or would be.
    pub name: ArtifactName,
    /// The full name where it is known, else one that has the same normal name.
    pub element: String,
    pub state: State,
    /// What is wrong with it, if it is damaged.
    pub problem: Option<String>,
    pub weak_key: Option<Key>,
    pub artifact: Option<ArtifactField>,
    pub result: Option<BuildResult>,
    /// When it was asked for last, or else written.
    pub used: SystemTime,
    pub flaky: bool,
}

impl Entry {
    /// When it was built, as far as anything says so.
    pub fn built(&self) -> Time {
        let result = self.result.as_ref();
        result.and_then(|result| result.finished.or(result.started)).unwrap_or_else(|| Time::from(self.used))
    }
}

impl Entry {
    /// The entry as a record.
    pub fn to_record(&self) -> Result<Record> {
        let mut record = named(&self.name, &self.element)?;
        let found = matches!(self.state, State::Cached | State::Failed);
        let cache = Cache {
            key: found.then_some(self.name.key()),
            place: found.then(|| "local".to_owned()),
            state: self.state,
            ..Cache::default()
        };
        record.set("cache", &cache)?;
        if let Some(weak_key) = &self.weak_key {
            record.set("weak_key", weak_key)?;
        }
        if let Some(artifact) = &self.artifact {
            record.set("artifact", artifact)?;
        }
        if let Some(result) = &self.result {
            record.set("result", result)?;
        }
        Ok(record)
    }
}

/// A record that says no more than which artifact is meant.
fn named(name: &ArtifactName, element: &str) -> Result<Record> {
    let mut record = Record::default();
    record.set("v", &crate::values::record::VERSION)?;
    record.set("project", &name.project())?;
    record.set("element", &element)?;
    record.set("key", &name.key())?;
    Ok(record)
}

/// Reads entries.
#[derive(Debug)]
pub struct Inventory<'a> {
    store: &'a Store,
    lookups: Lookups<'a>,
}

impl<'a> Inventory<'a> {
    pub fn new(store: &'a Store) -> Inventory<'a> {
        Inventory { store, lookups: Lookups::new(store) }
    }

    /// Every key of the store. A weak key that leads to an artifact with a strong key of its own is no entry.
    pub fn all(&self) -> impl Iterator<Item = Result<Entry>> + '_ {
        let refs = self.store.artifacts().all().filter_map(|name| name.and_then(|name| self.of_ref(&name)).transpose());
        refs.chain(self.without_ref())
    }

    /// The entry of a name, if the store knows anything of it. A weak key leads to its artifact.
    pub fn entry(&self, name: &ArtifactName) -> Result<Option<Entry>> {
        match self.store.artifacts().load(name, false)? {
            Some((bytes, used)) => self.judge(name, &bytes, used).map(Some),
            None => match self.store.metadata().read(name)? {
                Some(metadata) => self.of_metadata(name, metadata).map(Some),
                None => Ok(None),
            },
        }
    }

    /// The success of the same element that was built last, other than the artifact itself.
    pub fn last_success(&self, name: &ArtifactName) -> Result<Option<ArtifactName>> {
        let mut last: Option<Entry> = None;
        for other in self.store.artifacts().of_element(name.project(), name.element()) {
            let Some(entry) = self.of_ref(&other?)? else { continue };
            let is_later = last.as_ref().is_none_or(|last| entry.built() > last.built());
            if entry.state == State::Cached && entry.name != *name && is_later {
                last = Some(entry);
            }
        }
        Ok(last.map(|entry| entry.name))
    }

    /// A record that says no more than which artifact is meant, with the element's full name if it is known.
    pub fn record(&self, name: &ArtifactName) -> Result<Record> {
        let known = self.store.metadata().read(name)?.map(|metadata| metadata.element);
        named(name, &known.unwrap_or_else(|| format!("{}.bst", name.element())))
    }

    /// Every name with this key, in whatever element.
    pub fn with_key(&self, key: Key) -> Result<Vec<ArtifactName>> {
        let mut found = Vec::new();
        for (root, file) in [
            (self.store.artifacts().root().to_owned(), key.to_string()),
            (self.store.metadata().root().to_owned(), format!("{key}.json")),
        ] {
            for project in directories(&root)? {
                for element in directories(&root.join(&project))? {
                    if !root.join(&project).join(&element).join(&file).exists() {
                        continue;
                    }
                    let name = ArtifactName::from_normal(&project, &element, key)?;
                    if !found.contains(&name) {
                        found.push(name);
                    }
                }
            }
        }
        found.sort();
        Ok(found)
    }

    fn of_ref(&self, name: &ArtifactName) -> Result<Option<Entry>> {
        let Some((bytes, used)) = self.store.artifacts().load(name, false)? else { return Ok(None) };
        // A weak key, unless the strong one is gone.
        let strong = Glance::at(&bytes).and_then(Glance::whole).map_or(name.key(), |whole| whole.strong);
        if strong != name.key() && self.store.artifacts().exists(&name.with_key(strong)) {
            return Ok(None);
        }
        self.judge(name, &bytes, used).map(Some)
    }

    fn judge(&self, name: &ArtifactName, bytes: &[u8], used: SystemTime) -> Result<Entry> {
        let mut entry = Entry {
            element: format!("{}.bst", name.element()),
            name: name.clone(),
            state: State::Damaged,
            problem: None,
            weak_key: None,
            artifact: None,
            result: None,
            used,
            flaky: false,
        };
        let whole = match self.lookups.whole(bytes) {
            Ok(whole) => whole,
            Err(problem) => return Ok(Entry { problem: Some(problem), ..entry }),
        };
        let metadata = self.store.metadata().read(&name.with_key(whole.strong))?;
        let known = metadata.as_ref().and_then(|metadata| metadata.result_of(&Digest::of(bytes)));
        let known = known.filter(|result| result.success == whole.view.success);
        entry.state = if whole.view.success { State::Cached } else { State::Failed };
        entry.weak_key = whole.view.weak;
        entry.artifact = Some(whole.view.field(name));
        entry.result = Some(known.cloned().unwrap_or_else(|| self.lookups.result_in(&whole)));
        if let Some(metadata) = metadata {
            entry.flaky = metadata.is_flaky();
            entry.element = metadata.element;
        }
        Ok(entry)
    }

    /// Keys that have a metadata file but no ref: builds that failed without being the key's fault.
    fn without_ref(&self) -> impl Iterator<Item = Result<Entry>> + '_ {
        let files = walkdir::WalkDir::new(self.store.metadata().root()).min_depth(3).max_depth(3);
        files.into_iter().filter_map(|entry| self.of_file(entry.ok()?.path()).transpose())
    }

    fn of_file(&self, path: &std::path::Path) -> Result<Option<Entry>> {
        let Some(name) = name_of(path) else { return Ok(None) };
        if self.store.artifacts().exists(&name) {
            return Ok(None);
        }
        match self.store.metadata().read(&name)? {
            Some(metadata) => self.of_metadata(&name, metadata).map(Some),
            None => Ok(None),
        }
    }

    fn of_metadata(&self, name: &ArtifactName, metadata: Metadata) -> Result<Entry> {
        let path = self.store.metadata().path(name);
        let used = std::fs::metadata(&path).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(Entry {
            name: name.clone(),
            state: State::Absent,
            problem: None,
            weak_key: metadata.weak_key,
            artifact: Some(ArtifactField { reference: None, ..metadata.artifact.clone() }),
            flaky: metadata.is_flaky(),
            element: metadata.element,
            result: Some(metadata.result),
            used,
        })
    }
}

/// What a record says of an artifact that a ref leads to.
pub fn field(artifact: &proto::Artifact, name: &ArtifactName) -> Result<ArtifactField> {
    let digest = |field: &Option<proto::Digest>| field.as_ref().map(Digest::from_proto).transpose();
    Ok(ArtifactField {
        buildroot: digest(&artifact.buildroot)?,
        buildtree: digest(&artifact.buildtree)?,
        files: digest(&artifact.files)?,
        log: artifact.logs.first().map_or(Ok(None), |log| digest(&log.digest))?,
        reference: Some(name.clone()),
        sources: digest(&artifact.sources)?,
    })
}

/// The name that belongs to the path of a metadata file.
pub fn name_of(path: &std::path::Path) -> Option<ArtifactName> {
    let mut parts = path.iter().rev();
    let key = parts.next()?.to_str()?.strip_suffix(".json")?.parse().ok()?;
    let element = parts.next()?.to_str()?;
    ArtifactName::from_normal(parts.next()?.to_str()?, element, key).ok()
}

/// The names of the directories in a directory; none where it is not there.
fn directories(path: &PathBuf) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if fs::is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(crate::values::Error::io("cannot list", path, error)),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.collect())
}
