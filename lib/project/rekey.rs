//! New keys for records that another program made or changed, with no project at hand: what the records say
//! is all there is.

use super::cachekey::{self, Edge, Keys, Which};
use super::canonical;
use crate::values::name::local_name;
use crate::values::record::{Build, Dependency, Identity, Source, Staged};
use crate::values::{Code, Error, Key, Record, Result};
use std::collections::HashMap;

/// Records that are keyed together.
pub struct Records {
    /// In the order of the input; those that could not be read with their error.
    records: Vec<Record>,
    entries: Vec<Result<Entry, Error>>,
    /// The positions in `entries` of what can be keyed, each after what it depends on.
    order: Vec<usize>,
    keys: Vec<Keys>,
}

struct Entry {
    identity: Identity,
    kind: String,
    build: Build,
    sources: Vec<Source>,
    depends: Vec<Dependency>,
    /// Positions in `order` of `depends`.
    edges: Vec<Edge>,
}

impl Records {
    /// Takes all records, and computes their keys on so many threads.
    pub fn new(records: Vec<Record>, threads: usize) -> Records {
        let mut entries: Vec<Result<Entry, Error>> = records.iter().map(read).collect();
        let order = order(&mut entries);
        let mut this = Records { records, entries, order, keys: Vec::new() };
        this.keys = cachekey::keys(&this.nodes(), threads);
        this
    }

    fn nodes(&self) -> Vec<cachekey::Node<'_>> {
        let node = |position: &usize| {
            let entry = self.entries[*position].as_ref().ok();
            let subject = entry.map(|entry| cachekey::Subject {
                project: &entry.identity.project,
                element: local_name(&entry.identity.element),
                kind: &entry.kind,
                build: &entry.build,
                sources: &entry.sources,
            });
            cachekey::Node { subject, depends: entry.map(|entry| entry.edges.clone()).unwrap_or_default() }
        };
        self.order.iter().map(node).collect()
    }

    /// The records with their keys, in the order of the input, and the error of each that has none. With
    /// `changed`, only those whose key is another one than they came with.
    pub fn finish(&self, changed: bool) -> Result<Vec<(Record, Option<Error>)>> {
        let mut places = vec![None; self.records.len()];
        self.order.iter().enumerate().for_each(|(place, &position)| places[position] = Some(place));
        let mut out = Vec::new();
        for (position, record) in self.records.iter().enumerate() {
            let before: Option<Key> = record.get("key").ok().flatten();
            let mut record = record.clone();
            record.remove("key");
            record.remove("weak_key");
            let outcome = match (&self.entries[position], places[position]) {
                (Ok(entry), Some(place)) => self.set(&mut record, entry, place),
                (Err(error), _) => Err(error.clone()),
                (Ok(entry), None) => Err(Error::malformed(format!("{} cannot be keyed", entry.identity.element))),
            };
            let now = outcome.as_ref().ok().copied();
            if changed && outcome.is_ok() && now == before {
                continue;
            }
            match &outcome {
                Ok(_) => record.remove("error"),
                Err(error) => record.set_error(error)?,
            }
            out.push((record, outcome.err()));
        }
        Ok(out)
    }

    fn set(&self, record: &mut Record, entry: &Entry, place: usize) -> Result<Key> {
        let mut depends = entry.depends.clone();
        for (dependency, edge) in depends.iter_mut().zip(&entry.edges) {
            dependency.key = self.keys[edge.index as usize].strict;
        }
        record.set("depends", &depends)?;
        record.set("sources", &entry.sources)?;
        let keys = self.keys[place];
        if let Some(weak) = keys.weak {
            record.set("weak_key", &weak)?;
        }
        let key = keys.strict.ok_or_else(|| {
            Error::new(
                Code::NoRef,
                format!("a source of {}, or of what it depends on, has no ref", entry.identity.element),
            )
        })?;
        record.set("key", &key)?;
        if let Some(mut stage) = record.get::<Vec<Staged>>("stage")? {
            let known: HashMap<(&str, &str), usize> = (0..self.order.len())
                .filter_map(|place| {
                    let identity = &self.entries[self.order[place]].as_ref().ok()?.identity;
                    Some(((&*identity.project, &*identity.element), place))
                })
                .collect();
            for staged in &mut stage {
                let place = known.get(&(&*staged.project, &*staged.element));
                if let Some(key) = place.and_then(|&place| self.keys[place].strict) {
                    staged.key = key;
                }
            }
            record.set("stage", &stage)?;
        }
        Ok(key)
    }

    /// The texts that the keys are hashes of, in the order of the input, of what can be keyed.
    pub fn explain(&self, which: Which) -> Vec<Vec<u8>> {
        let nodes = self.nodes();
        let mut places: Vec<(usize, usize)> =
            self.order.iter().enumerate().map(|(place, &position)| (position, place)).collect();
        places.sort_unstable();
        places.into_iter().filter_map(|(_, place)| cachekey::explain(&nodes, place, which, &self.keys)).collect()
    }
}

fn read(record: &Record) -> Result<Entry, Error> {
    let mut sources: Vec<Source> = record.require("sources")?;
    for source in &mut sources {
        source.key = source.unique.as_ref().map(canonical::key);
    }
    Ok(Entry {
        identity: record.identity()?,
        kind: record.require("kind")?,
        build: record.require("build")?,
        sources,
        depends: record.require("depends")?,
        edges: Vec::new(),
    })
}

/// The order in which the entries can be keyed. An entry that depends on something of which no record came, on
/// itself, or on such an entry, becomes an error.
fn order(entries: &mut [Result<Entry, Error>]) -> Vec<usize> {
    let positions: HashMap<Identity, usize> = entries
        .iter()
        .enumerate()
        .filter_map(|(position, entry)| Some((entry.as_ref().ok()?.identity.clone(), position)))
        .collect();
    let mut order = Vec::new();
    // Not yet looked at, open, or where in `order`.
    let mut states: Vec<Option<Option<u32>>> = vec![None; entries.len()];
    for start in 0..entries.len() {
        let mut path = vec![(start, 0)];
        while let Some((position, next)) = path.last_mut() {
            let position = *position;
            if *next == 0 && states[position].is_some() {
                path.pop();
                continue;
            }
            states[position] = Some(None);
            let Ok(entry) = &entries[position] else {
                path.pop();
                continue;
            };
            let Some(dependency) = entry.depends.get(*next) else {
                let number = u32::try_from(order.len()).unwrap_or(u32::MAX);
                order.push(position);
                states[position] = Some(Some(number));
                path.pop();
                continue;
            };
            let wanted = Identity { element: dependency.element.clone(), project: dependency.project.clone() };
            let found = positions.get(&wanted).copied();
            let (when, strict) = (dependency.when, dependency.strict);
            let error = match found.map(|found| (found, states[found])) {
                Some((found, None)) => {
                    path.push((found, 0));
                    continue;
                }
                Some((_, Some(Some(index)))) => {
                    *next += 1;
                    if let Ok(entry) = &mut entries[position] {
                        entry.edges.push(Edge { index, when, strict });
                    }
                    continue;
                }
                Some((found, Some(None))) if entries[found].is_ok() => {
                    format!("{} depends on itself through {}", entry.identity.element, wanted.element)
                }
                Some(_) => format!("{} depends on {}, which has an error", entry.identity.element, wanted.element),
                None => format!(
                    "{} depends on {}, of which no record came; records of everything below are needed",
                    entry.identity.element, wanted.element
                ),
            };
            entries[position] = Err(Error::malformed(error));
            path.pop();
        }
    }
    order
}
