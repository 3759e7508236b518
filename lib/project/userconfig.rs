//! The user's configuration: buildstream.conf.

use super::node::{List, Mapping};
use super::remotes::{CacheServers, Purpose, Remote, RemoteExecution};
use super::yaml;
use crate::values::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What the file says, and BuildStream's defaults for what it does not say.
#[derive(Debug, Default)]
pub struct UserConfig {
    /// Where it was read from.
    pub file: Option<PathBuf>,
    pub directories: Directories,
    pub cache: Cache,
    pub scheduler: Scheduler,
    pub build: Build,
    /// Where sources may be fetched from.
    pub fetch: UriPolicy,
    /// Where sources may be tracked.
    pub track: UriPolicy,
    pub logging: Logging,
    pub artifacts: CacheServers,
    pub source_caches: CacheServers,
    pub remote_execution: Option<RemoteExecution>,
    projects: HashMap<String, ProjectConfig>,
}

/// Directories that the file names; `None` where it does not.
#[derive(Debug, Default)]
pub struct Directories {
    /// The store.
    pub cache: Option<PathBuf>,
    pub source: Option<PathBuf>,
    pub log: Option<PathBuf>,
    pub workspace: Option<PathBuf>,
}

/// `cache`.
#[derive(Debug)]
pub struct Cache {
    /// As written: `infinity`, `50%`, `10G`.
    pub quota: String,
    pub reserved_disk_space: String,
    pub low_watermark: String,
    pub pull_buildtrees: bool,
    pub cache_buildtrees: CacheBuildtrees,
    pub storage_service: Option<Remote>,
}

/// When build trees are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheBuildtrees {
    Always,
    /// Of failures, and where an element asks for it.
    Auto,
    Never,
}

/// `scheduler`.
#[derive(Debug)]
pub struct Scheduler {
    pub fetchers: u64,
    pub builders: u64,
    pub pushers: u64,
    pub network_retries: u64,
    /// `continue`, `quit` or `terminate`.
    pub on_error: String,
}

/// `build`.
#[derive(Debug)]
pub struct Build {
    /// 0: as many as there are processors, at most 8.
    pub max_jobs: u64,
    pub retry_failed: bool,
    /// `none`, `run` or `all`.
    pub dependencies: String,
}

/// Which URLs of an alias may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UriPolicy {
    /// Mirrors and the alias's own.
    #[default]
    All,
    /// The alias's own.
    Aliases,
    /// Mirrors.
    Mirrors,
    /// Mirrors that the user configured.
    User,
}

/// `logging`, as far as it is of use here.
#[derive(Debug)]
pub struct Logging {
    pub key_length: u64,
    pub error_lines: u64,
}

/// `projects: NAME`.
#[derive(Clone, Debug, Default)]
pub struct ProjectConfig {
    pub options: Option<Mapping>,
    pub strict: Option<bool>,
    pub default_mirror: Option<String>,
    /// Instead of the project's own; an empty list switches mirrors off.
    pub mirrors: Option<List>,
    pub artifacts: Option<CacheServers>,
    pub source_caches: Option<CacheServers>,
    pub remote_execution: Option<RemoteExecution>,
}

impl Default for Cache {
    fn default() -> Cache {
        Cache {
            quota: "infinity".to_owned(),
            reserved_disk_space: "5%".to_owned(),
            low_watermark: "80%".to_owned(),
            pull_buildtrees: false,
            cache_buildtrees: CacheBuildtrees::Auto,
            storage_service: None,
        }
    }
}

impl Default for Scheduler {
    fn default() -> Scheduler {
        Scheduler { fetchers: 10, builders: 4, pushers: 4, network_retries: 2, on_error: "quit".to_owned() }
    }
}

impl Default for Build {
    fn default() -> Build {
        Build { max_jobs: 0, retry_failed: false, dependencies: "run".to_owned() }
    }
}

impl Default for Logging {
    fn default() -> Logging {
        Logging { key_length: 8, error_lines: 20 }
    }
}

impl UserConfig {
    /// Reads a file. `expand` puts the home and environment variables into a path, as a shell would.
    pub fn load(path: &Path, expand: &dyn Fn(&str) -> String) -> Result<UserConfig> {
        let node = yaml::load(path, &path.display().to_string())?;
        let mut config = UserConfig::read(&node, &Paths { expand, base: None })?;
        config.file = Some(path.to_owned());
        Ok(config)
    }

    fn read(node: &Mapping, paths: &Paths) -> Result<UserConfig> {
        for (old, instead) in [("builddir", "cachedir"), ("artifactdir", "cachedir")] {
            if let Some(found) = node.get(old) {
                let message = format!("\"{old}\" is no longer used; set \"{instead}\"");
                return Err(Error::load("invalid-data", message).at(found.mark().place()));
            }
        }
        node.check_keys(&[
            "cachedir",
            "sourcedir",
            "logdir",
            "workspacedir",
            "scheduler",
            "build",
            "fetch",
            "track",
            "artifacts",
            "source-caches",
            "logging",
            "projects",
            "cache",
            "remote-execution",
        ])?;
        let empty = Mapping::empty();
        let section = |key| Ok::<_, Error>(node.mapping(key)?.unwrap_or(&empty));
        let cache = read_cache(section("cache")?, paths)?;
        let shared = cache.storage_service.is_some();
        Ok(UserConfig {
            file: None,
            directories: Directories {
                cache: directory(node, "cachedir", paths)?,
                source: directory(node, "sourcedir", paths)?,
                log: directory(node, "logdir", paths)?,
                workspace: node.scalar("workspacedir")?.map(|scalar| PathBuf::from((paths.expand)(&scalar.text))),
            },
            scheduler: read_scheduler(section("scheduler")?)?,
            build: read_build(section("build")?)?,
            fetch: policy(section("fetch")?, UriPolicy::All)?,
            track: policy(section("track")?, UriPolicy::Aliases)?,
            logging: read_logging(section("logging")?)?,
            artifacts: CacheServers::read(section("artifacts")?, paths)?,
            source_caches: CacheServers::read(section("source-caches")?, paths)?,
            remote_execution: node
                .mapping("remote-execution")?
                .map(|it| RemoteExecution::read(it, paths, shared))
                .transpose()?,
            projects: section("projects")?
                .iter()
                .map(|(name, node)| Ok((name.to_string(), project(node.mapping()?, paths, shared)?)))
                .collect::<Result<_>>()?,
            cache,
        })
    }

    /// What it says for a project.
    pub fn project(&self, name: &str) -> Option<&ProjectConfig> {
        self.projects.get(name)
    }
}

/// How the paths of a file are read.
pub struct Paths<'a> {
    /// Puts the home and environment variables into a path.
    pub expand: &'a dyn Fn(&str) -> String,
    /// What relative paths are relative to.
    pub base: Option<&'a Path>,
}

impl Paths<'_> {
    /// The path that a text means.
    pub fn resolve(&self, text: &str) -> PathBuf {
        let path = PathBuf::from((self.expand)(text));
        match self.base {
            Some(base) => base.join(path),
            None => path,
        }
    }
}

fn directory(node: &Mapping, key: &str, paths: &Paths) -> Result<Option<PathBuf>> {
    let Some(scalar) = node.scalar(key)? else { return Ok(None) };
    let path = PathBuf::from((paths.expand)(&scalar.text));
    if path.is_absolute() { Ok(Some(path.components().collect())) } else { Err(scalar.expected("an absolute path")) }
}

pub(super) fn choice<'a>(node: &'a Mapping, key: &str, valid: &[&str]) -> Result<Option<&'a str>> {
    let Some(scalar) = node.scalar(key)? else { return Ok(None) };
    if valid.contains(&&*scalar.text) { Ok(Some(&scalar.text)) } else { Err(scalar.expected(&valid.join(" or "))) }
}

pub(super) fn count(node: &Mapping, key: &str) -> Result<Option<u64>> {
    let Some(scalar) = node.scalar(key)? else { return Ok(None) };
    u64::try_from(scalar.int()?).map(Some).map_err(|_| scalar.expected("a number that is not negative"))
}

fn read_cache(node: &Mapping, paths: &Paths) -> Result<Cache> {
    node.check_keys(&[
        "quota",
        "reserved-disk-space",
        "low-watermark",
        "storage-service",
        "pull-buildtrees",
        "cache-buildtrees",
    ])?;
    let default = Cache::default();
    let text = |key, default| Ok::<_, Error>(node.text(key)?.map_or(default, str::to_owned));
    Ok(Cache {
        quota: text("quota", default.quota)?,
        reserved_disk_space: text("reserved-disk-space", default.reserved_disk_space)?,
        low_watermark: text("low-watermark", default.low_watermark)?,
        pull_buildtrees: node.bool("pull-buildtrees")?.unwrap_or(default.pull_buildtrees),
        cache_buildtrees: match choice(node, "cache-buildtrees", &["always", "auto", "never"])? {
            Some("always") => CacheBuildtrees::Always,
            Some("never") => CacheBuildtrees::Never,
            _ => CacheBuildtrees::Auto,
        },
        storage_service: node
            .mapping("storage-service")?
            .map(|node| Remote::read(node, paths, Purpose::Cache))
            .transpose()?,
    })
}

fn read_scheduler(node: &Mapping) -> Result<Scheduler> {
    node.check_keys(&["on-error", "fetchers", "builders", "pushers", "network-retries"])?;
    let default = Scheduler::default();
    Ok(Scheduler {
        fetchers: count(node, "fetchers")?.unwrap_or(default.fetchers),
        builders: count(node, "builders")?.unwrap_or(default.builders),
        pushers: count(node, "pushers")?.unwrap_or(default.pushers),
        network_retries: count(node, "network-retries")?.unwrap_or(default.network_retries),
        on_error: choice(node, "on-error", &["continue", "quit", "terminate"])?.map_or(default.on_error, str::to_owned),
    })
}

fn read_build(node: &Mapping) -> Result<Build> {
    node.check_keys(&["max-jobs", "retry-failed", "dependencies"])?;
    let default = Build::default();
    Ok(Build {
        max_jobs: count(node, "max-jobs")?.unwrap_or(default.max_jobs),
        retry_failed: node.bool("retry-failed")?.unwrap_or(default.retry_failed),
        dependencies: choice(node, "dependencies", &["none", "run", "all"])?
            .map_or(default.dependencies, str::to_owned),
    })
}

fn read_logging(node: &Mapping) -> Result<Logging> {
    node.check_keys(&[
        "key-length",
        "verbose",
        "error-lines",
        "message-lines",
        "debug",
        "element-format",
        "message-format",
        "throttle-ui-updates",
    ])?;
    let default = Logging::default();
    Ok(Logging {
        key_length: count(node, "key-length")?.unwrap_or(default.key_length),
        error_lines: count(node, "error-lines")?.unwrap_or(default.error_lines),
    })
}

fn policy(node: &Mapping, default: UriPolicy) -> Result<UriPolicy> {
    node.check_keys(&["source"])?;
    Ok(match choice(node, "source", &["all", "aliases", "mirrors", "user"])? {
        Some("all") => UriPolicy::All,
        Some("aliases") => UriPolicy::Aliases,
        Some("mirrors") => UriPolicy::Mirrors,
        Some(_) => UriPolicy::User,
        None => default,
    })
}

fn project(node: &Mapping, paths: &Paths, shared: bool) -> Result<ProjectConfig> {
    node.check_keys(&[
        "artifacts",
        "source-caches",
        "options",
        "strict",
        "default-mirror",
        "remote-execution",
        "mirrors",
    ])?;
    Ok(ProjectConfig {
        options: node.mapping("options")?.cloned(),
        strict: node.bool("strict")?,
        default_mirror: node.text("default-mirror")?.map(str::to_owned),
        mirrors: node.list("mirrors")?.cloned(),
        artifacts: node.mapping("artifacts")?.map(|node| CacheServers::read(node, paths)).transpose()?,
        source_caches: node.mapping("source-caches")?.map(|node| CacheServers::read(node, paths)).transpose()?,
        remote_execution: node
            .mapping("remote-execution")?
            .map(|node| RemoteExecution::read(node, paths, shared))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::mark::File;
    use crate::project::remotes::Holds;

    fn read(text: &str) -> Result<UserConfig> {
        let node = yaml::parse(text, File::named("buildstream.conf")).expect("YAML");
        UserConfig::read(&node, &Paths { expand: &|text| text.replace('~', "/home/me"), base: None })
    }

    #[test]
    fn what_is_said_and_what_is_not() {
        let config = read(
            "cachedir: ~/cache/\nbuild: {max-jobs: 3}\nprojects:\n  p:\n    strict: False\n    options: {a: b}\n\
             artifacts:\n  servers:\n  - url: https://a\n    push: True\n    auth: {server-cert: ~/c}\n",
        )
        .expect("a configuration");
        assert_eq!(config.directories.cache.as_deref(), Some(Path::new("/home/me/cache")));
        assert_eq!((config.build.max_jobs, config.scheduler.builders), (3, 4));
        assert_eq!(config.project("p").and_then(|project| project.strict), Some(false));
        assert!(config.project("q").is_none());
        let server = &config.artifacts.servers[0];
        assert_eq!((&*server.url, server.push, server.holds), ("https://a", true, Holds::All));
        assert_eq!(server.auth.server_cert.as_deref(), Some(Path::new("/home/me/c")));
        assert_eq!((config.fetch, config.track), (UriPolicy::All, UriPolicy::Aliases));
    }

    #[test]
    fn mistakes_are_named_where_they_stand() {
        for (text, line, column) in [
            ("cachedir: relative", 1, 10),
            ("unknown: x", 1, 9),
            ("builddir: /x", 1, 10),
            ("build:\n  max-jobs: many", 2, 12),
            ("scheduler: {on-error: explode}", 1, 22),
            ("artifacts: {servers: [{url: \"\"}]}", 1, 28),
            ("projects: {p: {pony: x}}", 1, 21),
            ("artifacts: {servers: [{url: x, auth: {client-key: x}}]}", 1, 37),
        ] {
            let error = read(text).expect_err(text);
            let place = error.place().expect("a place");
            assert_eq!((place.line, place.column), (line, column), "{text}: {error}");
        }
    }
}
