//! Which artifacts are meant: by state, class, age, host, builder, element.

use super::Store;
use super::inventory::Entry;
use super::lookup::Answer;
use crate::values::glob::Glob;
use crate::values::record::State;
use crate::values::result::FailureClass;
use crate::values::{Record, Result, name, time::Time};
use std::time::Duration;

/// A selection; what is empty or absent does not restrict it.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub states: Vec<State>,
    pub classes: Vec<FailureClass>,
    /// Built at least this long ago.
    pub older: Option<Duration>,
    /// Built at most this long ago.
    pub newer: Option<Duration>,
    pub elements: Vec<Glob>,
    pub hosts: Vec<Glob>,
    pub builders: Vec<Glob>,
    /// Only keys that both succeeded and failed.
    pub flaky: bool,
}

impl Selection {
    /// Whether everything is meant.
    pub fn is_everything(&self) -> bool {
        self.states.is_empty()
            && self.classes.is_empty()
            && self.older.is_none()
            && self.newer.is_none()
            && self.elements.is_empty()
            && self.hosts.is_empty()
            && self.builders.is_empty()
            && !self.flaky
    }

    /// Whether a state is meant.
    pub fn has_state(&self, state: State) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }

    /// Whether an element is meant, given its project and its full or normal name.
    pub fn has_element(&self, project: &str, element: &str) -> bool {
        self.elements.is_empty() || self.elements.iter().any(|glob| names(project, element, glob))
    }

    /// Whether an artifact is meant.
    pub fn has(&self, entry: &Entry) -> bool {
        let result = entry.result.as_ref();
        let text = |globs: &[Glob], text: Option<&String>| {
            globs.is_empty() || text.is_some_and(|text| globs.iter().any(|glob| glob.matches(text)))
        };
        self.has_state(entry.state)
            && (self.elements.is_empty() || self.has_element(entry.name.project(), &entry.element))
            && (self.classes.is_empty()
                || result.and_then(|result| result.class).is_some_and(|class| self.classes.contains(&class)))
            && self.has_age(entry.built())
            && text(&self.hosts, result.and_then(|result| result.host.as_ref()))
            && text(&self.builders, result.and_then(|result| result.builder.as_ref()))
            && (!self.flaky || entry.flaky)
    }

    /// Whether the answer for a record is meant.
    pub fn has_answer(&self, store: &Store, record: &Record, answer: &Answer) -> Result<bool> {
        let Some(key) = record.get("key")? else { return Ok(false) };
        if !record.has("element") {
            return Ok(false);
        }
        let name = record.artifact_name(key)?;
        let strong = answer.cache.key.map_or_else(|| name.clone(), |key| name.with_key(key));
        let flaky = self.flaky && store.metadata().read(&strong)?.is_some_and(|metadata| metadata.is_flaky());
        Ok(self.has(&Entry {
            element: record.require("element")?,
            state: answer.cache.state,
            problem: None,
            weak_key: None,
            artifact: None,
            result: answer.result.clone(),
            used: std::time::SystemTime::now(),
            flaky,
            name,
        }))
    }

    fn has_age(&self, built: Time) -> bool {
        self.older.is_none_or(|age| built.age() >= age) && self.newer.is_none_or(|age| built.age() <= age)
    }
}

/// A pattern may be meant for the full name, the name in its own project, the normal name, or one of those
/// with the project before it.
fn names(project: &str, element: &str, glob: &Glob) -> bool {
    let local = name::local_name(element);
    let normal = name::normal_name(element);
    [element, local, normal.as_str()].iter().any(|name| glob.matches(name))
        || glob.matches(&format!("{project}/{local}"))
        || glob.matches(&format!("{project}/{normal}"))
}
