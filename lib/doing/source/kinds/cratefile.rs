//! Crates of git repositories: which directory of a repository a crate is, and what it inherits from the
//! workspace around it.

use super::super::git::Mirror;
use super::super::tree::{self, Tree};
use crate::doing::source::toml;
use crate::store::Store;
use crate::values::{Code, Error, Result, glob::Glob};
use ::toml::{Table, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A crate of a workspace: where it is, and its manifest.
type Crates = BTreeMap<String, (String, Table)>;

/// The files of a crate, as `cargo vendor` would have them.
pub(super) fn extract(mirror: &Mirror, name: &str, store: &Store) -> Result<Tree> {
    let cas = store.cas();
    let batch = cas.batch()?;
    let mut files = mirror.tree(&mirror.need_commit()?, &batch)?;
    batch.finish()?;
    let manifests = Manifests { tree: &files, store };
    let root =
        manifests.read("")?.ok_or_else(|| broken(format!("the repository of crate {name} has no Cargo.toml")))?;
    let is_root = package_name(&root) == Some(name);
    if let Some(workspace) = root.get("workspace").and_then(Value::as_table) {
        let mut crates = manifests.members(workspace, is_root)?;
        let (path, mut manifest) = crates
            .remove(name)
            .ok_or_else(|| broken(format!("the workspace that should have crate {name} does not have it")))?;
        inherit(&mut manifest, workspace)?;
        files = files.take(&path).ok_or_else(|| broken(format!("crate {name} has no directory")))?;
        let digest = cas.put(toml::write(&manifest).as_bytes())?;
        files.insert("Cargo.toml".to_owned(), tree::Entry::file("Cargo.toml".to_owned(), &digest, false));
    } else if !is_root {
        return Err(broken(format!("the repository that should have crate {name} does not have it")));
    }
    let digest = cas.put(b"{\"files\": {}, \"package\": null}")?;
    let name = ".cargo-checksum.json".to_owned();
    files.insert(name.clone(), tree::Entry::file(name, &digest, false));
    Ok(files)
}

struct Manifests<'a> {
    tree: &'a Tree,
    store: &'a Store,
}

impl Manifests<'_> {
    /// The manifest in a directory, if it has one.
    fn read(&self, directory: &str) -> Result<Option<Table>> {
        let path = if directory.is_empty() { "Cargo.toml".to_owned() } else { format!("{directory}/Cargo.toml") };
        let Some(text) = self.tree.text(&self.store.cas(), &path)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| broken(format!("{path} cannot be read: {error}")))
    }

    /// The crates of a workspace: its members, and those that members name by their path.
    fn members(&self, workspace: &Table, with_root: bool) -> Result<Crates> {
        let listed = workspace.get("members").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut crates = Crates::new();
        let directories = self.tree.directories();
        for pattern in listed.chain(with_root.then_some(".")) {
            let pattern = super::super::archive::normal(pattern).replace("**", "*");
            let glob = Glob::new(if pattern == "." { "" } else { &pattern });
            for directory in directories.iter().filter(|directory| glob.matches(directory)) {
                let Some(manifest) = self.read(directory)? else { continue };
                let Some(name) = package_name(&manifest) else { continue };
                crates.insert(name.to_owned(), (directory.clone(), manifest.clone()));
                self.add_implicit(directory, &manifest, workspace, &mut crates)?;
            }
        }
        Ok(crates)
    }

    fn add_implicit(&self, directory: &str, manifest: &Table, workspace: &Table, crates: &mut Crates) -> Result<()> {
        let mut waiting = vec![(directory.to_owned(), manifest.clone())];
        while let Some((directory, manifest)) = waiting.pop() {
            let dependencies = manifest.get("dependencies").and_then(Value::as_table).into_iter().flatten();
            for path in dependencies.filter_map(|(_, details)| details.get("path")?.as_str()) {
                let path = super::super::archive::normal(&format!("{directory}/{path}"));
                let path = path.trim_start_matches('/');
                let Some(mut manifest) = self.read(if path == "." { "" } else { path })? else { continue };
                inherit(&mut manifest, workspace)?;
                let Some(name) = package_name(&manifest).map(str::to_owned) else { continue };
                if let Entry::Vacant(place) = crates.entry(name) {
                    place.insert((path.to_owned(), manifest.clone()));
                    waiting.push((path.to_owned(), manifest));
                }
            }
        }
        Ok(())
    }
}

fn package_name(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// Puts in what a manifest takes from its workspace.
fn inherit(manifest: &mut Table, workspace: &Table) -> Result<()> {
    if let Some(shared) = workspace.get("dependencies").and_then(Value::as_table) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            if let Some(dependencies) = manifest.get_mut(kind).and_then(Value::as_table_mut) {
                inherit_dependencies(dependencies, shared)?;
            }
        }
        let targets = manifest.get_mut("target").and_then(Value::as_table_mut).into_iter().flatten();
        for (_, target) in targets {
            if let Some(dependencies) = target.get_mut("dependencies").and_then(Value::as_table_mut) {
                inherit_dependencies(dependencies, shared)?;
            }
        }
    }
    let shared = workspace.get("package").and_then(Value::as_table);
    let package = manifest.get_mut("package").and_then(Value::as_table_mut).into_iter().flatten();
    for (key, value) in package.filter(|(_, value)| value.get("workspace").is_some()) {
        let inherited = shared.and_then(|shared| shared.get(key));
        *value = inherited.cloned().ok_or_else(|| broken(format!("the workspace has no package.{key} to inherit")))?;
    }
    let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    if let (Some(true), Some(lints)) = (inherits, workspace.get("lints")) {
        manifest.insert("lints".to_owned(), lints.clone());
    }
    Ok(())
}

fn inherit_dependencies(dependencies: &mut Table, shared: &Table) -> Result<()> {
    for (name, details) in dependencies.iter_mut() {
        let Some(details) = details.as_table_mut().filter(|details| details.contains_key("workspace")) else {
            continue;
        };
        let inherited =
            shared.get(name).ok_or_else(|| broken(format!("the workspace has no dependency {name} to inherit")))?;
        details.remove("workspace");
        let Some(inherited) = inherited.as_table() else {
            details.insert("version".to_owned(), inherited.clone());
            continue;
        };
        let of = |table: &Table| table.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
        let features: Vec<Value> = of(inherited).into_iter().chain(of(details)).collect();
        for (key, value) in inherited {
            details.insert(key.clone(), value.clone());
        }
        if !features.is_empty() {
            details.insert("features".to_owned(), Value::Array(features));
        }
    }
    Ok(())
}

fn broken(message: String) -> Error {
    Error::new(Code::Source, message)
}
