//! The work of bst-track: finds what the refs of sources should be now, and writes them where the project
//! keeps them.

mod cargo;
mod git;
mod golang;
mod names;
mod registry;
mod tools;
mod write;

use super::download::Downloader;
use super::fetch::{Fetcher, Options};
use super::http::Http;
use super::progress::Progress;
use super::retry::Failure;
use bst_plumbing::doing::source;
use bst_plumbing::edge::pipe;
use bst_plumbing::store::Store;
use bst_plumbing::values::record::{Source, Tracked};
use bst_plumbing::values::{Code, Error, Exit, Record, Result};
use serde_json::{Map, Value};
use write::Writer;

/// What a source's mapping shall hold: the ref, and for some kinds more.
pub(super) type Found = Map<String, Value>;

/// Finds new refs for the records on stdin.
pub fn run(program: &'static str, store: &Store, options: &Options) -> Result<Exit> {
    let http = Http::new(options.home.clone(), options.silence);
    let progress = Progress::new();
    let downloader = Downloader { store, http: &http, progress: &progress, retries: options.retries };
    let fetcher = Fetcher::new(program, store, options, downloader);
    let mut tracker = Tracker { fetcher: &fetcher, writer: Writer::default(), dry_run: options.dry_run };
    // That there is no ref is what it is for.
    pipe::mend(program, |error| error.code == Code::NoRef, |record| tracker.record(record))
}

struct Tracker<'a> {
    fetcher: &'a Fetcher<'a>,
    writer: Writer,
    dry_run: bool,
}

impl Tracker<'_> {
    fn record(&mut self, record: &mut Record) -> Result<Exit> {
        let Some(sources) = record.get::<Vec<Source>>("sources")? else { return Ok(Exit::Done) };
        let mut all = Vec::new();
        for index in 0..sources.len() {
            // Those before it as they are now: what they are is what a lock file among them says.
            let Some(found) = self.find(&sources, index)? else { continue };
            let source = &sources[index];
            let changes = found.iter().any(|(key, value)| present(source, key) != Some(value));
            let mut written = None;
            if changes && !self.dry_run {
                let origin = source.origin.as_ref().ok_or_else(|| {
                    Error::malformed(format!(
                        "source {index} of {} does not say where its ref is written",
                        record.label()
                    ))
                })?;
                let identity = record.identity()?;
                self.writer.write(origin, &identity, &found)?;
                written = Some(origin.file.clone());
            }
            all.push(Tracked { changed: changes, file: written, index, kind: source.kind.clone(), values: found });
        }
        if !all.is_empty() {
            record.set("track", &all)?;
        }
        Ok(Exit::Done)
    }

    /// What the mapping of a source shall hold; `None` where its kind, or the source, is not tracked.
    fn find(&self, sources: &[Source], index: usize) -> Result<Option<Found>> {
        let source = &sources[index];
        let context = Context { fetcher: self.fetcher, sources, index };
        match source.kind.as_str() {
            "tar" | "remote" | "zip" | "deb" => context.file(),
            "git" => git::plain(&context),
            "git_repo" => git::repo(&context),
            "git_tag" => git::tag(&context),
            "git_module" => git::module(&context),
            "go_module" => golang::module(&context),
            "cargo" | "cargo2" => cargo::crates(&context),
            "gen_cargo_lock" => cargo::lock(&context),
            "pypi" => registry::pypi(&context),
            "bzr" => tools::bzr(&context),
            "docker" => tools::docker(&context),
            "pip" => tools::pip(&context),
            "cpan" => registry::cpan(&context),
            "local" | "patch" | "patch_queue" | "quilt" | "workspace" => Ok(None),
            kind => Err(Error::new(Code::Unsupported, format!("sources of kind {kind} cannot be tracked here"))),
        }
    }
}

/// The present value of a key of a source's mapping.
fn present<'a>(source: &'a Source, key: &str) -> Option<&'a Value> {
    let reference = source.reference.as_ref();
    match key {
        "ref" => reference,
        key => source.config.get(key).or_else(|| reference?.get(key)),
    }
}

/// A source that is tracked, among those before it.
pub(super) struct Context<'a> {
    pub(super) fetcher: &'a Fetcher<'a>,
    sources: &'a [Source],
    index: usize,
}

impl Context<'_> {
    pub(super) fn source(&self) -> &Source {
        &self.sources[self.index]
    }

    pub(super) fn store(&self) -> &Store {
        self.fetcher.store
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.source().config.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> bool {
        match self.source().config.get(key) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(word)) => word.eq_ignore_ascii_case("true"),
            _ => default,
        }
    }

    pub(super) fn texts(&self, key: &str) -> Vec<&str> {
        let list = self.source().config.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub(super) fn need(&self, key: &str) -> Result<&str> {
        self.text(key).ok_or_else(|| {
            Error::malformed(format!("a source of kind {} has no \"{key}\" in the record", self.source().kind))
        })
    }

    /// Where the project itself says that the source is: refs come from there, not from mirrors.
    pub(super) fn url(&self) -> Result<&str> {
        self.source().urls.last().map(String::as_str).ok_or_else(|| {
            Error::malformed(format!("a source of kind {} has no \"urls\" in the record", self.source().kind))
        })
    }

    /// The tree of the sources before this one, fetched for it.
    pub(super) fn before(&self) -> Result<bst_plumbing::values::Digest> {
        let before = &self.sources[..self.index];
        self.fetcher.all_originals(before)?;
        source::stage_before(before, self.source().directory.as_deref(), self.store())
    }

    /// The text of a file of the sources before this one.
    pub(super) fn text_before(&self, path: &str) -> Result<String> {
        use bst_plumbing::store::tree::{Node, find};
        let cas = self.store().cas();
        match find(&cas, &self.before()?, path) {
            Ok(Node::File { digest, .. }) => String::from_utf8(cas.read(&digest)?)
                .map_err(|_| Error::new(Code::Source, format!("{path} of the sources before is no UTF-8"))),
            _ => Err(Error::new(
                Code::Source,
                format!("the sources before the one of kind {} have no file {path}", self.source().kind),
            )),
        }
    }

    /// Downloads the file that a source is, as it is now.
    fn file(&self) -> Result<Option<Found>> {
        let source = self.source();
        let place = self.store().sources().mirror(&source.kind, source.url.as_deref().unwrap_or_default())?;
        let known = source.reference.as_ref().and_then(Value::as_str);
        let downloader = &self.fetcher.downloader;
        let sha256 = downloader.latest(self.url()?, &place, known).map_err(|failure: Failure| failure.error)?;
        Ok(Some(Found::from_iter([("ref".to_owned(), sha256.into())])))
    }
}
