//! Mirrors of git repositories, fetched by the system's git in the form in which BuildStream keeps them.

use super::download::Downloader;
use super::retry::{Failure, retrying};
use bst_plumbing::doing::source::git::{Described, Mirror, Style, described, is_commit};
use bst_plumbing::doing::source::tool;
use bst_plumbing::store::lock::Lock;
use bst_plumbing::store::{Store, fs};
use bst_plumbing::values::{Code, Digest, Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What a mirror has of a repository, as git names it.
const BRANCHES_AND_TAGS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

impl Downloader<'_> {
    /// Brings what a mirror lacks, from the first of its places that has it.
    pub(super) fn git(&self, mirror: &Mirror) -> Result<()> {
        let _lock = self.lock(mirror)?;
        if mirror.is_there() {
            return Ok(());
        }
        self.progress.starts();
        self.first(mirror, |git| self.fetch(mirror, git.url))?;
        self.progress.finishes();
        Ok(())
    }

    /// What a server has: the names of its refs, and their objects.
    pub(super) fn refs(&self, mirror: &Mirror) -> Result<BTreeMap<String, String>> {
        let place = self.store.scratch("downloads")?;
        let listing = self.first(mirror, |git| {
            let mut command = git.command(&place);
            command.env_remove("GIT_DIR").args(["ls-remote", "--", git.url]);
            run(&mut command, git.url)
        })?;
        let refs = listing.lines().filter_map(|line| line.split_once('\t'));
        Ok(refs.map(|(object, name)| (name.to_owned(), object.to_owned())).collect())
    }

    /// Brings all branches and tags as they are now.
    pub(super) fn update(&self, mirror: &Mirror) -> Result<()> {
        let _lock = self.lock(mirror)?;
        self.first(mirror, |git| match mirror.style {
            Style::Clone { .. } if !mirror.path.exists() => git.clone(self.store, true),
            Style::Clone { .. } => git.get(&mirror.path, &["--prune", "--tags", "--force"], &BRANCHES_AND_TAGS),
            Style::Branches | Style::Exact => {
                make_bare(self.store, &mirror.path)?;
                git.get(&mirror.path, &["--prune"], &BRANCHES_AND_TAGS)
            }
        })
    }

    fn lock(&self, mirror: &Mirror) -> Result<Lock> {
        let name = Digest::of(mirror.path.as_os_str().as_encoded_bytes()).hex();
        Lock::exclusive(&self.store.locks().join(format!("git-{name}")))
    }

    /// Does something with the first of a repository's places where that works.
    fn first<T>(&self, mirror: &Mirror, work: impl Fn(&Git) -> Result<T, Failure>) -> Result<T> {
        let mut last = None;
        for url in &mirror.urls {
            match retrying(self.retries, || work(&Git { mirror, url })) {
                Ok(done) => return Ok(done),
                Err(failure) => last = Some(failure.error),
            }
        }
        Err(last.unwrap_or_else(|| Error::new(Code::Source, format!("nothing says where {} is", mirror.url))))
    }

    fn fetch(&self, mirror: &Mirror, url: &str) -> Result<(), Failure> {
        if url.starts_with('-') {
            return Err(Failure::lasting(Code::Malformed, format!("\"{}\" is no URL", url.escape_default())));
        }
        let git = Git { mirror, url };
        match mirror.style {
            Style::Branches => git.branches(self.store)?,
            Style::Exact => git.exact(self.store)?,
            Style::Clone { full } => git.clone(self.store, full)?,
        }
        if mirror.is_there() {
            return Ok(());
        }
        let reference = mirror.reference.escape_default();
        Err(Failure::lasting(
            Code::Source,
            format!("{url}: the repository has no {reference}; bst-track finds what it has"),
        ))
    }
}

struct Git<'a> {
    mirror: &'a Mirror,
    url: &'a str,
}

impl Git<'_> {
    /// Git with the user's configuration, which may say how to reach servers.
    fn command(&self, place: &Path) -> Command {
        let mut command = network_git(place);
        if self.mirror.nested {
            // A repository named the URL, and must not reach what only the user may.
            command.env("GIT_PROTOCOL_FROM_USER", "0");
        }
        command
    }

    /// Fetches into a repository.
    fn get(&self, place: &Path, options: &[&str], refspecs: &[&str]) -> Result<(), Failure> {
        let mut command = self.command(place);
        command.args(["fetch", "--quiet"]).args(options).arg("--").arg(self.url).args(refspecs);
        run(&mut command, self.url).map(drop)
    }

    /// What the server has: commit and name of each ref.
    fn refs(&self, place: &Path) -> Result<String, Failure> {
        let mut command = self.command(place);
        command.args(["ls-remote", "--", self.url]);
        run(&mut command, self.url)
    }

    /// Whether the server's tag is the commit that the ref says.
    fn has_tag(&self, place: &Path, tag: &Described) -> Result<bool, Failure> {
        let line = format!("{}\trefs/tags/{}", tag.commit, tag.tag);
        let refs = self.refs(place)?;
        Ok(refs.lines().any(|known| known == line || known.strip_suffix("^{}") == Some(&line)))
    }

    fn exact_tag(&self) -> Option<Described<'_>> {
        described(&self.mirror.reference).filter(|described| described.distance == 0)
    }

    /// A single tag without history where the ref names one, else everything.
    fn branches(&self, store: &Store) -> Result<(), Failure> {
        let place = &self.mirror.path;
        make_bare(store, place)?;
        if let Some(tag) = self.exact_tag() {
            let refspec = format!("+refs/tags/{0}:refs/tags/{0}", tag.tag);
            if self.has_tag(place, &tag)? && self.get(place, &["--depth=1"], &[&refspec]).is_ok() {
                return Ok(());
            }
        }
        self.get(place, &["--prune"], &BRANCHES_AND_TAGS)?;
        self.unadvertised(place);
        Ok(())
    }

    /// A commit that no branch has any more: some servers still give it. A ref of its own keeps it.
    fn unadvertised(&self, place: &Path) {
        let commit =
            described(&self.mirror.reference).map_or(self.mirror.reference.as_str(), |described| described.commit);
        if is_commit(commit) && !self.mirror.is_there() {
            // Without success the caller finds that it is not there.
            let _ = self.get(place, &[], &[&format!("+{commit}:refs/plumbing/{commit}")]);
        }
    }

    /// The commit, and the tag that the ref names, with the history between them.
    fn exact(&self, store: &Store) -> Result<(), Failure> {
        let place = &self.mirror.path;
        make_bare(store, place)?;
        let reference = &self.mirror.reference;
        let tag = described(reference);
        let commit = tag.map_or(reference.as_str(), |tag| tag.commit);
        let depth = tag.map(|tag| format!("--depth={}", u64::from(tag.distance) + 1));
        let refspec = tag.map(|tag| format!("+refs/tags/{0}:refs/tags/{0}", tag.tag));
        let options: Vec<&str> = std::iter::once("--no-tags").chain(depth.as_deref()).collect();
        let refspecs: Vec<&str> = std::iter::once(commit).chain(refspec.as_deref()).collect();
        match self.get(place, &options, &refspecs) {
            Err(failure) if failure.again.is_some() => Err(failure),
            Err(_) => self.get(place, &[], &BRANCHES_AND_TAGS),
            Ok(()) => Ok(()),
        }
    }

    /// A clone of everything, or of a single tag.
    fn clone(&self, store: &Store, full: bool) -> Result<(), Failure> {
        let place = &self.mirror.path;
        if !place.exists() {
            let tag = self.exact_tag().filter(|_| !full);
            if let (Some(tag), Some(single)) = (tag, &self.mirror.single) {
                if !single.exists() && self.clone_tag(store, &tag, single)? {
                    return Ok(());
                }
            }
            let scratch = beside(store, place)?;
            let target = scratch.path().join("clone");
            let mut command = self.command(scratch.path());
            command.env_remove("GIT_DIR").args(["clone", "--quiet", "--mirror", "-n", "--", self.url]).arg(&target);
            run(&mut command, self.url)?;
            move_to(&target, place)?;
        }
        if !self.mirror.is_there() {
            self.get(place, &["--prune", "--tags", "--force"], &[])?;
            self.unadvertised(place);
        }
        Ok(())
    }

    fn clone_tag(&self, store: &Store, tag: &Described, place: &Path) -> Result<bool, Failure> {
        let scratch = beside(store, place)?;
        let target = scratch.path().join("clone");
        init_bare(&target)?;
        if !self.has_tag(&target, tag)? {
            return Ok(false);
        }
        let mut command = self.command(&target);
        command.args(["remote", "add", "--mirror=fetch", "origin", self.url]);
        run(&mut command, self.url)?;
        let refspec = format!("refs/tags/{0}:refs/tags/{0}", tag.tag);
        let mut command = self.command(&target);
        command.args(["fetch", "--quiet", "--depth=1", "origin", &refspec]);
        if run(&mut command, self.url).is_err() {
            return Ok(false);
        }
        let mut command = self.command(&target);
        command.args(["update-ref", "HEAD", &format!("{}^{{}}", tag.commit)]);
        run(&mut command, self.url)?;
        move_to(&target, place)?;
        Ok(true)
    }
}

/// Git that reaches servers as the user's configuration says, and never asks.
pub(super) fn network_git(place: &Path) -> Command {
    let mut command = bst_plumbing::doing::source::git::git_in(place);
    command.env_remove("GIT_CONFIG_NOSYSTEM").env_remove("GIT_CONFIG_GLOBAL");
    command.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
    command
}

/// Runs git; what it says tells whether trying again may help.
pub(super) fn run(command: &mut Command, url: &str) -> Result<String, Failure> {
    let output = tool::output(command)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let error = tool::failed(&format!("{url}: git failed"), &output).with_code(Code::Network);
    let words = String::from_utf8_lossy(&output.stderr).to_lowercase();
    let lasting = [
        "not found",
        "does not exist",
        "does not appear to be a git repository",
        "authentication failed",
        "could not read username",
        "permission denied",
        "error: 403",
        "error: 404",
        "not our ref",
        "unadvertised object",
        "couldn't find remote ref",
        "transport '",
        "certificate",
    ];
    let again = if lasting.iter().any(|word| words.contains(word)) { None } else { Some(None) };
    Err(Failure { error, again })
}

fn make_bare(store: &Store, place: &Path) -> Result<()> {
    if place.exists() {
        return Ok(());
    }
    let scratch = beside(store, place)?;
    let target = scratch.path().join("clone");
    init_bare(&target)?;
    move_to(&target, place)
}

fn init_bare(place: &Path) -> Result<()> {
    fs::create_dir_all(place)?;
    let mut command = bst_plumbing::doing::source::git::git_in(place);
    command.args(["init", "--quiet", "--bare"]);
    tool::run(&mut command, "git cannot make a repository").map(drop)
}

/// A directory for a clone on its way to `place`.
fn beside(store: &Store, place: &Path) -> Result<tempfile::TempDir> {
    if let Some(directory) = place.parent() {
        fs::create_dir_all(directory)?;
    }
    let scratch = store.scratch("downloads")?;
    let made = tempfile::Builder::new().prefix("git-").tempdir_in(&scratch);
    made.map_err(|error| Error::io("cannot make a directory in", &scratch, error))
}

/// Gives a clone its place, unless another program was quicker.
fn move_to(clone: &Path, place: &Path) -> Result<()> {
    match std::fs::rename(clone, place) {
        Err(_) if place.join("HEAD").is_file() => Ok(()),
        outcome => outcome.map_err(|error| Error::io("cannot write", place, error)),
    }
}
