//! The values of the fields of a format string.

use super::source_info::source_info;
use super::template::Field;
use super::yaml::dump;
use super::{Shown, State};
use crate::edge::colour::Style;
use crate::values::record::{ArtifactField, By, Dependency, Source};
use crate::values::{Key, Result};
use serde_json::{Map, Value, json};

/// How many digits of a key are shown.
const BRIEF: usize = 8;

/// The text of a field, and how BuildStream paints it.
pub(super) fn value(field: Field, shown: &Shown) -> Result<(String, Style)> {
    let key_style = if is_strict(shown) { Style::Yellow } else { Style::DimYellow };
    let plain = |text: String| (text, Style::Plain);
    Ok(match field {
        Field::Name => (shown.identity.element.clone(), Style::BoldBlue),
        Field::Kind => (shown.record.get::<String>("kind")?.unwrap_or_default(), Style::Cyan),
        Field::Description => {
            let text: String = shown.record.get("description")?.unwrap_or_default();
            (text.lines().collect::<Vec<_>>().join(" "), key_style)
        }
        Field::Key => (key(shown)[..BRIEF].to_owned(), key_style),
        Field::FullKey => (key(shown), key_style),
        Field::State => (shown.state.word().to_owned(), shown.state.style()),
        Field::Config => plain(dump(&part(shown, "config", None)?)),
        Field::Vars => plain(dump(&part(shown, "build", Some("variables"))?)),
        Field::Env => plain(dump(&part(shown, "build", Some("environment"))?)),
        Field::Public => plain(dump(&part(shown, "build", Some("public"))?)),
        Field::Workspaced => (if is_workspaced(shown)? { "(workspaced)" } else { "" }.to_owned(), Style::Yellow),
        Field::WorkspaceDirs => plain(match workspace(shown)? {
            Some(path) => format!("Workspace: {path}"),
            None => String::new(),
        }),
        Field::Deps => plain(names(shown, |_| true)),
        Field::BuildDeps => plain(names(shown, |dependency| dependency.when.builds())),
        Field::RuntimeDeps => plain(names(shown, |dependency| dependency.when.runs())),
        Field::SourceInfo => plain(dump(&source_info(&sources(shown)?))),
        Field::ArtifactCasDigest => {
            let artifact: Option<ArtifactField> = shown.record.get("artifact")?;
            let files = artifact.filter(|_| matches!(shown.state, State::Cached | State::Failed)).and_then(|a| a.files);
            plain(files.map(|digest| digest.to_string()).unwrap_or_default())
        }
    })
}

/// The key that counts: in non-strict mode that of what was found.
fn key(shown: &Shown) -> String {
    let found = shown.cache.as_ref().filter(|cache| cache.by == Some(By::Weak)).and_then(|cache| cache.key);
    found.or(shown.key).map_or_else(|| "?".repeat(64), |key: Key| key.to_string())
}

fn is_strict(shown: &Shown) -> bool {
    let found = shown.cache.as_ref().filter(|cache| cache.by == Some(By::Weak));
    found.is_none_or(|cache| cache.key == shown.key)
}

/// A field of the record, or a part of one; an empty map where there is none.
fn part(shown: &Shown, field: &str, part: Option<&str>) -> Result<Value> {
    let mut value: Value = shown.record.get(field)?.unwrap_or_default();
    if let Some(part) = part {
        value = value.get_mut(part).map(Value::take).unwrap_or_default();
    }
    Ok(if value.is_null() { Value::Object(Map::new()) } else { value })
}

fn names(shown: &Shown, chosen: impl Fn(&Dependency) -> bool) -> String {
    let names: Vec<&str> = shown.depends.iter().filter(|d| chosen(d)).map(|d| d.element.as_str()).collect();
    dump(&json!(names)).trim_end_matches('\n').to_owned()
}

fn sources(shown: &Shown) -> Result<Vec<Source>> {
    Ok(shown.record.get("sources")?.unwrap_or_default())
}

fn is_workspaced(shown: &Shown) -> Result<bool> {
    #[derive(serde::Deserialize)]
    struct Part {
        #[serde(default)]
        workspaced: bool,
    }
    Ok(shown.record.get::<Part>("build")?.is_some_and(|build| build.workspaced))
}

/// The directory of the element's workspace.
fn workspace(shown: &Shown) -> Result<Option<String>> {
    if !is_workspaced(shown)? {
        return Ok(None);
    }
    let path = |source: &Source| source.config.get("path").and_then(Value::as_str).map(str::to_owned);
    Ok(sources(shown)?.iter().find(|source| source.kind == "workspace").and_then(path))
}
