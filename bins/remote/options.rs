//! From the command line and the configuration to servers.

use crate::caches::Caches;
use crate::wire::server::Compress;
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::edge::environment;
use bst_plumbing::project::remotes::{CacheServers, Choice, Remote};
use bst_plumbing::project::userconfig::{Paths, ProjectConfig, UserConfig};
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::{Error, Record, Result, record::By};
use std::collections::HashMap;
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
    ignore_projects: bool,
    compress: Compress,
    made: Mutex<HashMap<String, Arc<Caches>>>,
}

impl Servers {
    /// From the command line and the configuration.
    pub fn new(program: &'static str, what: What, arguments: &Arguments) -> Result<Servers> {
        let directory = std::env::current_dir().ok();
        let paths = Paths { expand: &environment::expand, base: directory.as_deref() };
        let (flag, ignore) = what.flags();
        let mut command_line = Vec::new();
        for value in arguments.values(flag) {
            let text = value.to_str().ok_or_else(|| Error::usage(format!("--{flag}: expected UTF-8")))?;
            command_line.push(Remote::from_option(text, &paths)?);
        }
        Ok(Servers {
            program,
            what,
            command_line,
            user: environment::user_config(None)?,
            ignore_projects: arguments.has(ignore),
            compress: match arguments.text("compress")? {
                Some("always") => Compress::Always,
                Some("never") => Compress::Never,
                _ => Compress::Auto,
            },
            made: Mutex::default(),
        })
    }

    /// The servers of a project.
    pub fn of(&self, project: &str) -> Arc<Caches> {
        let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(caches) = made.get(project) {
            return caches.clone();
        }
        let choice = Choice {
            command_line: &self.command_line,
            ignore_projects: self.ignore_projects,
            for_project: self.user.project(project).and_then(|project| self.what.of_project(project)),
            global: Some(self.what.of_user(&self.user)),
            recommended: &[],
        };
        let resolved = choice.resolve();
        let same = made.values().find(|caches| caches.remotes().eq(resolved.iter())).cloned();
        let caches = same.unwrap_or_else(|| {
            Arc::new(Caches::new(&resolved, self.compress, |error| {
                eprintln!("{}: {error}; the server is left out", self.program);
            }))
        });
        made.insert(project.to_owned(), caches.clone());
        caches
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
