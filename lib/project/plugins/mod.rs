//! Where kinds come from: BuildStream itself, the project, a Python package, or a junction's project
//! (spec: keys 2.6). The code is never run; what is looked for is whose it is, in which version, and the
//! file of defaults beside it.

pub mod python;

use super::node::{List, Mapping, Mark, Node};
use super::paths::{self, Want};
use crate::values::error::Domain;
use crate::values::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a plugin is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    Element,
    Source,
    SourceMirror,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::Element => "element",
            Role::Source => "source",
            Role::SourceMirror => "source mirror",
        }
    }

    fn entry_points(self) -> &'static str {
        match self {
            Role::Element => "buildstream.plugins.elements",
            Role::Source => "buildstream.plugins.sources",
            Role::SourceMirror => "buildstream.plugins.sourcemirrors",
        }
    }

    fn core(self) -> &'static [&'static str] {
        match self {
            Role::Element => &["compose", "filter", "import", "junction", "link", "manual", "script", "stack"],
            Role::Source => &["local", "remote", "tar", "workspace"],
            Role::SourceMirror => &["default"],
        }
    }
}

/// Who wrote a kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Family {
    /// BuildStream itself.
    Core,
    /// A package of plugins: its name in lower case with `-`, and its version, where one is written down.
    Package { name: String, version: Option<String> },
    /// The project's own code.
    Own,
}

/// A kind and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plugin {
    pub role: Role,
    pub kind: String,
    pub family: Family,
    /// The file of code that BuildStream would load; absent for core kinds.
    pub code: Option<PathBuf>,
    /// The file of the kind's defaults, where there is one. Those of core kinds are built in.
    pub defaults: Option<PathBuf>,
}

impl Plugin {
    /// The package that it comes from, if it is one that is known here.
    pub fn package(&self) -> Option<&str> {
        match &self.family {
            Family::Package { name, .. } => Some(name),
            Family::Core | Family::Own => None,
        }
    }

    /// Whether it is of a release before this one. A package that does not say which release it is counts as
    /// the newest.
    pub fn is_before(&self, release: [u32; 3]) -> bool {
        let Family::Package { version: Some(version), .. } = &self.family else { return false };
        let mut numbers = version.split('.').map(|part| {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            part[..digits].parse().unwrap_or(0)
        });
        let version: [u32; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
        version < release
    }
}

/// A project, as far as its plugins go.
pub trait Host {
    /// Its name.
    fn name(&self) -> &str;
    /// Its origins of plugins.
    fn origins(&self) -> &Origins;
    /// The project that a junction leads to, loaded if need be. `mark`: what asks for it.
    fn through(&self, junction: &str, mark: Mark) -> Result<Arc<dyn Host>>;
}

/// The `plugins` of a project.
#[derive(Debug, Default)]
pub struct Origins {
    directory: PathBuf,
    origins: Vec<Origin>,
    kinds: HashMap<(Role, Arc<str>), usize>,
}

#[derive(Debug)]
struct Origin {
    from: From,
    mark: Mark,
}

#[derive(Debug)]
enum From {
    Local { directory: PathBuf },
    Package { requirement: String },
    Junction { name: String },
}

impl Origins {
    /// Reads `plugins` of project.conf. Whether a package or a junction is there is found out when a kind is
    /// first used, as in BuildStream.
    pub fn read(plugins: Option<&List>, directory: &Path) -> Result<Origins> {
        let mut read = Origins { directory: directory.to_owned(), ..Origins::default() };
        for node in plugins.map_or(&[][..], |list| &list.items[..]) {
            read.add(node.mapping()?)?;
        }
        Ok(read)
    }

    fn add(&mut self, node: &Mapping) -> Result<()> {
        const COMMON: [&str; 5] = ["origin", "sources", "elements", "source-mirrors", "allow-deprecated"];
        let keys = |own: &'static str| node.check_keys(&[&[own], &COMMON[..]].concat());
        let origin = node.require("origin")?.scalar()?;
        let from = match &*origin.text {
            "local" => {
                keys("path")?;
                let path = node.require("path")?.scalar()?;
                paths::inside(&self.directory, path, Want::Directory)?;
                From::Local { directory: self.directory.join(&*path.text) }
            }
            "pip" => {
                keys("package-name")?;
                From::Package { requirement: node.require("package-name")?.scalar()?.text.to_string() }
            }
            "junction" => {
                keys("junction")?;
                From::Junction { name: node.require("junction")?.scalar()?.text.to_string() }
            }
            other => {
                let message =
                    format!("expected an origin that is local, pip or junction, found \"{}\"", other.escape_default());
                return Err(Error::load("invalid-data", message).at(origin.mark.place()));
            }
        };
        node.bool("allow-deprecated")?;
        self.origins.push(Origin { from, mark: node.mark });
        for (role, key) in
            [(Role::Element, "elements"), (Role::Source, "sources"), (Role::SourceMirror, "source-mirrors")]
        {
            self.register(role, node, key)?;
        }
        Ok(())
    }

    fn register(&mut self, role: Role, node: &Mapping, key: &str) -> Result<()> {
        let Some(list) = node.get(key) else { return Ok(()) };
        let mut of_this = HashMap::new();
        for item in list.list()?.items.iter() {
            of_this.insert(kind_of(item)?, self.origins.len() - 1);
        }
        for (kind, origin) in of_this {
            let message = format!(
                "the {} kind \"{}\" is registered by two origins; name it once",
                role.word(),
                kind.escape_default()
            );
            if self.kinds.insert((role, kind), origin).is_some() {
                return Err(refuse("duplicate-plugin", message));
            }
        }
        Ok(())
    }
}

fn kind_of(item: &Node) -> Result<Arc<str>> {
    match item {
        Node::Scalar(scalar) => Ok(scalar.text.clone()),
        Node::Mapping(mapping) => {
            mapping.check_keys(&["kind", "allow-deprecated"])?;
            mapping.bool("allow-deprecated")?;
            Ok(mapping.require("kind")?.scalar()?.text.clone())
        }
        Node::List(list) => {
            let message = "expected the name of a kind, or a mapping with \"kind\", found a list";
            Err(Error::load("invalid-data", message).at(list.mark.place()))
        }
    }
}

/// Finds out where `kind` comes from in a project. `mark`: what uses it.
pub fn find(host: &dyn Host, role: Role, kind: &str, mark: Mark, python: &python::Environments) -> Result<Plugin> {
    if let Some(found) = registered(host, role, kind, python)? {
        return Ok(found);
    }
    if role.core().contains(&kind) {
        return Ok(Plugin { role, kind: kind.to_owned(), family: Family::Core, code: None, defaults: None });
    }
    let message = format!(
        "found the {} kind \"{}\", which is neither one of BuildStream's own ({}) nor registered under \"plugins\" \
         of project.conf",
        role.word(),
        kind.escape_default(),
        role.core().join(", ")
    );
    Err(refuse("plugin-not-found", message).at(mark.place()))
}

fn registered(host: &dyn Host, role: Role, kind: &str, python: &python::Environments) -> Result<Option<Plugin>> {
    let origins = host.origins();
    let Some(&index) = origins.kinds.get(&(role, Arc::from(kind))) else { return Ok(None) };
    let origin = &origins.origins[index];
    match &origin.from {
        From::Local { directory } => Ok(Some(local(host, role, kind, directory))),
        From::Package { requirement } => python.find(requirement, role, kind, origin.mark).map(Some),
        From::Junction { name } => through(host, role, kind, name, origin.mark, python).map(Some),
    }
}

fn local(host: &dyn Host, role: Role, kind: &str, directory: &Path) -> Plugin {
    Plugin {
        role,
        kind: kind.to_owned(),
        family: python::family_of(host.name(), &host.origins().directory),
        code: Some(directory.join(format!("{kind}.py"))),
        defaults: Some(directory.join(format!("{kind}.yaml"))).filter(|path| path.exists()),
    }
}

fn through(
    host: &dyn Host,
    role: Role,
    kind: &str,
    junction: &str,
    mark: Mark,
    python: &python::Environments,
) -> Result<Plugin> {
    let project = host.through(junction, mark)?;
    let words = |what: &str| {
        format!(
            "the {} kind \"{}\" is to come from the project \"{}\" of the junction {junction}, {what}",
            role.word(),
            kind.escape_default(),
            project.name()
        )
    };
    match registered(&*project, role, kind, python) {
        Ok(Some(plugin)) => Ok(plugin),
        Ok(None) => {
            let message = words("which registers no such kind under \"plugins\" of its project.conf");
            Err(refuse("junction-plugin-not-found", message).at(mark.place()))
        }
        Err(error) if error.reason().is_some() && is_plugin_error(&error) => {
            let message = words(&format!("where it cannot be had: {error}"));
            Err(refuse("junction-plugin-load-error", message).at(mark.place()))
        }
        Err(error) => Err(error),
    }
}

fn is_plugin_error(error: &Error) -> bool {
    error.to_record().domain == Some(Domain::Plugin)
}

pub(crate) fn refuse(reason: &str, message: impl Into<String>) -> Error {
    Error::of_project(Domain::Plugin, reason, message)
}
