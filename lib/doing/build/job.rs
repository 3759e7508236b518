//! What a record asks for.

use crate::values::record::{Build, Dependency, Identity, Record, Source, Staged};
use crate::values::{Error, Key, Result};
use std::collections::HashMap;

/// A build that a record asks for.
pub struct Job {
    pub identity: Identity,
    pub kind: String,
    pub key: Key,
    pub build: Build,
    pub sources: Vec<Source>,
    pub stage: Vec<Staged>,
    /// Positions in `stage` of the direct build dependencies, in staging order.
    pub direct: Vec<usize>,
}

impl Job {
    /// Reads a record. `seen` knows the dependencies of the records that came before: it stands in for
    /// `stage` where a record has none.
    pub fn read(record: &Record, seen: &Seen) -> Result<Job> {
        let identity = record.identity()?;
        let depends: Vec<Dependency> = record.get("depends")?.unwrap_or_default();
        let stage = seen.stage_of(record)?;
        let positions: HashMap<(&str, &str), usize> =
            stage.iter().enumerate().map(|(at, it)| ((it.project.as_str(), it.element.as_str()), at)).collect();
        let direct = depends
            .iter()
            .filter(|dependency| dependency.when.builds())
            .map(|dependency| {
                positions.get(&(dependency.project.as_str(), dependency.element.as_str())).copied().ok_or_else(|| {
                    Error::malformed(format!(
                        "{}: \"stage\" lacks the build dependency {}",
                        record.label(),
                        dependency.element.escape_default()
                    ))
                })
            })
            .collect::<Result<_>>()?;
        if let Some((at, position)) =
            stage.iter().enumerate().find_map(|(at, it)| Some((at, it.runtime.iter().find(|&&below| below >= at)?)))
        {
            return Err(Error::malformed(format!(
                "{}: item {at} of \"stage\" names item {position} as its runtime dependency, which does not stand before it",
                record.label()
            )));
        }
        Ok(Job {
            identity,
            kind: record.get("kind")?.unwrap_or_default(),
            key: record.require("key")?,
            build: record.require("build")?,
            sources: record.get("sources")?.unwrap_or_default(),
            stage,
            direct,
        })
    }

    /// The positions in `stage` of some dependencies and of all that they need to run, in staging order.
    pub fn with_runtime(&self, wanted: &[usize]) -> Vec<usize> {
        fn visit(stage: &[Staged], at: usize, seen: &mut [bool], order: &mut Vec<usize>) {
            if std::mem::replace(&mut seen[at], true) {
                return;
            }
            for &below in &stage[at].runtime {
                visit(stage, below, seen, order);
            }
            order.push(at);
        }
        let mut seen = vec![false; self.stage.len()];
        let mut order = Vec::new();
        for &at in wanted {
            visit(&self.stage, at, &mut seen, &mut order);
        }
        order
    }
}

/// The dependencies of the records that went by.
#[derive(Default)]
pub struct Seen(HashMap<Identity, Vec<Dependency>>);

impl Seen {
    /// Remembers what a record depends on.
    pub fn add(&mut self, record: &Record) -> Result<()> {
        if let (Ok(identity), Some(depends)) = (record.identity(), record.get("depends")?) {
            self.0.insert(identity, depends);
        }
        Ok(())
    }

    /// The build scope of a record, in staging order.
    pub fn stage_of(&self, record: &Record) -> Result<Vec<Staged>> {
        match record.get("stage")? {
            Some(stage) => Ok(stage),
            None => self.stage(&record.get::<Vec<Dependency>>("depends")?.unwrap_or_default()),
        }
    }

    /// The build scope: each build dependency after everything that it needs to run.
    pub fn stage(&self, depends: &[Dependency]) -> Result<Vec<Staged>> {
        let mut stage = Vec::new();
        let mut done = HashMap::new();
        for dependency in depends.iter().filter(|dependency| dependency.when.builds()) {
            self.visit(dependency, &mut stage, &mut done)?;
        }
        Ok(stage)
    }

    /// Adds a dependency and what it needs; its position. The order is a post-order walk, made with a stack
    /// of its own: chains are longer than the system's stack is deep.
    fn visit(
        &self,
        dependency: &Dependency,
        stage: &mut Vec<Staged>,
        done: &mut HashMap<Identity, Option<usize>>,
    ) -> Result<()> {
        let mut open = vec![(dependency, 0)];
        while let Some((dependency, next)) = open.pop() {
            let identity = Identity { element: dependency.element.clone(), project: dependency.project.clone() };
            if next == 0 && done.contains_key(&identity) {
                continue;
            }
            done.entry(identity.clone()).or_insert(None);
            let below = self.0.get(&identity).ok_or_else(|| {
                Error::malformed(format!(
                    "the record has no \"stage\", and the record of its dependency {} did not come before it",
                    identity.element.escape_default()
                ))
            })?;
            let runtime: Vec<&Dependency> = below.iter().filter(|dependency| dependency.when.runs()).collect();
            if let Some(child) = runtime.get(next) {
                open.push((dependency, next + 1));
                open.push((child, 0));
                continue;
            }
            let key = dependency.key.ok_or_else(|| {
                Error::malformed(format!("the dependency {} has no key", identity.element.escape_default()))
            })?;
            let positions = runtime.iter().map(|child| {
                let identity = Identity { element: child.element.clone(), project: child.project.clone() };
                done.get(&identity).copied().flatten()
            });
            let positions = positions.collect::<Option<Vec<usize>>>().ok_or_else(|| {
                Error::malformed(format!("the dependency {} needs itself to run", identity.element.escape_default()))
            })?;
            done.insert(identity.clone(), Some(stage.len()));
            stage.push(Staged { element: identity.element, key, project: identity.project, runtime: positions });
        }
        Ok(())
    }
}
