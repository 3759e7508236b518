//! Why two keys differ: their pre-images, and those of the dependencies whose keys differ.

use super::trees::{FileChange, trees};
use super::values::{Change, differences, objects, pair};
use super::{Difference, Kind};
use crate::store::Store;
use crate::values::record::{Dependency, Source};
use crate::values::{Error, Key, Record, Result};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// What of `build` enters a key (spec: keys 3), and the variables, of which the rest was made.
const OF_BUILD: [&str; 8] =
    ["build_root", "environment", "fatal_warnings", "plugin_key", "plugin_version", "public", "sandbox", "variables"];

/// The differences between the inputs of two keys, those of dependencies first: they are the reason for what
/// follows. An error of kind not-found where the store does not know what a key was made of.
pub fn inputs(store: &Store, old: &Key, new: &Key) -> Result<Vec<Difference>> {
    let mut search = Search { store, seen: HashSet::new(), found: Vec::new() };
    let (old, new) = (search.image(old)?, search.image(new)?);
    search.compare(&old, &new)?;
    Ok(search.found)
}

struct Search<'a> {
    store: &'a Store,
    seen: HashSet<(Key, Key)>,
    found: Vec<Difference>,
}

impl Search<'_> {
    fn image(&self, key: &Key) -> Result<Record> {
        self.store.preimages().read(key)?.ok_or_else(|| {
            Error::not_found(format!(
                "the store does not know what the key {key} was made of: only keys that bst-cache-query or bst-build saw \
                 can be explained"
            ))
        })
    }

    /// Compares two records. Dependencies are few levels deep compared to what a stack holds, but a chain of
    /// thousands is not: the stack is explicit.
    fn compare(&mut self, old: &Record, new: &Record) -> Result<()> {
        let mut waiting = vec![(old.clone(), new.clone())];
        let mut levels = Vec::new();
        while let Some((old, new)) = waiting.pop() {
            let pair = (old.require::<Key>("key")?, new.require::<Key>("key")?);
            if pair.0 == pair.1 || !self.seen.insert(pair) {
                continue;
            }
            let (own, changed) = self.own(&old, &new)?;
            levels.push(own);
            for (old, new) in changed {
                // One of them may never have been seen.
                if let (Some(old), Some(new)) = (self.store.preimages().read(&old)?, self.store.preimages().read(&new)?)
                {
                    waiting.push((old, new));
                }
            }
        }
        self.found.extend(levels.into_iter().rev().flatten());
        Ok(())
    }

    /// What differs in an element itself, and the pairs of keys of dependencies that differ.
    fn own(&self, old: &Record, new: &Record) -> Result<(Vec<Difference>, Vec<(Key, Key)>)> {
        let mut found = Vec::new();
        for field in ["project", "element", "kind"] {
            pair(field, old.get(field)?.as_ref(), new.get(field)?.as_ref(), &mut found);
        }
        build(old, new, &mut found)?;
        self.sources(old, new, &mut found)?;
        let changed = depends(old, new, &mut found)?;
        let element = new.require::<String>("element")?;
        let name = |(path, change)| Difference { element: element.clone(), path, change };
        Ok((found.into_iter().map(name).collect(), changed))
    }

    fn sources(&self, old: &Record, new: &Record, found: &mut Vec<(String, Change)>) -> Result<()> {
        let lists = (old.get::<Vec<Value>>("sources")?, new.get::<Vec<Value>>("sources")?);
        let (old, new) = (lists.0.unwrap_or_default(), lists.1.unwrap_or_default());
        for index in 0..old.len().max(new.len()) {
            let path = format!("sources[{index}]");
            let (Some(before), Some(after)) = (old.get(index), new.get(index)) else {
                pair(&path, old.get(index).map(brief).as_ref(), new.get(index).map(brief).as_ref(), found);
                continue;
            };
            let known = found.len();
            let unique = (before.get("unique"), after.get("unique"));
            objects(&path, &told(before), &told(after), found);
            if unique.0 != unique.1 && !self.files(&path, before, after, found)? && found.len() == known {
                pair(&format!("{path}.unique"), unique.0, unique.1, found);
            }
        }
        Ok(())
    }

    /// The files that differ in two sources, if the store has both; says whether any do.
    fn files(&self, path: &str, old: &Value, new: &Value, found: &mut Vec<(String, Change)>) -> Result<bool> {
        let tree = |source: &Value| -> Result<_> {
            let source: Source = serde_json::from_value(source.clone())
                .map_err(|error| Error::damaged(format!("a source of a pre-image: {error}")))?;
            source.key.map_or(Ok(None), |key| self.store.sources().read(&source.kind, &key))
        };
        let (Some(old), Some(new)) = (tree(old)?, tree(new)?) else { return Ok(false) };
        // A tree that is not whole tells nothing.
        let Ok(changes) = trees(&self.store.cas(), &old, &new) else { return Ok(false) };
        let items: Vec<(bool, String)> = changes.iter().flat_map(shown).collect();
        let any = !items.is_empty();
        if any {
            found.push((format!("{path}.files"), Change::Items(items)));
        }
        Ok(any)
    }
}

fn shown(change: &FileChange) -> Vec<(bool, String)> {
    match change.kind {
        Kind::Added => vec![(true, change.path.clone())],
        Kind::Removed => vec![(false, change.path.clone())],
        Kind::Changed | Kind::Mode => vec![(false, change.path.clone()), (true, change.path.clone())],
    }
}

/// What of a source people know it by.
fn told(source: &Value) -> Map<String, Value> {
    let fields = ["config", "directory", "kind", "ref", "url"];
    let pairs = fields.iter().filter_map(|field| Some(((*field).to_owned(), source.get(field)?.clone())));
    pairs.collect()
}

fn brief(source: &Value) -> Value {
    Value::Object(told(source))
}

fn build(old: &Record, new: &Record, found: &mut Vec<(String, Change)>) -> Result<()> {
    let of = |record: &Record| -> Result<Map<String, Value>> {
        let mut build = record.get::<Map<String, Value>>("build")?.unwrap_or_default();
        let unkept: Vec<String> = (build.get("environment_nocache").and_then(Value::as_array).into_iter().flatten())
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        if let Some(environment) = build.get_mut("environment").and_then(Value::as_object_mut) {
            environment.retain(|name, _| !unkept.contains(name));
        }
        Ok(build)
    };
    let (old, new) = (of(old)?, of(new)?);
    for field in OF_BUILD {
        pair(field, old.get(field), new.get(field), found);
    }
    Ok(())
}

fn depends(old: &Record, new: &Record, found: &mut Vec<(String, Change)>) -> Result<Vec<(Key, Key)>> {
    type Named = BTreeMap<(String, String), Dependency>;
    let of = |record: &Record| -> Result<Named> {
        let list = record.get::<Vec<Dependency>>("depends")?.unwrap_or_default();
        Ok(list.into_iter().map(|one| ((one.project.clone(), one.element.clone()), one)).collect())
    };
    let (old, new) = (of(old)?, of(new)?);
    let mut changed = Vec::new();
    for (name, before) in &old {
        let path = format!("depends {}", name.1);
        let Some(after) = new.get(name) else {
            found.push((path, Change::Removed(key_of(before))));
            continue;
        };
        if let (Some(before), Some(after)) = (before.key, after.key) {
            if before != after {
                changed.push((before, after));
            }
        }
        differences(&path, &key_of(before), &key_of(after), found);
        let how = |one: &Dependency| serde_json::json!({ "strict": one.strict, "type": one.when });
        differences(&path, &how(before), &how(after), found);
    }
    for (name, after) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        found.push((format!("depends {}", name.1), Change::Added(key_of(after))));
    }
    Ok(changed)
}

fn key_of(dependency: &Dependency) -> Value {
    dependency.key.map_or(Value::Null, |key| key.to_string().into())
}
