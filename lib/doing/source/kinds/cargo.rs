//! Kinds `cargo` and `cargo2`: crates of Rust, laid out as `cargo vendor` does.

use super::super::archive::{self, Container, Part};
use super::super::config;
use super::super::git::{Mirror, Style, is_commit};
use super::super::original::{Download, Original};
use super::super::toml;
use super::super::tree::{Entry, Tree};
use super::cratefile;
use super::{Kind, publish};
use crate::store::Store;
use crate::values::{Code, Digest, Error, Result, name, record::Source};
use serde_json::Value;

pub(super) enum Cargo {
    /// Of buildstream-plugins: crates of the registry.
    First,
    /// Of buildstream-plugins-community: also crates of git repositories.
    Second,
}

/// One of the ref.
enum Crate {
    Registry { name: String, version: String, download: Download },
    Git { name: String, version: String, repository: String, query: Vec<(String, String)>, mirror: Mirror },
}

impl Kind for Cargo {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        let originals = self.crates(source, store)?.into_iter().map(|item| match item {
            Crate::Registry { download, .. } => Original::File(download),
            Crate::Git { mirror, .. } => Original::Git(mirror),
        });
        Ok(originals.collect())
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let cas = store.cas();
        let place = config::need(source, "vendor-dir")?;
        let crates = self.crates(source, store)?;
        let mut tree = Tree::default();
        for item in &crates {
            let files = match item {
                Crate::Registry { download, .. } => registry_crate(download, store)?,
                Crate::Git { name, version, mirror, .. } => {
                    let mut files = Tree::default();
                    let content = cratefile::extract(mirror, name, store)?;
                    files.insert(format!("{name}-{version}"), Entry::Open(content));
                    files
                }
            };
            let vendor = tree.open(&cas, place)?;
            if matches!(self, Cargo::Second) && vendor.get(&item.directory()).is_some() {
                return Err(Error::new(
                    Code::Source,
                    format!("the crate {} comes from two places, which cargo's vendoring cannot do", item.directory()),
                ));
            }
            vendor.import(&cas, &publish(&files, store)?)?;
        }
        let registry = source.urls.last().map_or("", |url| url);
        let (name, text) = match self {
            Cargo::First => ("config", first_config(registry, place)),
            Cargo::Second => ("config.toml", second_config(source, registry, place, &crates)),
        };
        // Without a crate there still is the directory.
        let digest = cas.put(text.as_bytes())?;
        tree.open(&cas, ".cargo")?.insert(name.to_owned(), Entry::file(name.to_owned(), &digest, false));
        publish(&tree, store)
    }
}

impl Cargo {
    fn crates(&self, source: &Source, store: &Store) -> Result<Vec<Crate>> {
        let empty = Vec::new();
        let list = source.reference.as_ref().and_then(Value::as_array).unwrap_or(&empty);
        list.iter().map(|item| self.item(source, store, item)).collect()
    }

    fn item(&self, source: &Source, store: &Store, item: &Value) -> Result<Crate> {
        let text = |key: &str| {
            let text = item.get(key).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| config::lacks(source, &format!("{key}\" of a crate of \"ref")))
        };
        let (name, version) = (text("name")?, text("version")?);
        for part in [&name, &version] {
            if !name::is_component(part) {
                return Err(Error::malformed(format!("\"{}\" is no part of a crate's name", part.escape_default())));
            }
        }
        if matches!(self, Cargo::Second) && item.get("kind").and_then(Value::as_str) == Some("git") {
            let (repository, commit) = (text("repo")?, text("commit")?);
            if !is_commit(&commit) {
                return Err(Error::malformed(format!("\"{}\" is no commit of 40 digits", commit.escape_default())));
            }
            let mirrored = mirrored(source, &repository);
            let mirror = Mirror {
                path: super::exact_mirror(store, &source.kind, &repository)?,
                single: None,
                urls: source.also.get(&mirrored).cloned().unwrap_or_else(|| vec![mirrored.clone()]),
                url: mirrored,
                reference: commit,
                style: Style::Exact,
                nested: false,
            };
            let query = item.get("query").and_then(Value::as_object).into_iter().flatten();
            let query = query.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            return Ok(Crate::Git { name, version, repository, query: query.collect(), mirror });
        }
        let sha256 = text("sha")?;
        let urls = source.urls.iter().map(|url| format!("{url}{name}/{name}-{version}.crate")).collect();
        let mut download = config::download(source, store, &base(source)?, &sha256, urls)?;
        if let Some(directory) = download.path.parent() {
            download.path = directory.join(&name).join(&version).join(&sha256);
        }
        Ok(Crate::Registry { name, version, download })
    }
}

impl Crate {
    /// The directory that it is staged in.
    fn directory(&self) -> String {
        match self {
            Crate::Registry { name, version, .. } | Crate::Git { name, version, .. } => format!("{name}-{version}"),
        }
    }
}

/// The registry's URL as the downloads' directory is named.
fn base(source: &Source) -> Result<String> {
    let url = config::url(source)?;
    Ok(if url.ends_with([':', '/']) { url.to_owned() } else { format!("{url}/") })
}

/// A repository's URL with the longest start that `git-mirrors` knows replaced.
fn mirrored(source: &Source, url: &str) -> String {
    let mirrors = source.config.get("git-mirrors").and_then(Value::as_object).into_iter().flatten();
    let matching = mirrors.filter(|(start, _)| url.starts_with(start.as_str()));
    match matching.max_by_key(|(start, _)| start.len()) {
        Some((start, mirror)) => url.replace(start.as_str(), mirror.as_str().unwrap_or_default()),
        None => url.to_owned(),
    }
}

/// A crate of the registry, in the directory that its archive has.
fn registry_crate(download: &Download, store: &Store) -> Result<Tree> {
    download.open()?;
    let batch = store.cas().batch()?;
    let mut buffer = Vec::new();
    let mut sink = |content: &mut dyn std::io::Read| batch.put_reader_with(content, &mut buffer);
    let read = archive::read_tar(&download.path, Container::None, Part::Base(""), &mut sink)?;
    download.verify(&read.digest)?;
    let mut tree = read.tree?;
    if let Some(directory) = read.first {
        let text = format!("{{\"package\": \"{}\", \"files\": {{}}}}", download.sha256);
        let digest = batch.put(text.as_bytes())?;
        let name = ".cargo-checksum.json".to_owned();
        tree.make(&directory)?.insert(name.clone(), Entry::file(name, &digest, false));
    }
    batch.finish()?;
    Ok(tree)
}

fn first_config(registry: &str, place: &str) -> String {
    format!(
        "[source.crates-io]\nregistry = \"{registry}\"\nreplace-with = \"vendored-sources\"\n\
         [source.vendored-sources]\ndirectory = \"{place}\"\n"
    )
}

fn second_config(source: &Source, registry: &str, place: &str, crates: &[Crate]) -> String {
    let replace = "replace-with = \"vendored-sources\"";
    let mut text = format!("[source.crates-io]\nregistry = {}\n{replace}\n\n", toml::string(registry));
    let mut sections: Vec<(String, String)> = Vec::new();
    for item in crates {
        let Crate::Git { repository, query, .. } = item else { continue };
        let url = source.also.get(repository).and_then(|urls| urls.last()).unwrap_or(repository);
        let mut id = format!("git+{url}");
        let mut section = format!("git = {}\n{replace}\n", toml::string(url));
        for (index, (key, value)) in query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            id += &format!("{separator}{}={}", quoted(key), quoted(value));
            section += &format!("{key} = {}\n", toml::string(value));
        }
        match sections.iter_mut().find(|(known, _)| *known == id) {
            Some(known) => known.1 = section,
            None => sections.push((id, section)),
        }
    }
    for (id, section) in sections {
        text += &format!("[source.{}]\n{section}\n", toml::string(&id));
    }
    text + &format!("[source.vendored-sources]\ndirectory = {}\n", toml::string(place))
}

/// A text in the query of a URL.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => out.push(char::from(b)),
            b => out += &format!("%{b:02X}"),
        }
    }
    out
}
