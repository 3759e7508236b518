//! Records: what the programs pass over pipes, one JSON object a line. The reference is bst-record(5).
//!
//! A [`Record`] keeps each top-level field as the text that came in, so that what a program does not know
//! or does not need is passed on untouched and unparsed. The structs here are the forms of the fields.

use super::assembly::{CheckForbidden, CollectIntegration, CollectManifest, FlatpakImage, SnapImage, TarElement};
use super::{Digest, Error, Key, Result, fields::Fields, name::ArtifactName, time::Time};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};
use std::collections::BTreeMap;

/// The version of the record format.
pub const VERSION: u32 = 1;

/// One record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    fields: Fields,
}

impl Record {
    /// Reads one line, with or without its line end.
    pub fn parse(line: &[u8]) -> Result<Record> {
        Fields::parse(line).map(|fields| Record { fields }).map_err(|error| {
            let found = String::from_utf8_lossy(&line[..line.len().min(60)]).trim_end().escape_default().to_string();
            Error::malformed(format!("expected a record, which is one JSON object a line, found \"{found}\": {error}"))
        })
    }

    /// A field, if it is there; an error if it is there in another form.
    pub fn get<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>> {
        let Some(raw) = self.fields.get(field) else { return Ok(None) };
        serde_json::from_str(raw)
            .map(Some)
            .map_err(|error| Error::malformed(format!("the field \"{field}\" cannot be read: {error}")))
    }

    /// A field that must be there.
    pub fn require<T: DeserializeOwned>(&self, field: &str) -> Result<T> {
        self.get(field)?.ok_or_else(|| Error::malformed(format!("expected a field \"{field}\", found none")))
    }

    /// Whether the field is there.
    pub fn has(&self, field: &str) -> bool {
        self.fields.get(field).is_some()
    }

    /// The text of a field.
    pub fn raw(&self, field: &str) -> Option<&str> {
        self.fields.get(field)
    }

    /// The text of a field, to be set as it is in another record.
    pub fn raw_value(&self, field: &str) -> Option<&RawValue> {
        serde_json::from_str(self.fields.get(field)?).ok()
    }

    /// Sets a field. Objects inside come out with their keys sorted.
    pub fn set<T: Serialize>(&mut self, field: &str, value: &T) -> Result<()> {
        let raw = serde_json::to_value(value)
            .and_then(|value| serde_json::value::to_raw_value(&value))
            .map_err(|error| Error::malformed(format!("field \"{field}\" cannot be written: {error}")))?;
        self.fields.set(field, raw);
        Ok(())
    }

    /// The same for a form whose fields are declared in the order of their names, all the way down: quicker.
    pub fn set_ordered<T: Serialize>(&mut self, field: &str, value: &T) -> Result<()> {
        let raw = serde_json::value::to_raw_value(value)
            .map_err(|error| Error::malformed(format!("field \"{field}\" cannot be written: {error}")))?;
        self.fields.set(field, raw);
        Ok(())
    }

    /// Sets a field to text that is JSON already, keys sorted.
    pub fn set_raw(&mut self, field: &str, raw: Box<RawValue>) {
        self.fields.set(field, raw);
    }

    /// Removes a field.
    pub fn remove(&mut self, field: &str) {
        self.fields.remove(field);
    }

    /// Takes over the fields of another record, whatever was there.
    pub fn absorb(&mut self, other: &Record) {
        for (field, _) in other.fields.iter() {
            if let Some(raw) = other.raw_value(field) {
                self.fields.set(field, raw.to_owned());
            }
        }
    }

    /// Says that this record could not be treated.
    pub fn set_error(&mut self, error: &Error) -> Result<()> {
        self.set("error", &error.to_record())
    }

    /// How to speak of the record in a message: with the start of its element's name, if that is a text.
    pub fn label(&self) -> String {
        match self.raw("element").map(serde_json::from_str::<String>) {
            Some(Ok(element)) => {
                let start: String = element.chars().take(200).collect();
                format!("the record of {}", start.escape_default())
            }
            _ => "the record".to_owned(),
        }
    }

    /// Appends the record and LF.
    pub fn write_line(&self, out: &mut Vec<u8>) -> Result<()> {
        (self.fields.write(out)).map_err(|error| Error::malformed(format!("a record cannot be written: {error}")))?;
        out.push(b'\n');
        Ok(())
    }

    /// The names `project` and `element` (the full name).
    pub fn identity(&self) -> Result<Identity> {
        Ok(Identity { project: self.require("project")?, element: self.require("element")? })
    }

    /// The name of the element's artifact under `key`.
    pub fn artifact_name(&self, key: Key) -> Result<ArtifactName> {
        let Identity { project, element } = self.identity()?;
        ArtifactName::new(&project, &element, key)
    }
}

impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields.serialize(serializer)
    }
}

/// Which element a record speaks of: the name of its project, and its full name, which crosses junctions
/// (`junction.bst:element.bst`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    pub element: String,
    pub project: String,
}

/// When a dependency is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DependencyType {
    Build,
    Runtime,
    All,
}

impl DependencyType {
    /// Needed to build.
    pub fn builds(self) -> bool {
        self != DependencyType::Runtime
    }

    /// Needed to run.
    pub fn runs(self) -> bool {
        self != DependencyType::Build
    }
}

/// One of `depends`: a direct dependency; the list is in staging order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Dependency {
    pub element: String,
    /// Absent where the dependency has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    pub project: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict: bool,
    #[serde(rename = "type")]
    pub when: DependencyType,
}

/// One of `stage`: an element that the build stages; the list is the build scope in staging order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Staged {
    pub element: String,
    pub key: Key,
    pub project: String,
    /// Its direct runtime dependencies, as positions in `stage`, in staging order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runtime: Vec<usize>,
}

/// One of `sources`: all that fetching and staging it needs. The list is in staging order.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// Where to fetch what else `config` names by URL (a submodule's own repository, a registry): for each
    /// URL as written what `urls` is for `url`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, Vec<String>>,
    /// The directory that the relative paths of `config` start from: that of the project. Absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What the kind defines, every variable expanded: `path`, `base-dir`, `strip-level`, `filename`, ...,
    /// under the names that the element's file uses, defaults filled in.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    /// Where in the element's sandbox it is staged; as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The name under which the store keeps it: the hash of `unique`. Absent without ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    pub kind: String,
    /// Where its ref is written, for bst-track. Absent in records that no project made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// As the element's file or project.refs has it: a text for most kinds. Absent: not known.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Value>,
    /// What enters the element's key for this source (spec: keys 3.8). Absent without ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<Value>,
    /// The URL as written, variables expanded, alias kept: it names the download mirror in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where to fetch, best first: mirrors in BuildStream's order, then the alias's own URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
}

/// Where a source's ref is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Origin {
    /// Column of the source's mapping in `file`, from 0. Only inline.
    #[serde(default)]
    pub column: u32,
    /// Inline: the file that has the source's mapping, which may be an include. Else project.refs or
    /// junction.refs of the project that keeps the ref. Absolute.
    pub file: String,
    /// The place of the source in the element's list, from 0.
    pub index: usize,
    /// Line of the source's mapping in `file`, from 1. Only inline.
    #[serde(default)]
    pub line: u32,
    pub storage: RefStorage,
}

/// How a project keeps refs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum RefStorage {
    /// In the element's file.
    #[serde(rename = "inline")]
    Inline,
    /// In project.refs, or for junctions in junction.refs.
    #[serde(rename = "project.refs")]
    ProjectRefs,
}

/// One of `track`, the answer of bst-track: a source whose kind finds refs by itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tracked {
    /// Whether it is another ref than before.
    pub changed: bool,
    /// The file that the ref was written into; absent where nothing was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The place of the source in `sources`, from 0.
    pub index: usize,
    pub kind: String,
    /// What the source's mapping has to hold now: `ref`, for some kinds more or something else.
    pub values: Map<String, Value>,
}

/// `build`: all that building needs, and all that the key is made of apart from names, sources and
/// dependencies.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Build {
    /// Where sources are staged in the sandbox; part of every key.
    pub build_root: String,
    /// What the sandbox's commands get, apart from PWD.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Names of `environment` that are not part of the key, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment_nocache: Vec<String>,
    /// The names of `environment` in BuildStream's order, which a remote execution service's action
    /// cache can tell apart. Absent: by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment_order: Vec<String>,
    /// The project's fatal warnings, sorted, duplicates kept: part of every key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fatal_warnings: Vec<String>,
    pub instructions: Instructions,
    /// `element-plugin-key`: what the kind adds to the key (spec: keys 3.7).
    pub plugin_key: Value,
    /// `element-plugin-version`.
    #[serde(default)]
    pub plugin_version: i64,
    /// Public data, every value a text.
    pub public: Value,
    /// Whether the kind runs commands: only then sandbox and environment are part of the key.
    #[serde(default)]
    pub runs_commands: bool,
    #[serde(default)]
    pub sandbox: Sandbox,
    /// Whether the weak key holds the weak keys of the whole build scope (compose, filter, script).
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict_rebuild: bool,
    /// All variables, expanded.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Whether a workspace is open on the element.
    #[serde(default, skip_serializing_if = "is_false")]
    pub workspaced: bool,
}

/// The configuration of the sandbox, under BuildStream's names.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Sandbox {
    /// Canonical, for instance `x86-64`.
    #[serde(default)]
    pub build_arch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_gid: Option<u32>,
    /// Lower case, for instance `linux`.
    #[serde(default)]
    pub build_os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_uid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_apis_socket: Option<RemoteApisSocket>,
}

/// Where a build finds a socket of the Remote Execution API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct RemoteApisSocket {
    #[serde(default, skip_serializing_if = "is_false")]
    pub action_cache_enable_update: bool,
    pub path: String,
}

/// What building does. `type` tells which.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Instructions {
    /// Commands in a sandbox: manual, autotools, script and their like.
    Commands(Commands),
    /// Takes `source` of the sources as `target`.
    Import { source: String, target: String },
    /// Nothing but dependencies.
    Stack,
    /// All build dependencies as one, integrated and split.
    Compose(Split),
    /// A part of the one build dependency.
    Filter(Split),
    /// Not built: a junction, or a link.
    Nothing,
    /// Fails if something is below that must not be.
    CheckForbidden(CheckForbidden),
    /// A script of all integration commands.
    CollectIntegration(CollectIntegration),
    /// Which sources everything below is made of.
    CollectManifest(CollectManifest),
    /// The content of a flatpak.
    FlatpakImage(FlatpakImage),
    /// The content of a snap.
    SnapImage(SnapImage),
    /// Everything below as one archive.
    TarElement(TarElement),
    /// A helper program builds it (bst-plugin(7)), and gets back the `data` that it gave. `null` where the key
    /// was computed without it.
    Helper { data: Value },
}

/// Commands in a sandbox.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Commands {
    /// The directory whose content is the artifact's files.
    pub collect: String,
    /// Whether what is there of `collect` after a failure is the artifact's files (script kinds).
    #[serde(default, skip_serializing_if = "is_false")]
    pub collect_on_failure: bool,
    pub commands: Vec<Command>,
    /// Working directory; made if it is not there.
    pub cwd: String,
    /// Which dependency goes where. Empty: everything of `stage` at `/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layout: Vec<Layout>,
    /// Whether only `writable` can be written to.
    #[serde(default, skip_serializing_if = "is_false")]
    pub root_read_only: bool,
    /// Where the sources are staged. Absent: the kind has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<String>,
    /// Directories that are made before the build and can be written to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writable: Vec<String>,
}

/// One command: the text that `sh -c -e` runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Command {
    pub command: String,
    /// `configure`, `build`, `install`, `strip`, or the group of a script.
    pub phase: String,
}

/// Where a direct dependency, with its runtime dependencies, is staged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Layout {
    /// The variable that gets the digest of the dependency's tree, staged apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_environment: Option<String>,
    pub element: String,
    pub location: String,
    pub project: String,
}

/// What of the dependencies' files is taken: domains of their split rules.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Split {
    #[serde(default)]
    pub exclude: Vec<String>,
    #[serde(default)]
    pub include: Vec<String>,
    #[serde(default)]
    pub include_orphans: bool,
    /// Only compose: whether integration commands run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub integrate: bool,
    /// Only filter: whether the dependency's integration commands become the element's own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pass_integration: bool,
}

/// What the store has for a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    Cached,
    Failed,
    #[default]
    Absent,
    Damaged,
}

/// Which key found it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum By {
    Strict,
    Weak,
}

/// `cache`: the answer of bst-cache-query.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cache {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// The strong key of what was found: in non-strict mode not always the record's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why a failure is not replayed: `expired` (by `--failure-ttl`) or `class` (by `--replay`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only of a failure, where a switch or the record's policy asks: whether it is replayed or built again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<bool>,
    pub state: State,
    /// `local`, or the URL of the server.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Cache {
    /// An answer that says no more than the state.
    pub fn of_state(state: State) -> Cache {
        Cache { state, ..Cache::default() }
    }
}

/// `work`: what a build left to be committed. Every path is absolute; those that are absent were not
/// made. Gone after the commit.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Work {
    /// The root, in the store already, as it was before the build. Where it is present, `files`,
    /// `buildtree` and `buildroot` are paths inside the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Digest>,
    /// The whole root after the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buildroot: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buildtree: Option<String>,
    /// What the build changed in `base`: the upper layer of an overlay. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<String>,
    /// The directory that holds all of this and that the commit removes.
    pub dir: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// What the kind made of the public data, where that is not what the record has in `build`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Value>,
    /// Directories of the root of which nothing but `changes` counts: what `base` has there is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
    /// The sandbox of the build, as a shell in its root needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxState>,
    /// The staged sources, already in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Digest>,
}

/// How the sandbox of a build was set up.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SandboxState {
    /// Working directory.
    pub cwd: String,
    /// Everything of the environment but PWD.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The trees that were staged apart, for the digests in the environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subsandboxes: Vec<Digest>,
    /// The directories that the build could write to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writable: Vec<String>,
}

/// `artifact`: what the store holds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ArtifactField {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buildroot: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buildtree: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Digest>,
    /// `PROJECT/ELEMENT/KEY`. Absent: stored without a ref, so that it answers for no key.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<ArtifactName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Digest>,
}

/// What bst-schedule did with an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Built,
    Cached,
    Replayed,
    Blocked,
    Cancelled,
    /// There was nothing to do for it: a junction or a link, or not needed for the targets.
    Skipped,
}

/// `schedule`: the answer of bst-schedule.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Schedule {
    pub action: Action,
    /// How often it was tried in this run.
    #[serde(default)]
    pub attempts: u32,
    /// The failed elements at the root, if it is blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<Blocker>,
    /// What the policy answered, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// Why it was built although the store had something: `damaged`, `expired`, `retry`, `stale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether its cached failure counts as a warning only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub warn: bool,
}

/// One of `decisions`: what follows from a failure.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Decision {
    /// `retry`, `continue`, `quit` or `terminate`.
    pub action: String,
    /// Which attempt of this run failed; 0 for a failure from the store.
    #[serde(default)]
    pub attempt: u32,
    /// Who decided: `policy`, `hook`, `fallback` (of a hook that gave no answer) or `limit`.
    #[serde(default)]
    pub by: String,
    /// How long a retry waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// What the hook wants to be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub time: Time,
}

/// `policy`: what holds for this record instead of what bst-schedule's command line says. Nobody but the
/// user writes it. The words are those of the switches, see bst-policy(7); `exec:` is none of them, for
/// records may come from elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyField {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_ttl: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_cached_failure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
}

/// A failed element that others wait for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Blocker {
    pub element: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
}

pub(super) fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_passes_untouched_and_keys_come_out_sorted() {
        let mut record = Record::parse(b"{\"z\": {\"b\":1,  \"a\":2}, \"element\":\"a.bst\"}\n").unwrap();
        record.set("cache", &Cache { state: State::Absent, ..Cache::default() }).unwrap();
        let mut line = Vec::new();
        record.write_line(&mut line).unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "{\"cache\":{\"state\":\"absent\"},\"element\":\"a.bst\",\"z\":{\"b\":1,  \"a\":2}}\n"
        );
    }

    #[test]
    fn a_record_has_a_label_whatever_its_element_is() {
        for (line, label) in [
            (r#"{"element":"a b.bst"}"#, "the record of a b.bst"),
            (r#"{"element":null}"#, "the record"),
            (r#"{"element":[1]}"#, "the record"),
            ("{}", "the record"),
        ] {
            let record = Record::parse(line.as_bytes()).expect("a record");
            assert_eq!(record.label(), label);
        }
        let record = Record::parse(br#"{"element":1}"#).expect("a record");
        assert!(record.identity().expect_err("no names").to_string().contains("project"));
    }

    #[test]
    fn a_line_that_is_no_object_is_refused() {
        for bad in ["", "[]", "1", "{", "{\"a\":1} x"] {
            assert!(Record::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
