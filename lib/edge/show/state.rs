//! The state of an element, in BuildStream's words.

use super::Shown;
use crate::doing::source;
use crate::edge::colour::Style;
use crate::store::Store;
use crate::store::query::{How, Query};
use crate::values::name::{ArtifactName, local_name};
use crate::values::record::{self, Action, Dependency, Source};
use crate::values::{Code, Key, Result};
use std::collections::HashMap;

/// The state of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    NoReference,
    Junction,
    Waiting,
    Failed,
    Cached,
    FetchNeeded,
    Buildable,
    /// A program could not treat its record: BuildStream has no word for it.
    Error,
}

impl State {
    /// BuildStream's word.
    pub fn word(self) -> &'static str {
        match self {
            State::NoReference => "no reference",
            State::Junction => "junction",
            State::Waiting => "waiting",
            State::Failed => "failed",
            State::Cached => "cached",
            State::FetchNeeded => "fetch needed",
            State::Buildable => "buildable",
            State::Error => "error",
        }
    }

    /// BuildStream's colour.
    pub fn style(self) -> Style {
        match self {
            State::NoReference | State::Failed | State::FetchNeeded | State::Error => Style::Red,
            State::Junction | State::Cached => Style::Magenta,
            State::Waiting => Style::Blue,
            State::Buildable => Style::Green,
        }
    }

    /// Whether the summary at the end has something to say about an element.
    pub fn is_worth_a_word(self, shown: &Shown) -> bool {
        let action = shown.schedule.as_ref().map(|schedule| schedule.action);
        shown.failed() || matches!(action, Some(Action::Blocked | Action::Cancelled))
    }
}

/// Finds out states. Elements are best seen after their dependencies; the store is asked about those that
/// were not seen.
pub(super) struct States<'a> {
    store: &'a Store,
    query: Query<'a>,
    /// Whether an element is there with all that it needs at run time.
    usable: HashMap<(String, String, Option<Key>), bool>,
}

impl<'a> States<'a> {
    pub fn new(store: &'a Store, non_strict: bool) -> States<'a> {
        let query = Query::new(store, How { non_strict, ..How::default() });
        States { store, query, usable: HashMap::new() }
    }

    /// The state of an element; asks the store if nobody did.
    pub fn state(&mut self, shown: &mut Shown) -> Result<State> {
        let state = self.find(shown)?;
        let cached = matches!(state, State::Cached);
        let usable = cached && shown.depends.iter().filter(|dependency| dependency.when.runs()).all(|d| self.usable(d));
        let name = (shown.identity.project.clone(), local_name(&shown.identity.element).to_owned(), shown.key);
        self.usable.insert(name, usable);
        Ok(state)
    }

    fn find(&mut self, shown: &mut Shown) -> Result<State> {
        if let Some(problem) = &shown.error {
            return Ok(match problem.code {
                Code::NoRef => State::NoReference,
                _ if shown.result.as_ref().is_some_and(|result| !result.success) => State::Failed,
                _ => State::Error,
            });
        }
        if shown.record.get::<String>("kind")?.as_deref() == Some("junction") {
            return Ok(State::Junction);
        }
        if shown.key.is_none() {
            let sources: Vec<Source> = shown.record.get("sources")?.unwrap_or_default();
            let missing = sources.iter().any(|source| source.key.is_none());
            return Ok(if missing { State::NoReference } else { State::Waiting });
        }
        match shown.schedule.as_ref().map(|schedule| schedule.action) {
            Some(Action::Built | Action::Replayed) => {
                let success = shown.result.as_ref().is_some_and(|result| result.success);
                return Ok(if success { State::Cached } else { State::Failed });
            }
            Some(Action::Cached) => return Ok(State::Cached),
            Some(Action::Blocked) => return Ok(State::Waiting),
            Some(Action::Cancelled | Action::Skipped) | None => {}
        }
        if shown.cache.is_none() {
            shown.cache = self.query.treat(&mut shown.record)?.map(|answer| answer.cache);
            shown.result = shown.record.get("result")?;
        }
        match shown.cache.as_ref().map(|cache| cache.state) {
            Some(record::State::Failed) => return Ok(State::Failed),
            Some(record::State::Cached) => return Ok(State::Cached),
            _ => {}
        }
        if !self.has_sources(shown)? {
            return Ok(State::FetchNeeded);
        }
        let buildable = shown.depends.iter().filter(|dependency| dependency.when.builds()).all(|d| self.usable(d));
        Ok(if buildable { State::Buildable } else { State::Waiting })
    }

    fn has_sources(&self, shown: &Shown) -> Result<bool> {
        let sources: Vec<Source> = shown.record.get("sources")?.unwrap_or_default();
        // What the store cannot tell counts as missing: fetching says what is wrong.
        let staged = || source::cache::element_key(&sources).and_then(|key| source::cache::element(self.store, &key));
        Ok(sources.is_empty()
            || staged().is_ok_and(|found| found.is_some())
            || source::missing(&sources, self.store).is_ok_and(|missing| missing.is_empty()))
    }

    fn usable(&mut self, dependency: &Dependency) -> bool {
        let local = local_name(&dependency.element).to_owned();
        let name = (dependency.project.clone(), local, dependency.key);
        if let Some(&usable) = self.usable.get(&name) {
            return usable;
        }
        let found = dependency.key.is_some_and(|key| {
            let name = ArtifactName::new(&dependency.project, &dependency.element, key);
            let answer = name.and_then(|name| self.query.answer(&name, None));
            answer.is_ok_and(|answer| answer.cache.state == record::State::Cached)
        });
        self.usable.insert(name, found);
        found
    }
}
