//! Kinds that are not native are asked of a program of theirs, `bst-element-KIND` or `bst-source-KIND`, as git
//! asks its remote helpers. bst-plugin(7) is the reference of what is said.
//!
//! One process answers for all elements of its kind: a question and an answer are one line of JSON each.

mod process;

use super::plugins::{Plugin, Role};
use crate::values::error::Domain;
use crate::values::{Error, Result};
use process::Process;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// Where helpers are, and those that run.
#[derive(Debug, Default)]
pub struct Helpers {
    directories: Vec<PathBuf>,
    patience: Option<Duration>,
    running: Mutex<HashMap<PathBuf, Arc<Mutex<Process>>>>,
}

/// What a helper says of an element, or of a source.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// What enters the key. Only sources may lack it: they have no ref.
    #[serde(default, deserialize_with = "present")]
    pub unique_key: Option<Value>,
    #[serde(default)]
    pub plugin_version: i64,
    #[serde(default = "yes")]
    pub runs_commands: bool,
    #[serde(default)]
    pub strict_rebuild: bool,
    /// What building does, as bst-record(5) has it. Absent: the helper is asked again when it is built.
    #[serde(default)]
    pub instructions: Option<Value>,
    /// Given back to the helper when it is asked to build or to fetch.
    #[serde(default)]
    pub data: Value,
    /// Only sources: the URL, and further ones, as written.
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub further_urls: Vec<String>,
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    reason: Option<String>,
}

fn yes() -> bool {
    true
}

/// A value that is there, `null` too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Helpers {
    /// Helpers in these directories, the first first. `patience`: how long to wait for an answer.
    pub fn new(directories: Vec<PathBuf>, patience: Option<Duration>) -> Helpers {
        Helpers { directories, patience, running: Mutex::default() }
    }

    /// The helper of a kind: in the directories, else where the code of the kind would be.
    pub fn find(&self, plugin: &Plugin) -> Option<PathBuf> {
        let role = match plugin.role {
            Role::Element => "element",
            Role::Source => "source",
            Role::SourceMirror => return None,
        };
        // A kind is a word of the project's: it must not lead elsewhere.
        if plugin.kind.contains('/') {
            return None;
        }
        let name = format!("bst-{role}-{}", plugin.kind);
        let beside = plugin.code.as_deref().and_then(Path::parent).map(Path::to_owned);
        let mut places = self.directories.iter().cloned().chain(beside).map(|directory| directory.join(&name));
        places.find(|path| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0))
    }

    /// Asks a helper. Its own refusals come back as errors of `domain`.
    pub fn ask(&self, program: &Path, question: &Value, domain: Domain) -> Result<Answer> {
        let answer: Answer = self.ask_plain(program, question)?;
        match answer.error {
            Some(Refusal { message, reason: Some(reason) }) => Err(Error::of_project(domain, &reason, message)),
            Some(Refusal { message, reason: None }) => Err(Error::in_domain(domain, message)),
            None => Ok(answer),
        }
    }

    /// Asks a helper for an answer of another form.
    pub fn ask_plain<T: serde::de::DeserializeOwned>(&self, program: &Path, question: &Value) -> Result<T> {
        let process = self.process(program)?;
        let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
        let line = process.ask(question, self.patience)?;
        serde_json::from_slice(&line)
            .map_err(|error| process::broken(program, &format!("its answer is wrong: {error}")))
    }

    fn process(&self, program: &Path) -> Result<Arc<Mutex<Process>>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = running.get(program) {
            return Ok(process.clone());
        }
        let process = Arc::new(Mutex::new(Process::start(program)?));
        running.insert(program.to_owned(), process.clone());
        Ok(process)
    }
}

#[cfg(test)]
mod tests;
