//! The work of bst-fetch: records in, their sources into the store, records out in the same order.

use super::download::Downloader;
use super::http::Http;
use super::progress::Progress;
use super::{Permits, locked};
use crate::source_cache::blocking::SourceCaches;
use bst_plumbing::doing::source::{self, original::Original};
use bst_plumbing::edge::cli::Arguments;
use bst_plumbing::edge::environment;
use bst_plumbing::edge::pipe::{self, Reader, Stdout, Writer};
use bst_plumbing::project::userconfig::UserConfig;
use bst_plumbing::store::{Store, lease::Lease};
use bst_plumbing::values::record::{Identity, Source};
use bst_plumbing::values::{Code, Error, Exit, Record, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// What the command line says.
pub struct Options {
    /// Downloads at once.
    pub jobs: usize,
    /// How often something is tried again that may pass.
    pub retries: u32,
    /// How long a server may send nothing.
    pub silence: Option<Duration>,
    /// Only say what would be downloaded.
    pub dry_run: bool,
    /// The user's home, for `.netrc`.
    pub home: Option<PathBuf>,
}

impl Options {
    /// From the command line, and where it says nothing from the user's configuration.
    pub fn new(arguments: &Arguments, config: &UserConfig) -> Result<Options> {
        let configured = usize::try_from(config.scheduler.fetchers).unwrap_or(usize::MAX);
        let retries = u32::try_from(config.scheduler.network_retries).unwrap_or(u32::MAX);
        Ok(Options {
            jobs: arguments.parsed("jobs", "a number")?.unwrap_or(configured).clamp(1, MOST_JOBS),
            retries: arguments.parsed("retries", "a number")?.unwrap_or(retries),
            silence: arguments.parsed("timeout", "a number of seconds")?.map(Duration::from_secs),
            dry_run: arguments.has("dry-run"),
            home: environment::home(),
        })
    }
}

/// More downloads at once are no use to anybody.
const MOST_JOBS: usize = 1000;
/// How often a download that turned out to be damaged is brought again.
const MOST_ROUNDS: usize = 2;
/// How deep repositories can be in repositories.
const MOST_LEVELS: usize = 40;

/// Brings the sources of the records on stdin.
pub fn run(program: &'static str, store: &Store, options: &Options, caches: &SourceCaches) -> Result<Exit> {
    let http = Http::new(options.home.clone(), options.silence);
    let progress = Progress::new();
    let downloader = Downloader { store, http: &http, progress: &progress, retries: options.retries };
    let mut fetcher = Fetcher::new(program, store, options, downloader);
    fetcher.caches = Some(caches);
    progress.showing(|| fetcher.all())?;
    let mut output = locked(&fetcher.output);
    output.writer.flush()?;
    output.error.take().map_or(Ok(output.exit), Err)
}

pub(super) struct Fetcher<'a> {
    program: &'static str,
    pub(super) store: &'a Store,
    options: &'a Options,
    /// Asked before anything is downloaded.
    caches: Option<&'a SourceCaches>,
    pub(super) downloader: Downloader<'a>,
    downloads: Permits,
    /// Unpacking takes a core each.
    stagings: Permits,
    lease: OnceLock<Lease>,
    output: Mutex<Output>,
}

/// Records that are done, in the order in which they came in.
struct Output {
    writer: Writer<Stdout>,
    next: usize,
    waiting: BTreeMap<usize, Record>,
    exit: Exit,
    error: Option<Error>,
}

impl Output {
    fn fails(&mut self, exit: Exit) {
        self.exit = self.exit.and(exit);
    }
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(
        program: &'static str,
        store: &'a Store,
        options: &'a Options,
        downloader: Downloader<'a>,
    ) -> Fetcher<'a> {
        let output =
            Output { writer: pipe::stdout(), next: 0, waiting: BTreeMap::new(), exit: Exit::Done, error: None };
        Fetcher {
            program,
            caches: None,
            store,
            options,
            downloader,
            downloads: Permits::new(options.jobs),
            stagings: Permits::new(std::thread::available_parallelism().map_or(1, usize::from)),
            lease: OnceLock::new(),
            output: Mutex::new(output),
        }
    }

    fn all(&self) -> Result<()> {
        let mut reader = Reader::new(std::io::stdin());
        // More records than downloads, so that there is always something to download.
        let records = Permits::new(self.options.jobs * 2);
        std::thread::scope(|scope| {
            for index in 0.. {
                if !reader.is_ready() {
                    locked(&self.output).writer.flush()?;
                }
                let Some(record) = reader.next_record() else { break };
                let mut record = match record {
                    Ok(record) => record,
                    Err(error) => {
                        self.done(index, Record::default(), Err(error), false)?;
                        continue;
                    }
                };
                if let Some(exit) = pipe::earlier(&record) {
                    locked(&self.output).fails(exit);
                    self.done(index, record, Ok(()), !reader.is_ready())?;
                    continue;
                }
                match self.look(&record) {
                    Ok(None) => self.done(index, record, Ok(()), !reader.is_ready())?,
                    Err(error) => self.done(index, record, Err(error), !reader.is_ready())?,
                    Ok(Some(sources)) => {
                        // Held by the thread until its record is done.
                        let permit = records.take();
                        let _ = scope.spawn(move || {
                            let outcome = self.fetch(record.identity().ok().as_ref(), &sources);
                            let record = std::mem::take(&mut record);
                            let written = self.done(index, record, outcome, true);
                            if let Err(error) = written {
                                locked(&self.output).error.get_or_insert(error);
                            }
                            drop(permit);
                        });
                    }
                }
            }
            Ok(())
        })
    }

    /// The sources of a record, if they are not all there already.
    fn look(&self, record: &Record) -> Result<Option<Vec<Source>>> {
        let Some(sources) = record.get::<Vec<Source>>("sources")? else { return Ok(None) };
        let key = source::cache::element_key(&sources)?;
        Ok(source::cache::element(self.store, &key)?.is_none().then_some(sources))
    }

    /// Brings what is missing and stages it.
    fn fetch(&self, identity: Option<&Identity>, sources: &[Source]) -> Result<()> {
        if self.options.dry_run {
            for original in source::missing(sources, self.store)? {
                self.downloader.progress.say(&original.to_string());
            }
            return Ok(());
        }
        self.take_lease()?;
        // Which caches are asked depends on the project; a record without one does without.
        if let (Some(caches), Some(identity)) = (self.caches, identity) {
            if !source::missing(sources, self.store)?.is_empty() {
                caches.pull(identity, self.store, sources)?;
            }
        }
        let mut rounds = 0;
        loop {
            rounds += 1;
            self.all_originals(sources)?;
            let staged = {
                let _permit = self.stagings.take();
                source::stage(sources, self.store)
            };
            match staged {
                // A download was damaged and is gone.
                Err(error) if error.code() == Code::NotFound && rounds < MOST_ROUNDS => {}
                outcome => return outcome.map(drop),
            }
        }
    }

    /// Brings what is missing, until nothing is: a repository names its submodules only when it is there.
    pub(super) fn all_originals(&self, sources: &[Source]) -> Result<()> {
        for _ in 0..MOST_LEVELS {
            let missing = source::missing(sources, self.store)?;
            if missing.is_empty() {
                return Ok(());
            }
            self.originals(&missing)?;
        }
        Err(Error::new(Code::Source, "there are submodules in submodules without end"))
    }

    /// What is fetched is not expired before it is used.
    fn take_lease(&self) -> Result<()> {
        if self.lease.get().is_none() {
            // Two leases of one process do no harm.
            let _ = self.lease.set(Lease::take(self.store)?);
        }
        Ok(())
    }

    fn originals(&self, missing: &[Original]) -> Result<()> {
        if let [one] = missing {
            return self.original(one);
        }
        let next = std::sync::atomic::AtomicUsize::new(0);
        let failed = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..missing.len().min(self.options.jobs) {
                scope.spawn(|| {
                    while let Some(original) = missing.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                        if let Err(error) = self.original(original) {
                            locked(&failed).get_or_insert(error);
                        }
                    }
                });
            }
        });
        failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn original(&self, original: &Original) -> Result<()> {
        let _permit = self.downloads.take();
        match original {
            Original::File(download) => self.downloader.file(download),
            Original::Git(mirror) => self.downloader.git(mirror),
            Original::Packages(packages) => self.downloader.packages(packages),
            Original::Branch(branch) => self.downloader.branch(branch),
        }
    }

    /// Hands a record on, as soon as those before it are done.
    fn done(&self, index: usize, mut record: Record, outcome: Result<()>, flush: bool) -> Result<()> {
        let mut exit = pipe::earlier(&record).unwrap_or(Exit::Done);
        if let Err(error) = outcome {
            self.downloader.progress.say(&format!("{}: {}: {error}", self.program, record.label()));
            record.set_error(&error)?;
            exit = error.code().exit();
        }
        let output = &mut *locked(&self.output);
        output.fails(exit);
        output.waiting.insert(index, record);
        while let Some(record) = output.waiting.remove(&output.next) {
            output.next += 1;
            output.writer.push(&record)?;
        }
        if flush { output.writer.flush() } else { Ok(()) }
    }
}
