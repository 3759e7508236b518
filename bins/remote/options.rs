//! From the command line and the configuration to servers.

use crate::caches::Caches;
use crate::wire::server::Compress;
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::edge::environment;
use bst_plumbing::project::helper::Helpers;
use bst_plumbing::project::plugins::python::Environments;
use bst_plumbing::project::recommended::{Recommendations, Recommended};
use bst_plumbing::project::remotes::{CacheServers, Choice, Remote};
use bst_plumbing::project::settings::Settings;
use bst_plumbing::project::userconfig::{Paths, ProjectConfig, UserConfig};
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::{Error, Record, Result, record::By};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// How many records are treated at once, unless the command line says so.
const JOBS: usize = 4;

/// Which caches are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Artifacts,
    Sources,
}

impl What {
    /// The flags that name servers, and that leave out those of projects: BuildStream's.
    fn flags(self) -> (&'static str, &'static str) {
        match self {
            What::Artifacts => ("artifact-remote", "ignore-project-artifact-remotes"),
            What::Sources => ("source-remote", "ignore-project-source-remotes"),
        }
    }

    fn of_user(self, user: &UserConfig) -> &CacheServers {
        match self {
            What::Artifacts => &user.artifacts,
            What::Sources => &user.source_caches,
        }
    }

    fn recommended(self, recommendations: Recommendations) -> Vec<Remote> {
        match self {
            What::Artifacts => recommendations.artifacts,
            What::Sources => recommendations.source_caches,
        }
    }

    fn of_project(self, project: &ProjectConfig) -> Option<&CacheServers> {
        match self {
            What::Artifacts => project.artifacts.as_ref(),
            What::Sources => project.source_caches.as_ref(),
        }
    }
}

/// The servers of each project, made when they are asked for.
pub struct Servers {
    program: &'static str,
    what: What,
    command_line: Vec<Remote>,
    user: UserConfig,
    compress: Compress,
    state: Mutex<State>,
}

struct State {
    /// By project, and the junctions that lead to it.
    made: HashMap<(String, String), Arc<Caches>>,
    /// Whose recommendations are heard, if anybody's.
    project: Option<Recommended>,
}

impl Servers {
    /// From the command line and the configuration. `arguments` may name the project by `--directory`; the
    /// current directory need not be one.
    pub fn new(program: &'static str, what: What, arguments: &Arguments) -> Result<Servers> {
        let directory = std::env::current_dir().ok();
        let paths = Paths { expand: &environment::expand, base: directory.as_deref() };
        let (flag, ignore) = what.flags();
        let mut command_line = Vec::new();
        for value in arguments.values(flag) {
            let text = value.to_str().ok_or_else(|| Error::usage(format!("--{flag}: expected UTF-8")))?;
            command_line.push(Remote::from_option(text, &paths)?);
        }
        let project = if arguments.has(ignore) { None } else { project(arguments)? };
        Ok(Servers {
            program,
            what,
            command_line,
            user: environment::user_config(None)?,
            compress: match arguments.text("compress")? {
                Some("always") => Compress::Always,
                Some("never") => Compress::Never,
                _ => Compress::Auto,
            },
            state: Mutex::new(State { made: HashMap::new(), project }),
        })
    }

    /// The servers for an element, given by its project's name and its full name.
    pub fn of(&self, project: &str, element: &str) -> Arc<Caches> {
        let junctions = element.rsplit_once(':').map_or("", |(junctions, _)| junctions);
        let place = (project.to_owned(), junctions.to_owned());
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(caches) = state.made.get(&place) {
            return caches.clone();
        }
        let for_project = self.user.project(project).and_then(|project| self.what.of_project(project));
        let global = self.what.of_user(&self.user);
        let heard = !global.override_projects && !for_project.is_some_and(|caches| caches.override_projects);
        let recommended = if heard { self.recommended(state.project.as_ref(), element) } else { Vec::new() };
        let choice = Choice {
            command_line: &self.command_line,
            ignore_projects: !heard,
            for_project,
            global: Some(global),
            recommended: &recommended,
        };
        let resolved = choice.resolve();
        let same = state.made.values().find(|caches| caches.remotes().eq(resolved.iter())).cloned();
        let caches = same.unwrap_or_else(|| {
            Arc::new(Caches::new(&resolved, self.compress, |error| {
                eprintln!("{}: {error}; the server is left out", self.program);
            }))
        });
        state.made.insert(place, caches.clone());
        caches
    }

    fn recommended(&self, project: Option<&Recommended>, element: &str) -> Vec<Remote> {
        let Some(project) = project else { return Vec::new() };
        match project.of(element, &environment::expand) {
            Ok(recommendations) => self.what.recommended(recommendations),
            Err(error) => {
                eprintln!("{}: {error}; what the project of {element} recommends is left out", self.program);
                Vec::new()
            }
        }
    }
}

/// The project whose recommendations are heard: one that is named must be there, the current directory need
/// not be one.
fn project(arguments: &Arguments) -> Result<Option<Recommended>> {
    let named = arguments.value("directory").map(Path::new);
    let place = named.unwrap_or(Path::new("."));
    let directory = std::path::absolute(place).map_err(|error| Error::io("cannot find", place, error))?;
    let machine = environment::machine();
    let user = environment::user_config(None)?;
    let settings = Settings {
        threads: machine.processors,
        machine,
        options: Vec::new(),
        max_jobs: None,
        python: Environments::new(environment::python()),
        // No element is loaded.
        helpers: Helpers::new(Vec::new(), None),
        store: environment::store_of(&user).ok(),
        user,
    };
    match Recommended::load(settings, &directory) {
        Ok(project) => Ok(Some(project)),
        Err(error) if named.is_none() && error.reason() == Some("missing-project-conf") => Ok(None),
        Err(error) => Err(error),
    }
}

/// `--jobs`.
pub fn jobs(arguments: &Arguments) -> Result<usize> {
    match arguments.parsed("jobs", "a number from 1 to 1000")? {
        None => Ok(JOBS),
        Some(jobs @ 1..=1000) => Ok(jobs),
        Some(_) => Err(Error::usage("--jobs wants a number from 1 to 1000")),
    }
}

/// The names under which the artifact of a record is looked for, best first.
pub fn names(record: &Record, non_strict: bool) -> Result<Vec<(By, ArtifactName)>> {
    let mut names = vec![(By::Strict, record.artifact_name(record.require("key")?)?)];
    if non_strict {
        if let Some(weak) = record.get("weak_key")? {
            let name = record.artifact_name(weak)?;
            if name != names[0].1 {
                names.push((By::Weak, name));
            }
        }
    }
    Ok(names)
}
