//! The servers of a configuration: where artifacts, sources and actions are kept, and where builds run, as
//! BuildStream's users write it in project.conf, in buildstream.conf and on the command line.

use super::node::{List, Mapping};
use super::userconfig::{Paths, choice, count};
use crate::values::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// What a server of a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Holds {
    /// Which artifact a name stands for.
    Index,
    /// The blobs.
    Storage,
    #[default]
    All,
}

impl Holds {
    /// Whether names are looked up there.
    pub fn index(self) -> bool {
        self != Holds::Storage
    }

    /// Whether blobs are there.
    pub fn storage(self) -> bool {
        self != Holds::Index
    }

    fn from_word(word: &str) -> Option<Holds> {
        match word {
            "index" => Some(Holds::Index),
            "storage" => Some(Holds::Storage),
            "all" => Some(Holds::All),
            _ => None,
        }
    }
}

/// Files that say who the other side is, and who we are.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Auth {
    /// Certificates that the server's is checked against, PEM; absent: those of the system.
    pub server_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub client_cert: Option<PathBuf>,
    /// Its content goes along with every call.
    pub access_token: Option<PathBuf>,
    /// How often the token is read again.
    pub access_token_reload: Option<Duration>,
}

/// How a server is spoken to. What is absent is chosen by the client.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Connection {
    pub keepalive_time: Option<Duration>,
    pub retry_limit: Option<u32>,
    pub retry_delay: Option<Duration>,
    pub request_timeout: Option<Duration>,
}

/// One server.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Remote {
    pub url: String,
    pub instance_name: Option<String>,
    pub holds: Holds,
    pub push: bool,
    pub auth: Auth,
    pub connection: Connection,
}

/// Which keys a server's mapping may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A cache of artifacts or sources.
    Cache,
    /// A service of remote execution.
    Service,
    /// The action cache of remote execution.
    ActionCache,
}

impl Remote {
    /// Reads a server's mapping.
    pub fn read(mapping: &Mapping, paths: &Paths<'_>, purpose: Purpose) -> Result<Remote> {
        let mut keys = vec!["url", "instance-name", "auth", "connection-config"];
        if purpose == Purpose::Cache {
            keys.push("type");
        }
        if purpose != Purpose::Service {
            keys.push("push");
        }
        let holds = match choice(mapping, "type", &["all", "index", "storage"])? {
            Some("index") => Holds::Index,
            Some("storage") => Holds::Storage,
            _ => Holds::All,
        };
        let push = mapping.bool("push")?.unwrap_or(false);
        mapping.check_keys(&keys)?;
        let url = mapping.require("url")?.scalar()?;
        if url.text.is_empty() {
            return Err(url.expected("the URL of a server"));
        }
        Ok(Remote {
            url: url.text.to_string(),
            instance_name: mapping.text("instance-name")?.filter(|name| !name.is_empty()).map(str::to_owned),
            holds,
            push,
            auth: mapping.mapping("auth")?.map_or(Ok(Auth::default()), |auth| Auth::read(auth, paths))?,
            connection: mapping.mapping("connection-config")?.map_or(Ok(Connection::default()), Connection::read)?,
        })
    }

    /// Reads a server from the command line: a URL, or `url=URL,push=True,...` with the keys of a mapping.
    /// Unlike in a file a server is one to push to unless it says otherwise.
    pub fn from_option(text: &str, paths: &Paths<'_>) -> Result<Remote> {
        let mut remote = Remote { push: true, ..Remote::default() };
        if !text.contains(',') && !text.starts_with("url=") {
            remote.url = text.to_owned();
        } else {
            for pair in text.split(',') {
                remote.set(pair, text, paths)?;
            }
        }
        if remote.url.is_empty() {
            return Err(Error::usage(format!("\"{}\" names no server; write url=URL", text.escape_default())));
        }
        remote.auth.check().map_err(|message| Error::usage(format!("\"{}\": {message}", text.escape_default())))?;
        Ok(remote)
    }

    fn set(&mut self, pair: &str, whole: &str, paths: &Paths<'_>) -> Result<()> {
        let refused = |what: &str| Error::usage(format!("server \"{}\": {what}", whole.escape_default()));
        let Some((key, value)) = pair.split_once('=') else {
            return Err(refused(&format!("expected KEY=VALUE, found \"{}\"", pair.escape_default())));
        };
        let path = || Some(paths.resolve(value));
        match key {
            "url" => self.url = value.to_owned(),
            "instance-name" => self.instance_name = Some(value.to_owned()).filter(|name| !name.is_empty()),
            "type" => {
                self.holds =
                    Holds::from_word(value).ok_or_else(|| refused("expected type=index, type=storage or type=all"))?;
            }
            "push" => {
                self.push = match value {
                    "True" | "true" => true,
                    "False" | "false" => false,
                    _ => return Err(refused("expected push=True or push=False")),
                }
            }
            "server-cert" => self.auth.server_cert = path(),
            "client-key" => self.auth.client_key = path(),
            "client-cert" => self.auth.client_cert = path(),
            "access-token" => self.auth.access_token = path(),
            _ => {
                return Err(refused(&format!(
                    "there is no key \"{}\"; expected url, type, push, instance-name, server-cert, client-key, \
                     client-cert or access-token",
                    key.escape_default()
                )));
            }
        }
        Ok(())
    }
}

impl Auth {
    fn read(mapping: &Mapping, paths: &Paths<'_>) -> Result<Auth> {
        mapping.check_keys(&[
            "server-cert",
            "client-key",
            "client-cert",
            "access-token",
            "access-token-reload-interval",
        ])?;
        let path = |key| Ok::<_, Error>(mapping.text(key)?.filter(|text| !text.is_empty()).map(|it| paths.resolve(it)));
        let auth = Auth {
            server_cert: path("server-cert")?,
            client_key: path("client-key")?,
            client_cert: path("client-cert")?,
            access_token: path("access-token")?,
            access_token_reload: count(mapping, "access-token-reload-interval")?
                .map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        };
        auth.check().map_err(|message| invalid(message).at(mapping.mark.place()))?;
        Ok(auth)
    }

    fn check(&self) -> Result<(), &'static str> {
        match (&self.client_key, &self.client_cert) {
            (Some(_), None) => Err("client-key stands without client-cert; give both"),
            (None, Some(_)) => Err("client-cert stands without client-key; give both"),
            _ => Ok(()),
        }
    }
}

impl Connection {
    fn read(mapping: &Mapping) -> Result<Connection> {
        mapping.check_keys(&["keepalive-time", "retry-limit", "retry-delay", "request-timeout"])?;
        let limit = count(mapping, "retry-limit")?.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
        Ok(Connection {
            keepalive_time: count(mapping, "keepalive-time")?.map(Duration::from_secs),
            retry_limit: limit,
            retry_delay: count(mapping, "retry-delay")?.map(Duration::from_millis),
            // 0 is "as long as it takes" where the client does not say how long that is.
            request_timeout: count(mapping, "request-timeout")?.filter(|&n| n > 0).map(Duration::from_secs),
        })
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::load("invalid-data", message)
}

/// The servers of one cache in the user's configuration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CacheServers {
    /// Whether what projects recommend is left out.
    pub override_projects: bool,
    pub servers: Vec<Remote>,
}

impl CacheServers {
    /// Reads `artifacts` or `source-caches` of the user's configuration, or of one project in it.
    pub fn read(mapping: &Mapping, paths: &Paths<'_>) -> Result<CacheServers> {
        mapping.check_keys(&["override-project-caches", "servers"])?;
        Ok(CacheServers {
            override_projects: mapping.bool("override-project-caches")?.unwrap_or(false),
            servers: mapping.list("servers")?.map_or(Ok(Vec::new()), |list| servers(list, paths))?,
        })
    }
}

/// Reads a list of servers, which is also what project.conf has as `artifacts` and `source-caches`.
pub fn servers(list: &List, paths: &Paths<'_>) -> Result<Vec<Remote>> {
    list.items.iter().map(|item| Remote::read(item.mapping()?, paths, Purpose::Cache)).collect()
}

/// What speaks for which server: the command line before what the user says of the project before what the
/// user says of all projects; what projects recommend stands behind, unless somebody overrides it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    pub command_line: &'a [Remote],
    /// Whether the command line leaves out what projects recommend.
    pub ignore_projects: bool,
    pub for_project: Option<&'a CacheServers>,
    pub global: Option<&'a CacheServers>,
    /// Those of the project, those of the projects that it is a part of before them.
    pub recommended: &'a [Remote],
}

impl Choice<'_> {
    /// The servers, best first, each once.
    pub fn resolve(self) -> Vec<Remote> {
        let own = self.for_project.map_or(&[][..], |caches| &caches.servers);
        let global = self.global.map_or(&[][..], |caches| &caches.servers);
        let first = [self.command_line, own, global].into_iter().find(|list| !list.is_empty()).unwrap_or(&[]);
        let overridden = self.ignore_projects
            || self.for_project.is_some_and(|caches| caches.override_projects)
            || self.global.is_some_and(|caches| caches.override_projects);
        let behind = if overridden { &[] } else { self.recommended };
        let mut resolved: Vec<Remote> = Vec::new();
        for remote in first.iter().chain(behind) {
            if !resolved.contains(remote) {
                resolved.push(remote.clone());
            }
        }
        resolved
    }
}

/// `remote-execution` of the user's configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoteExecution {
    pub execution: Option<Remote>,
    /// Absent where `cache: storage-service:` names one.
    pub storage: Option<Remote>,
    pub action_cache: Option<Remote>,
}

impl RemoteExecution {
    /// Reads the mapping. `cache_storage` says whether `cache: storage-service:` is there.
    pub fn read(mapping: &Mapping, paths: &Paths<'_>, cache_storage: bool) -> Result<RemoteExecution> {
        mapping.check_keys(&["execution-service", "storage-service", "action-cache-service"])?;
        let service =
            |key, purpose| mapping.mapping(key)?.map(|service| Remote::read(service, paths, purpose)).transpose();
        let services = RemoteExecution {
            execution: service("execution-service", Purpose::Service)?,
            storage: service("storage-service", Purpose::Service)?,
            action_cache: service("action-cache-service", Purpose::ActionCache)?,
        };
        let missing = match &services {
            RemoteExecution { storage: None, .. } if !cache_storage => {
                "expected storage-service, here or under cache, found none"
            }
            RemoteExecution { execution: None, action_cache: None, .. } => {
                "expected execution-service or action-cache-service, found neither"
            }
            _ => return Ok(services),
        };
        Err(invalid(missing).at(mapping.mark.place()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn an_option_is_a_url_or_pairs() {
        let base = &Paths { expand: &|text| text.replace('~', "/home/me"), base: Some(Path::new("/work")) };
        let remote = Remote::from_option("http://cache:1", base).unwrap();
        assert!(remote.push && remote.url == "http://cache:1" && remote.holds == Holds::All);
        let text = "url=https://c,push=False,type=index,server-cert=a.crt,access-token=~/token,instance-name=main";
        let remote = Remote::from_option(text, base).unwrap();
        assert!(!remote.push && remote.holds == Holds::Index);
        assert_eq!(remote.auth.server_cert.as_deref(), Some(Path::new("/work/a.crt")));
        assert_eq!(remote.auth.access_token.as_deref(), Some(Path::new("/home/me/token")));
        for bad in ["", "url=", "url=a,push=yes", "url=a,type=x", "url=a,b", "url=a,colour=red", "url=a,client-key=k"] {
            assert!(Remote::from_option(bad, base).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_nearest_word_counts_and_recommendations_stand_behind() {
        let server = |url: &str| Remote { url: url.to_owned(), ..Remote::default() };
        let global = CacheServers { override_projects: false, servers: vec![server("global")] };
        let own = CacheServers { override_projects: false, servers: vec![server("own")] };
        let recommended = [server("project"), server("own")];
        let urls = |choice: Choice<'_>| choice.resolve().into_iter().map(|remote| remote.url).collect::<Vec<_>>();
        let choice = Choice { global: Some(&global), recommended: &recommended, ..Choice::default() };
        assert_eq!(urls(choice), ["global", "project", "own"]);
        assert_eq!(urls(Choice { for_project: Some(&own), ..choice }), ["own", "project"]);
        let line = [server("line")];
        assert_eq!(urls(Choice { command_line: &line, ignore_projects: true, ..choice }), ["line"]);
        let overriding = CacheServers { override_projects: true, servers: Vec::new() };
        assert_eq!(urls(Choice { for_project: Some(&overriding), ..choice }), ["global"]);
    }
}
