//! A project: what project.conf says, in the two passes in which BuildStream reads it (spec: keys 2.3).
//!
//! The first pass is enough for junctions and links. The second one, with includes that cross junctions, is
//! made when the first other element is loaded.

pub mod builtin;
mod mirrors;
mod pass;
mod urls;

pub use mirrors::Mirror;
pub use pass::Config;
pub use urls::{ProjectUrls, split_alias};

use super::compose::{self, compose};
use super::conditional::Options;
use super::include::{self, How};
use super::loader::{Session, Tables};
use super::node::{List, Mapping, Node, Scalar};
use super::options::check_symbol;
use super::paths::{self, Want};
use super::plugins::Origins;
use super::refs::Refs;
use super::resolve::Cache;
use super::root::Root;
use super::settings::Settings;
use crate::values::record::RefStorage;
use crate::values::{Error, Place, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// The name of the file.
pub const FILE: &str = "project.conf";

/// The warning of a URL without alias.
pub const UNALIASED_URL: &str = "unaliased-url";
/// The warning of files that several elements have.
const OVERLAPS: &str = "overlaps";

/// The version of BuildStream whose projects are read.
const VERSION: (u64, u64) = (2, 8);

/// A project.
pub struct Project {
    pub name: String,
    /// Where project.conf is.
    pub directory: PathBuf,
    /// The same, open.
    pub root: Root,
    /// The same without symbolic links.
    pub real_directory: PathBuf,
    /// Where its elements are.
    pub element_path: PathBuf,
    /// The same, below the directory.
    pub relative_element_path: PathBuf,
    /// How it was reached, if it is not the first one.
    pub junction: Option<Junction>,
    pub session: Arc<Session>,
    /// `defaults: targets`.
    pub default_targets: Vec<String>,
    pub ref_storage: RefStorage,
    /// junction.refs, if refs are kept there.
    pub junction_refs: Refs,
    pub origins: Origins,
    /// What junctions and links see.
    pub first: Config,
    /// Projects that may be there several times: name and the junctions that lead to them.
    pub duplicates: Vec<(Arc<str>, List)>,
    /// Junctions to projects that nobody else sees.
    pub internal: List,
    /// Whether subprojects may use URLs of their own.
    disallow_subproject_uris: bool,
    fatal_warnings: Vec<String>,
    /// project.conf as it was read.
    text: Mapping,
    full: OnceLock<Result<Full>>,
    full_began: AtomicBool,
    /// Where kinds come from, and their defaults.
    pub kinds: Cache,
    pub(super) tables: Mutex<Tables>,
}

/// What elements other than junctions and links see.
pub struct Full {
    pub config: Config,
    pub environment: Mapping,
    pub environment_nocache: Vec<String>,
    pub sandbox: Mapping,
    pub split_rules: Mapping,
    /// Sorted, duplicates kept.
    pub fatal_warnings: Vec<String>,
    /// project.refs, if refs are kept there.
    pub refs: Refs,
    /// The keys that a source's `provenance` may have.
    pub provenance: Vec<Arc<str>>,
    /// `artifacts` and `source-caches`.
    pub artifacts: List,
    pub source_caches: List,
}

/// A junction element, as the project behind it sees it.
pub struct Junction {
    /// The project that has it.
    pub project: Arc<Project>,
    /// In that project.
    pub name: String,
    pub full_name: String,
    /// Element paths of this project, and what to use instead, in the project that has the junction.
    pub overrides: Vec<(Arc<str>, Scalar)>,
    pub options: Mapping,
    pub aliases: Mapping,
    /// Whether an alias without mapping means the same in the project that has the junction.
    pub identity: bool,
    /// Where the junction was asked for.
    pub mark: Option<super::mark::Mark>,
}

impl Junction {
    /// The alias of the project above that an alias of this one stands for.
    pub fn parent_alias<'a>(&'a self, alias: &'a str) -> Result<Option<&'a str>> {
        Ok(self.aliases.text(alias)?.or(self.identity.then_some(alias)))
    }
}

impl Project {
    /// Reads a project as far as junctions and links need it.
    pub fn load(session: &Arc<Session>, directory: &Path, junction: Option<Junction>) -> Result<Arc<Project>> {
        let root = Root::open(directory).map_err(no_project)?;
        let text = root.load(Path::new(FILE), &display(junction.as_ref(), FILE)).map_err(no_project)?;
        let real_directory =
            directory.canonicalize().map_err(|error| Error::io("cannot read the directory", directory, error))?;
        let top = session.top_directory.get_or_init(|| real_directory.clone()).clone();

        let mut early = builtin::project();
        compose(&text, &mut early)?;
        check_version(&early)?;
        check_top_keys(&early)?;
        let name = text.require("name")?;
        check_symbol(&name.scalar()?.text, "name of a project", true, name)?;
        let name = name.scalar()?.text.to_string();
        let relative = early.require("element-path")?.scalar()?;
        let element_path = paths::inside(directory, relative, Want::Directory)?;
        let relative_element_path = PathBuf::from(&*relative.text);

        let defaults = early.require("defaults")?.mapping()?;
        defaults.check_keys(&["targets"])?;
        let default_targets = owned(&defaults.require("targets")?.list()?.texts()?);
        let mut fatal_warnings = owned(&early.texts("fatal-warnings")?.unwrap_or_default());
        let junctions = early.mapping("junctions")?.cloned().unwrap_or_else(Mapping::empty);
        junctions.check_keys(&["duplicates", "internal", "disallow-subproject-uris"])?;
        let inherited = junction.as_ref().is_some_and(|junction| junction.project.disallow_subproject_uris);
        if inherited && !fatal_warnings.iter().any(|warning| warning == UNALIASED_URL) {
            fatal_warnings.push(UNALIASED_URL.to_owned());
        }
        let disallow_subproject_uris = inherited || junctions.bool("disallow-subproject-uris")?.unwrap_or(false);
        let duplicates = junctions.mapping("duplicates")?.cloned().unwrap_or_else(Mapping::empty);
        let duplicates =
            duplicates.iter().map(|(name, list)| Ok((name.clone(), list.list()?.clone()))).collect::<Result<_>>()?;
        let none = || List::new(Vec::new(), super::mark::Mark::synthetic());
        let internal = junctions.list("internal")?.cloned().unwrap_or_else(none);

        let local = Local { root: &root, junction: junction.as_ref() };
        let mut config = text.clone();
        include::process(&mut config, &local, How { only_local: true, conditionals: false })?;
        let mut composed = builtin::project();
        compose(&config, &mut composed)?;
        let origins = Origins::read(composed.list("plugins")?, directory)?;
        let frame = pass::Frame {
            settings: &session.settings,
            name: &name,
            element_path: &element_path,
            junction: junction.as_ref(),
            real_directory: &real_directory,
            top_directory: &top,
            first: true,
        };
        let first = Config::load(&mut composed, &frame)?;

        let ref_storage = match early.require("ref-storage")?.scalar()? {
            scalar if &*scalar.text == "inline" => RefStorage::Inline,
            scalar if &*scalar.text == "project.refs" => RefStorage::ProjectRefs,
            scalar => return Err(scalar.expected("inline or project.refs")),
        };
        let junction_refs = match ref_storage {
            RefStorage::ProjectRefs => Refs::load(directory, "junction.refs", &first.options)?,
            RefStorage::Inline => Refs::default(),
        };
        let project = Arc::new(Project {
            name,
            directory: directory.to_owned(),
            root,
            real_directory,
            element_path,
            relative_element_path,
            junction,
            session: session.clone(),
            default_targets,
            ref_storage,
            junction_refs,
            origins,
            first,
            duplicates,
            internal,
            disallow_subproject_uris,
            fatal_warnings,
            text,
            full: OnceLock::new(),
            full_began: AtomicBool::new(false),
            kinds: Cache::default(),
            tables: Mutex::default(),
        });
        session.enter(&project);
        Ok(project)
    }

    /// What the second pass gives, which is made when it is first asked for, those of the projects above
    /// before.
    pub fn full(self: &Arc<Project>) -> Result<&Full> {
        if let Some(full) = self.full.get() {
            return full.as_ref().map_err(Clone::clone);
        }
        if let Some(junction) = &self.junction {
            junction.project.full_began_or_load()?;
        }
        if let Some(full) = self.full.get() {
            return full.as_ref().map_err(Clone::clone);
        }
        if self.full_began.swap(true, Ordering::SeqCst) {
            let message = format!("project.conf of \"{}\" needs itself to be read completely", self.name);
            return Err(Error::load("circular-reference", message));
        }
        let full = self.load_full();
        self.full.get_or_init(|| full).as_ref().map_err(Clone::clone)
    }

    /// Loads the second pass unless that is under way, higher up in the calls.
    fn full_began_or_load(self: &Arc<Project>) -> Result<()> {
        if self.full_began.load(Ordering::SeqCst) && self.full.get().is_none() {
            return Ok(());
        }
        self.full().map(|_| ())
    }

    fn load_full(self: &Arc<Project>) -> Result<Full> {
        let mut own = self.text.clone();
        include::process(&mut own, self, How { only_local: false, conditionals: false })?;
        let mut composed = builtin::project();
        compose(&own, &mut composed)?;
        let top = self.session.top_directory.get().unwrap_or(&self.real_directory);
        let frame = pass::Frame {
            settings: &self.session.settings,
            name: &self.name,
            element_path: &self.element_path,
            junction: self.junction.as_ref(),
            real_directory: &self.real_directory,
            top_directory: top,
            first: false,
        };
        let config = Config::load(&mut composed, &frame)?;
        check_top_keys(&composed)?;
        self.check_place_of_keys(&composed)?;

        let mut fatal_warnings = self.fatal_warnings.clone();
        let overlap = composed.bool("fail-on-overlap")?.unwrap_or(false);
        if overlap && !fatal_warnings.iter().any(|warning| warning == OVERLAPS) {
            fatal_warnings.push(OVERLAPS.to_owned());
        }
        fatal_warnings.sort();
        let refs = match self.ref_storage {
            RefStorage::ProjectRefs => Refs::load(&self.directory, "project.refs", &config.options)?,
            RefStorage::Inline => Refs::default(),
        };
        check_shell(composed.require("shell")?.mapping()?)?;
        let own_provenance = own.mapping("source-provenance-attributes")?.filter(|mapping| !mapping.is_empty());
        let provenance = match own_provenance {
            Some(own) => own.clone(),
            None => composed.require("source-provenance-attributes")?.mapping()?.clone(),
        };
        let list = |key| Ok::<_, Error>(composed.list(key)?.cloned().unwrap_or_else(|| self.no_list()));
        Ok(Full {
            environment: composed.require("environment")?.mapping()?.clone(),
            environment_nocache: owned(&composed.require("environment-nocache")?.list()?.texts()?),
            sandbox: composed.require("sandbox")?.mapping()?.clone(),
            split_rules: composed.require("split-rules")?.mapping()?.clone(),
            fatal_warnings,
            refs,
            provenance: provenance.iter().map(|(key, _)| key.clone()).collect(),
            artifacts: list("artifacts")?,
            source_caches: list("source-caches")?,
            config,
        })
    }

    fn no_list(&self) -> List {
        List::new(Vec::new(), super::mark::Mark::synthetic())
    }

    /// Refuses what an included file says although only project.conf itself may.
    fn check_place_of_keys(&self, composed: &Mapping) -> Result<()> {
        for key in ["name", "element-path", "min-version", "plugins"] {
            let Some(node) = composed.get(key) else { continue };
            let file = node.mark().file;
            let own = self.text.mark.file;
            if file != own && !file.name().is_empty() {
                let message = format!("\"{key}\" stands in an included file; write it in {FILE} itself");
                return Err(Error::load("invalid-data", message).at(node.mark().place()));
            }
        }
        Ok(())
    }

    /// What an element of this project sees of it.
    pub fn config(self: &Arc<Project>, first_pass: bool) -> Result<&Config> {
        if first_pass { Ok(&self.first) } else { Ok(&self.full()?.config) }
    }

    /// The settings of the session.
    pub fn settings(&self) -> &Settings {
        &self.session.settings
    }

    /// The name under which errors show one of its files.
    pub fn display(&self, name: &str) -> String {
        display(self.junction.as_ref(), name)
    }

    /// Whether a warning is an error here.
    pub fn is_fatal(&self, warning: &str) -> bool {
        self.fatal_warnings.iter().any(|fatal| fatal == warning)
    }

    /// The fatal warnings as project.conf has them, sorted, for elements that see the first pass only.
    pub fn early_fatal_warnings(&self) -> Vec<String> {
        match self.full.get() {
            Some(Ok(full)) => full.fatal_warnings.clone(),
            _ => {
                let mut warnings = self.fatal_warnings.clone();
                warnings.sort();
                warnings
            }
        }
    }
}

impl include::Scope for Arc<Project> {
    fn root(&self) -> &Root {
        &self.root
    }

    fn display(&self, name: &str) -> String {
        Project::display(self, name)
    }

    fn options(&self) -> Result<Options> {
        Ok(self.full()?.config.options.clone())
    }

    fn cross(&self, junction: &Scalar, file: &str, shown: &str) -> Result<(Arc<dyn include::Scope>, Mapping)> {
        let other = self.through(&junction.text, Some(junction.mark))?;
        self.note_included(&junction.text, &other);
        let full = other.full()?;
        let at = Scalar::new(shown, junction.mark);
        let mut content = include::Scope::read(&other, file, shown).map_err(|error| include::included(&error, &at))?;
        super::variables::Variables::new(full.config.variables.clone())?.expand_mapping(&mut content)?;
        Ok((Arc::new(other), content))
    }
}

/// A project of which nothing but its place is known yet.
struct Local<'a> {
    root: &'a Root,
    junction: Option<&'a Junction>,
}

impl include::Scope for Local<'_> {
    fn root(&self) -> &Root {
        self.root
    }

    fn display(&self, name: &str) -> String {
        display(self.junction, name)
    }

    fn options(&self) -> Result<Options> {
        Ok(Options::new())
    }

    fn cross(&self, junction: &Scalar, _: &str, _: &str) -> Result<(Arc<dyn include::Scope>, Mapping)> {
        Err(junction.expected("a file of this project"))
    }
}

fn display(junction: Option<&Junction>, name: &str) -> String {
    match junction {
        Some(junction) => format!("{}:{name}", junction.name),
        None => name.to_owned(),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn no_project(error: Error) -> Error {
    match error.reason() {
        Some("missing-file") => Error::load("missing-project-conf", error.message()),
        _ => error,
    }
}

fn check_top_keys(node: &Mapping) -> Result<()> {
    node.check_keys(&[
        "min-version",
        "element-path",
        "variables",
        "environment",
        "environment-nocache",
        "split-rules",
        "elements",
        "plugins",
        "aliases",
        "name",
        "defaults",
        "artifacts",
        "options",
        "fail-on-overlap",
        "shell",
        "fatal-warnings",
        "ref-storage",
        "sandbox",
        "mirrors",
        "sources",
        "source-caches",
        "junctions",
        "source-provenance-attributes",
        "(@)",
        compose::CONDITIONALS,
    ])
}

fn check_version(node: &Mapping) -> Result<()> {
    let Some(scalar) = node.scalar("min-version")? else {
        let message =
            "expected a value for \"min-version\", found none; it is 2.0 or higher for projects of BuildStream 2";
        return Err(Error::load("invalid-data", message).at(node.mark.place()));
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let mut parts = scalar.text.split('.');
    let (Some(major), Some(minor)) = (parts.next().and_then(number), parts.next().and_then(number)) else {
        return Err(scalar.expected("a version MAJOR.MINOR"));
    };
    if major != VERSION.0 || minor > VERSION.1 {
        let message = format!(
            "the project wants BuildStream {major}.{minor}; what is read here are projects of {}.0 to {}.{}",
            VERSION.0, VERSION.0, VERSION.1
        );
        return Err(Error::load("unsupported-project", message).at(scalar.mark.place()));
    }
    Ok(())
}

/// `shell` is of no use here, but a mistake in it is one.
fn check_shell(shell: &Mapping) -> Result<()> {
    shell.check_keys(&["command", "environment", "host-files"])?;
    shell.require("command")?.list()?.texts()?;
    if let Some(environment) = shell.mapping("environment")? {
        environment.iter().try_for_each(|(_, value)| value.scalar().map(|_| ()))?;
    }
    for file in shell.list("host-files")?.map_or(&[][..], |list| &list.items[..]) {
        if let Node::Mapping(mapping) = file {
            mapping.check_keys(&["path", "host_path", "optional"])?;
            mapping.require_text("path")?;
            mapping.text("host_path")?;
            mapping.bool("optional")?;
        }
    }
    Ok(())
}

/// The directory of the project that `start` lies in: the first one upward with project.conf, or the project
/// that a workspace's marker names, with the workspace's element.
pub fn find(start: &Path) -> Result<(PathBuf, Option<String>)> {
    for directory in start.ancestors() {
        if directory.join(FILE).exists() {
            return Ok((directory.to_owned(), None));
        }
        let marker = directory.join(super::workspaces::MARKER);
        if marker.exists() {
            let (project, element) = super::workspaces::owner(&marker)?;
            return Ok((project, Some(element)));
        }
    }
    let message = format!("there is no {FILE} in {} or above it; name a project with -C DIR", start.display());
    Err(Error::load("missing-project-conf", message).at(Place { file: String::new(), line: 0, column: 0 }))
}
