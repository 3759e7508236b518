//! What a checkout takes: the targets among records, what they need to run, and all of it as one tree.

use super::staging::merge::merge;
use super::staging::tree::Directory;
use crate::store::lookup::{Lookup, Lookups};
use crate::store::tree::Tree;
use crate::store::{Store, cas::Cas, part};
use crate::values::record::{Cache, Dependency};
use crate::values::{Code, Digest, Error, Key, Record, Result, directory, name::ArtifactName, proto};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What of the dependencies comes with a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deps {
    None,
    /// What it needs to run, in staging order.
    #[default]
    Run,
    /// What it was built with.
    Build,
    /// Both.
    All,
}

/// A checkout to be made.
#[derive(Debug)]
pub struct Plan<'a> {
    pub store: &'a Store,
    pub deps: Deps,
    /// `files`, `buildtree`, `sources` or `buildroot`.
    pub tree: &'a str,
    /// Whether failures are taken, with what they left.
    pub allow_failed: bool,
}

/// What was found: one tree, and what about it is worth telling.
#[derive(Debug)]
pub struct Taken {
    pub tree: Tree,
    /// Files that were left out, because a directory is in their place.
    pub left_out: Vec<String>,
    /// Failures that are in it.
    pub failures: Vec<ArtifactName>,
}

impl Plan<'_> {
    /// The artifacts that are meant by records: the targets, which carry `stage`, or all if none does; with
    /// their dependencies before them.
    pub fn of_records(&self, records: &[Record]) -> Result<Vec<ArtifactName>> {
        let mut by_name = HashMap::new();
        for record in records {
            by_name.insert((record.require::<String>("project")?, record.require::<String>("element")?), record);
        }
        let are_targets = records.iter().any(|record| record.has("stage"));
        let mut order = Order { plan: self, by_name: &by_name, done: HashSet::new(), names: Vec::new() };
        for record in records.iter().filter(|record| !are_targets || record.has("stage")) {
            order.add(record)?;
        }
        Ok(order.names)
    }

    /// The artifacts that are meant by a name. What an element needs to run is not in its artifact.
    pub fn of_name(&self, name: &ArtifactName) -> Result<Vec<ArtifactName>> {
        let artifact = part::read(self.store, name)?;
        let mut names = Vec::new();
        if matches!(self.deps, Deps::Build | Deps::All) {
            for dependency in &artifact.build_deps {
                let key: Key = dependency.cache_key.parse().map_err(|error: Error| error.with_code(Code::Damaged))?;
                names.push(ArtifactName::new(&dependency.project_name, &dependency.element_name, key)?);
            }
        }
        if matches!(self.deps, Deps::None | Deps::All) {
            names.push(name.clone());
        }
        Ok(names)
    }

    /// All artifacts as one tree, the later ones over the earlier.
    pub fn take(&self, names: &[ArtifactName]) -> Result<Taken> {
        let cas = self.store.cas();
        let mut taken = Taken {
            tree: Tree { root: Digest::EMPTY, directories: HashMap::new() },
            left_out: Vec::new(),
            failures: Vec::new(),
        };
        let trees: Vec<Digest> = names
            .iter()
            .map(|name| self.tree_of(name, &mut taken.failures))
            .filter_map(Result::transpose)
            .collect::<Result<_>>()?;
        let [first, others @ ..] = &trees[..] else { return Ok(taken) };
        if others.is_empty() {
            taken.tree = Tree::read(&cas, first)?;
            return Ok(taken);
        }
        let mut together = Directory::load(&cas, first, 0)?;
        for digest in others {
            let report = merge(&mut together, Directory::load(&cas, digest, 0)?, &cas, None)?;
            taken.left_out.extend(report.ignored);
        }
        taken.tree = in_memory(&cas, &together)?;
        Ok(taken)
    }

    fn tree_of(&self, name: &ArtifactName, failures: &mut Vec<ArtifactName>) -> Result<Option<Digest>> {
        let artifact = self.artifact(name)?;
        if !artifact.build_success {
            if !self.allow_failed {
                return Err(Error::new(
                    Code::FailedArtifact,
                    format!("the build of {name} failed; --allow-failed takes what it left"),
                ));
            }
            failures.push(name.clone());
        }
        if self.tree == "files" && artifact.files.is_none() {
            // Nothing was collected. What a failed build had installed is in its build root.
            return Ok(None);
        }
        part::part_of(name, &artifact, self.tree).map(Some)
    }

    /// An artifact that can be used; a failure need not answer for its key.
    fn artifact(&self, name: &ArtifactName) -> Result<proto::Artifact> {
        match Lookups::new(self.store).look_up(name)? {
            Lookup::Found(found) => Ok(found.artifact),
            Lookup::Damaged(problem) => Err(Error::damaged(format!("{name}: {problem}"))),
            Lookup::Absent => part::read(self.store, name),
        }
    }
}

/// The messages of a tree that was put together, without storing them.
fn in_memory(cas: &Cas, directory: &Directory) -> Result<Tree> {
    let mut directories: HashMap<Digest, Arc<proto::Directory>> = HashMap::new();
    let root = directory.store(&mut |bytes| {
        directories.insert(Digest::of(bytes), Arc::new(directory::decode(bytes)?));
        Ok(())
    })?;
    // What nobody looked into is in the store.
    let mut waiting: Vec<Digest> = children(directories.values())?;
    while let Some(digest) = waiting.pop() {
        if !directories.contains_key(&digest) {
            let tree = Tree::read(cas, &digest)?;
            directories.extend(tree.directories);
        }
    }
    Ok(Tree { root, directories })
}

fn children<'a>(messages: impl Iterator<Item = &'a Arc<proto::Directory>>) -> Result<Vec<Digest>> {
    let nodes = messages.flat_map(|message| &message.directories);
    nodes.map(|node| directory::node_digest(&node.digest, &node.name)).collect()
}

struct Order<'a> {
    plan: &'a Plan<'a>,
    by_name: &'a HashMap<(String, String), &'a Record>,
    done: HashSet<(String, String)>,
    names: Vec<ArtifactName>,
}

impl Order<'_> {
    fn add(&mut self, target: &Record) -> Result<()> {
        let deps = self.plan.deps;
        let depends = target.get::<Vec<Dependency>>("depends")?.unwrap_or_default();
        if matches!(deps, Deps::Build | Deps::All) {
            for dependency in depends.iter().filter(|dependency| dependency.when.builds()) {
                self.run(&dependency.project, &dependency.element)?;
            }
        }
        match deps {
            Deps::Run | Deps::All => {
                self.run(&target.require::<String>("project")?, &target.require::<String>("element")?)
            }
            Deps::None => self.push(target),
            Deps::Build => Ok(()),
        }
    }

    /// An element after all that it needs to run. The stack is explicit: records may be a chain of thousands.
    fn run(&mut self, project: &str, element: &str) -> Result<()> {
        let mut waiting = vec![((project.to_owned(), element.to_owned()), false)];
        while let Some((identity, needs_are_there)) = waiting.pop() {
            if !needs_are_there && !self.done.insert(identity.clone()) {
                continue;
            }
            let Some(record) = self.by_name.get(&identity) else {
                return Err(Error::malformed(format!(
                    "no record of {} came, which a target needs; pass on all records of bst-key, or use --deps=none",
                    identity.1.escape_default()
                )));
            };
            if needs_are_there {
                self.push(record)?;
                continue;
            }
            waiting.push((identity, true));
            let depends = record.get::<Vec<Dependency>>("depends")?.unwrap_or_default();
            let needs = depends.into_iter().rev().filter(|dependency| dependency.when.runs());
            waiting.extend(needs.map(|dependency| ((dependency.project, dependency.element), false)));
        }
        Ok(())
    }

    fn push(&mut self, record: &Record) -> Result<()> {
        if record.get::<String>("kind")?.is_some_and(|kind| kind == "junction" || kind == "link") {
            return Ok(());
        }
        let key = record.get::<Cache>("cache")?.and_then(|cache| cache.key);
        let key = key.map_or_else(|| record.require("key"), Ok)?;
        self.names.push(record.artifact_name(key)?);
        Ok(())
    }
}
