//! Files that are read and parsed ahead, on other threads, while elements are loaded in order.

use super::element::normal;
use super::lock;
use crate::project::conf::Project;
use crate::project::node::{Mapping, Node};
use crate::values::Result;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

type Slot = Arc<OnceLock<Result<Mapping>>>;

/// The project, by where it is in memory, and the element's name.
type Name = (usize, String);

fn name(project: &Project, name: &str) -> Name {
    (std::ptr::from_ref(project).addr(), name.to_owned())
}

/// The files that were read ahead, and those that shall be.
#[derive(Default)]
pub(super) struct Files {
    slots: Mutex<HashMap<Name, Slot>>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    open: bool,
}

/// An element's file.
struct Job {
    project: Arc<Project>,
    name: String,
}

impl Files {
    /// Gives the file of an element, read ahead or read now.
    pub fn take(&self, project: &Project, name: &str) -> Result<Mapping> {
        let slot = lock(&self.slots).get(&self::name(project, name)).cloned();
        match slot {
            Some(slot) => slot.get_or_init(|| load(project, name)).clone(),
            None => load(project, name),
        }
    }

    /// Runs `body` while `threads` more threads read ahead what is asked for.
    pub fn ahead<T>(&self, threads: usize, body: impl FnOnce() -> T) -> T {
        if threads == 0 {
            return body();
        }
        lock(&self.queue).open = true;
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.work());
            }
            let close = Close(self);
            let result = body();
            drop(close);
            result
        })
    }

    /// Asks for the files of elements, and of what these depend on.
    pub fn ask(&self, project: &Arc<Project>, names: impl Iterator<Item = String>) {
        let mut queue = lock(&self.queue);
        if queue.open {
            queue.jobs.extend(names.map(|name| Job { project: project.clone(), name }));
            self.changed.notify_all();
        }
    }

    fn work(&self) {
        let mut queue = lock(&self.queue);
        loop {
            match queue.jobs.pop_front() {
                Some(job) => {
                    drop(queue);
                    let found = self.read(&job);
                    queue = lock(&self.queue);
                    if !found.is_empty() && queue.open {
                        queue.jobs.extend(found.into_iter().map(|name| Job { project: job.project.clone(), name }));
                        self.changed.notify_all();
                    }
                }
                None if queue.open => queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                None => return,
            }
        }
    }

    /// Reads a file unless that is done or under way; gives the names that it depends on.
    fn read(&self, job: &Job) -> Vec<String> {
        if !job.name.ends_with(".bst") {
            return Vec::new();
        }
        let slot = Slot::default();
        match lock(&self.slots).entry(name(&job.project, &job.name)) {
            std::collections::hash_map::Entry::Occupied(_) => return Vec::new(),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(slot.clone()),
        };
        match slot.get_or_init(|| load(&job.project, &job.name)) {
            Ok(node) => depends(node),
            Err(_) => Vec::new(),
        }
    }
}

fn load(project: &Project, name: &str) -> Result<Mapping> {
    project.root.load(&project.relative_element_path.join(name), &project.display(name))
}

struct Close<'a>(&'a Files);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.open = false;
        queue.jobs.clear();
        self.0.changed.notify_all();
    }
}

/// The names that an element's file depends on in its own project, as far as they can be seen at once.
fn depends(node: &Mapping) -> Vec<String> {
    let mut names = Vec::new();
    let mut take = |node: &Node| {
        if let Node::Scalar(scalar) = node {
            if !scalar.text.contains(':') {
                names.push(normal(&scalar.text));
            }
        }
    };
    for key in ["build-depends", "runtime-depends", "depends"] {
        let Some(Node::List(list)) = node.get(key) else { continue };
        for item in list.items.iter() {
            match item {
                Node::Mapping(mapping) if mapping.get("junction").is_none() => match mapping.get("filename") {
                    Some(Node::List(list)) => list.items.iter().for_each(&mut take),
                    Some(node) => take(node),
                    None => {}
                },
                node => take(node),
            }
        }
    }
    names
}
