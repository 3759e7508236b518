//! Putting aside what is damaged: into `plumbing/quarantine`, under the path that it had.

use super::{Problem, What};
use crate::store::lock::{Lock, element_path};
use crate::store::{Store, fs};
use crate::values::{Error, Result, time::Time};
use std::path::PathBuf;

/// Puts everything aside. Refs first: nothing leads to a blob any more when that goes.
pub fn put_aside(store: &Store, problems: &mut [Problem]) -> Result<()> {
    let place = store.root().join("plumbing/quarantine").join(Time::now().to_string().replace(':', "-"));
    let refs_first = |what: What| !matches!(what, What::Ref | What::Metadata | What::Source);
    let mut order: Vec<usize> = (0..problems.len()).collect();
    order.sort_by_key(|index| refs_first(problems[*index].what));
    for index in order {
        let problem = &mut problems[index];
        let _lock = problem.name.as_ref().map(|name| Lock::exclusive(&element_path(store, name))).transpose()?;
        let relative = problem.path.strip_prefix(store.root()).unwrap_or(&problem.path).to_owned();
        problem.moved_to = move_to(&problem.path, place.join(relative))?;
    }
    Ok(())
}

fn move_to(from: &PathBuf, to: PathBuf) -> Result<Option<PathBuf>> {
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory)?;
    }
    match std::fs::rename(from, &to) {
        Ok(()) => Ok(Some(to)),
        Err(error) if fs::is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("cannot put aside", from, error)),
    }
}
