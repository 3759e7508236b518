//! What a `Cargo.lock` among the sources says, and what it would say.

use super::{Context, Found};
use bst_plumbing::doing::source::tool;
use bst_plumbing::store::checkout::Checkout;
use bst_plumbing::values::{Code, Error, Result};
use serde_json::{Map, Value, json};
use std::process::Command;

fn broken(message: impl Into<String>) -> Error {
    Error::new(Code::Source, message)
}

/// Kinds cargo and cargo2: every crate that comes from outside.
pub(super) fn crates(context: &Context) -> Result<Option<Found>> {
    let path = context.text("cargo-lock").unwrap_or("Cargo.lock");
    let lock = context.text_before(path)?;
    let lock: toml::Table = lock.parse().map_err(|error| broken(format!("{path} cannot be read: {error}")))?;
    let second = context.source().kind == "cargo2";
    let mut crates = Vec::new();
    for package in lock.get("package").and_then(toml::Value::as_array).into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let Some(place) = text("source") else { continue };
        let (Some(name), Some(version)) = (text("name"), text("version")) else {
            return Err(broken(format!("a package of {path} has no name or no version")));
        };
        let mut item = Map::new();
        item.insert("name".into(), name.into());
        item.insert("version".into(), version.into());
        match place.split_once('+') {
            Some(("git", url)) if second => git_crate(context, url, &mut item),
            Some(("registry", _)) | None => {}
            Some(_) if !second => {}
            Some((kind, _)) => return Err(broken(format!("{path}: crate {name} comes from a place of kind {kind}"))),
        }
        if !item.contains_key("commit") {
            let sha = match text("checksum") {
                Some(sha) => sha.to_owned(),
                None => context.checksum(name, version)?,
            };
            item.insert("sha".into(), sha.into());
            if second {
                item.insert("kind".into(), "registry".into());
            }
        }
        keep_provenance(context, name, &mut item);
        crates.push(Value::Object(item));
    }
    crates.sort_by_key(|item| {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("name"), text("version"), text("repo"), text("commit"))
    });
    Ok(Some(Found::from_iter([("ref".to_owned(), Value::Array(crates))])))
}

/// A crate of a repository: `URL?QUERY#COMMIT`.
fn git_crate(context: &Context, url: &str, item: &mut Map<String, Value>) {
    let (rest, commit) = url.split_once('#').unwrap_or((url, ""));
    let (repository, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mirrors = context.source().config.get("git-mirrors").and_then(Value::as_object).into_iter().flatten();
    let matching = mirrors.filter(|(start, _)| repository.starts_with(start.as_str()));
    let repository = match matching.max_by_key(|(start, _)| start.len()) {
        Some((start, mirror)) => repository.replace(start.as_str(), mirror.as_str().unwrap_or_default()),
        None => repository.to_owned(),
    };
    item.insert("kind".into(), "git".into());
    item.insert("repo".into(), repository.into());
    item.insert("commit".into(), commit.into());
    let pairs: Map<String, Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), unquoted(value).into()))
        .collect();
    if !pairs.is_empty() {
        item.insert("query".into(), pairs.into());
    }
}

fn unquoted(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &more[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
        rest = more;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the project says of a crate stays with it.
fn keep_provenance(context: &Context, name: &str, item: &mut Map<String, Value>) {
    let old = context.source().reference.as_ref().and_then(Value::as_array).into_iter().flatten();
    let named = |item: &&Value| item.get("name").and_then(Value::as_str) == Some(name);
    if let Some(provenance) = old.filter(named).find_map(|item| item.get("provenance")) {
        item.insert("provenance".into(), provenance.clone());
    }
}

impl Context<'_> {
    /// The hash of a crate that the lock file has none for.
    fn checksum(&self, name: &str, version: &str) -> Result<String> {
        let url = format!("{}{name}/{name}-{version}.crate", self.url()?);
        let source = self.source();
        let base = source.url.as_deref().unwrap_or_default();
        let base = if base.ends_with([':', '/']) { base.to_owned() } else { format!("{base}/") };
        let place = self.store().sources().mirror(&source.kind, &base)?.join(name).join(version);
        self.fetcher.downloader.latest(&url, &place, None).map_err(|failure| failure.error)
    }
}

/// Kind gen_cargo_lock: what cargo makes of the manifests among the sources.
pub(super) fn lock(context: &Context) -> Result<Option<Found>> {
    let store = context.store();
    let place = store.scratch("sources")?;
    let scratch = tempfile::Builder::new().prefix("track-").tempdir_in(&place);
    let scratch = scratch.map_err(|error| Error::io("cannot make a directory in", &place, error))?;
    store.cas().checkout(&context.before()?, scratch.path(), Checkout::default())?;
    let home = store.root().join("sources").join("gen_cargo_lock");
    let mut command = Command::new("cargo");
    command.arg("generate-lockfile").current_dir(scratch.path()).env("CARGO_HOME", home);
    command.stdin(std::process::Stdio::null());
    tool::run(&mut command, "cargo cannot make a lock file")?;
    let path = scratch.path().join("Cargo.lock");
    let bytes = std::fs::read(&path).map_err(|error| Error::io("cannot read", &path, error))?;
    Ok(Some(Found::from_iter([("ref".to_owned(), json!(crate::sources::http::base64(&bytes)))])))
}

#[cfg(test)]
mod tests {
    #[test]
    fn queries_are_decoded() {
        assert_eq!(super::unquoted("a%2Fb+c%zz"), "a/b c%zz");
    }
}
