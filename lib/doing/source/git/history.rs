//! The `.git` that some kinds stage along, so that builds can ask what they are a build of.
//!
//! BuildStream's own hold the times at which they were staged, in the index and in logs. These do not: the
//! same ref gives the same tree everywhere.

use super::checkout::{import, scratch};
use super::{Mirror, described, git_in, unusable};
use crate::doing::source::tool;
use crate::doing::source::tree::{Entry, Tree};
use crate::store::{Store, batch::Batch};
use crate::values::{Error, Result};
use flate2::{Compression, write::ZlibEncoder};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// No commit, tag or directory of a repository is larger.
const LARGEST_OBJECT: u64 = 1 << 28;

const CONFIG: &str =
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n";

impl Mirror {
    /// A repository with the commit, and where the ref names a tag, with the commits back to it: their
    /// directories and links, but no other files (kind git_repo).
    pub(in crate::doing::source) fn repository(&self, commit: &str, store: &Store) -> Result<Tree> {
        let batch = store.cas().batch()?;
        let mut reader = ObjectReader::start(self)?;
        let mut objects: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut repository = Tree::default();
        let mut base = commit.to_owned();
        if let Some(described) = described(&self.reference) {
            let mut id = self.resolve(&format!("refs/tags/{}", described.tag))?;
            put(&mut repository, &batch, &format!("refs/tags/{}", described.tag), format!("{id}\n").as_bytes())?;
            loop {
                let (kind, content) = reader.read(&id)?;
                if kind != "tag" {
                    break;
                }
                let target =
                    field(&content, "object").ok_or_else(|| unusable(format!("the tag {id} names no object")))?;
                objects.insert(std::mem::replace(&mut id, target), loose(&kind, &content)?);
            }
            base = id;
        }
        let commits = self.between(commit, &base, &mut reader)?;
        let mut trees = Vec::new();
        let mut shallow = BTreeSet::new();
        for id in &commits {
            let (kind, content) = reader.read(id)?;
            trees.extend(field(&content, "tree"));
            if fields(&content, "parent").any(|parent| !commits.contains(&parent)) {
                shallow.insert(id.clone());
            }
            objects.insert(id.clone(), loose(&kind, &content)?);
        }
        collect_trees(trees, &mut reader, &mut objects)?;
        for (id, bytes) in &objects {
            put(&mut repository, &batch, &format!("objects/{}/{}", &id[..2], &id[2..]), bytes)?;
        }
        if !shallow.is_empty() {
            let lines: String = shallow.iter().map(|id| format!("{id}\n")).collect();
            put(&mut repository, &batch, "shallow", lines.as_bytes())?;
        }
        for directory in ["branches", "hooks", "objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            repository.make(directory)?;
        }
        put(&mut repository, &batch, "HEAD", b"ref: refs/heads/master\n")?;
        put(&mut repository, &batch, "refs/heads/master", format!("{commit}\n").as_bytes())?;
        put(&mut repository, &batch, "config", CONFIG.as_bytes())?;
        put(&mut repository, &batch, "description", b"Unnamed repository")?;
        put(&mut repository, &batch, "info/exclude", b"")?;
        put(&mut repository, &batch, "index", &self.index(commit, store)?)?;
        batch.finish()?;
        Ok(repository)
    }

    /// A repository with the tags that a source carries, and the commits from them on (kind git).
    pub(in crate::doing::source) fn tagged(&self, commit: &str, tags: &[Tag], store: &Store) -> Result<Tree> {
        let mut included = BTreeSet::new();
        let mut shallow = BTreeSet::new();
        for tag in tags {
            if tag.commit == commit {
                shallow.insert(commit.to_owned());
                continue;
            }
            let mut command = self.git();
            command.args(["rev-list", "--ancestry-path", "--boundary", &format!("{}..{commit}", tag.commit)]);
            let lines = tool::run(&mut command, "git cannot list the commits since a tag")?;
            for line in String::from_utf8_lossy(&lines).lines() {
                match line.strip_prefix('-') {
                    Some(boundary) => shallow.insert(boundary.to_owned()),
                    None => included.insert(line.to_owned()),
                };
            }
        }
        shallow.retain(|commit| !included.contains(commit));
        included.extend(shallow.iter().cloned());

        let scratch = scratch(store)?;
        let place = scratch.path();
        let git = || {
            let mut command = git_in(place);
            command.env_remove("GIT_DIR");
            command
        };
        tool::run(git().args(["init", "--quiet"]), "git cannot make a repository")?;
        let mut reader = ObjectReader::start(self)?;
        for id in &included {
            let (_, content) = reader.read(id)?;
            hash_object(git(), "commit", &content)?;
        }
        let lines: String = shallow.iter().map(|id| format!("{id}\n")).collect();
        write(&place.join(".git/shallow"), &lines)?;
        for tag in tags {
            let mut target = tag.commit.clone();
            if tag.annotated {
                let (commit, name) = (&tag.commit, &tag.tag);
                let tagger = "tagger Unspecified Tagger <unspecified-tagger> 0 +0000";
                let content = format!("object {commit}\ntype commit\ntag {name}\n{tagger}\n");
                target = hash_object(git(), "tag", content.as_bytes())?;
            }
            tool::run(git().args(["tag", "--", &tag.tag, &target]), "git cannot make a tag")?;
        }
        write(&place.join(".git/HEAD"), &format!("{commit}\n"))?;
        Tree::load(&store.cas(), &import(&place.join(".git"), store)?)
    }

    /// The commit checked out in a clone of the mirror, with its `.git` (kinds git_tag and git_module).
    pub(in crate::doing::source) fn clone_at(&self, commit: &str, store: &Store, url: &str) -> Result<Tree> {
        let scratch = scratch(store)?;
        let place = scratch.path();
        let mut clone = git_in(self.place());
        clone.env_remove("GIT_DIR").args(["-c", "core.logAllRefUpdates=false", "clone", "--quiet", "--no-checkout"]);
        clone.args(["--no-hardlinks", "--"]).arg(self.place()).arg(place);
        tool::run(&mut clone, "git cannot clone a mirror")?;
        let run = |arguments: &[&str]| {
            let mut command = git_in(place);
            command.env_remove("GIT_DIR").args(["-c", "core.logAllRefUpdates=false"]).args(arguments);
            tool::run(&mut command, "git cannot check a commit out")
        };
        run(&["checkout", "--quiet", "--force", commit])?;
        // What tells of this machine and of this moment.
        run(&["remote", "set-url", "origin", url])?;
        let git = place.join(".git");
        for name in ["logs", "index"] {
            let path = git.join(name);
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            match removed {
                Err(error) if !crate::store::fs::is_absent(&error) => {
                    return Err(Error::io("cannot remove", &path, error));
                }
                _ => {}
            }
        }
        run(&["read-tree", "HEAD"])?;
        Tree::load(&store.cas(), &import(place, store)?)
    }

    fn resolve(&self, name: &str) -> Result<String> {
        let mut command = self.git();
        command.args(["rev-parse", "--quiet", "--verify", "--end-of-options", name]);
        let output = tool::run(&mut command, &format!("the mirror has no {name}"))?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// The commits from `base` to `commit`, both included.
    fn between(&self, commit: &str, base: &str, reader: &mut ObjectReader) -> Result<BTreeSet<String>> {
        if commit == base {
            return Ok(BTreeSet::from([commit.to_owned()]));
        }
        let (_, content) = reader.read(base)?;
        let mut command = self.git();
        command.args(["rev-list", commit]);
        for parent in fields(&content, "parent") {
            if reader.has(&parent)? {
                command.arg(format!("^{parent}"));
            }
        }
        let output = tool::run(&mut command, "git cannot list the commits since a tag")?;
        Ok(String::from_utf8_lossy(&output).lines().map(str::to_owned).collect())
    }

    /// An index without the times of any file: git looks at the files themselves when it is asked.
    fn index(&self, commit: &str, store: &Store) -> Result<Vec<u8>> {
        let scratch = scratch(store)?;
        let path = scratch.path().join("index");
        let mut command = self.git();
        command.env("GIT_INDEX_FILE", &path).args(["read-tree", commit]);
        tool::run(&mut command, "git cannot make an index")?;
        std::fs::read(&path).map_err(|error| Error::io("cannot read", &path, error))
    }
}

/// A tag that a source carries along.
#[derive(Clone, Debug)]
pub(in crate::doing::source) struct Tag {
    pub(in crate::doing::source) tag: String,
    pub(in crate::doing::source) commit: String,
    pub(in crate::doing::source) annotated: bool,
}

/// Adds directories and the links in them, each once.
fn collect_trees(
    mut waiting: Vec<String>,
    reader: &mut ObjectReader,
    objects: &mut BTreeMap<String, Vec<u8>>,
) -> Result<()> {
    while let Some(id) = waiting.pop() {
        if objects.contains_key(&id) {
            continue;
        }
        let (kind, content) = reader.read(&id)?;
        for (mode, id) in entries(&content) {
            match mode.as_str() {
                "40000" => waiting.push(id),
                "120000" if !objects.contains_key(&id) => {
                    let (kind, content) = reader.read(&id)?;
                    objects.insert(id, loose(&kind, &content)?);
                }
                _ => {}
            }
        }
        objects.insert(id, loose(&kind, &content)?);
    }
    Ok(())
}

/// The entries of a directory's object: `MODE NAME\0` and 20 bytes each.
fn entries(mut content: &[u8]) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    while let Some(end) = content.iter().position(|b| *b == 0) {
        let mode = content[..end].split(|b| *b == b' ').next().unwrap_or_default();
        let Some(id) = content.get(end + 1..end + 21) else { break };
        let id = id.iter().map(|b| format!("{b:02x}")).collect();
        entries.push((String::from_utf8_lossy(mode).into_owned(), id));
        content = &content[end + 21..];
    }
    entries
}

/// An object as a file of its own.
fn loose(kind: &str, content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = write!(encoder, "{kind} {}\0", content.len()).and_then(|()| encoder.write_all(content));
    written
        .and_then(|()| encoder.finish())
        .map_err(|error| unusable(format!("an object cannot be compressed: {error}")))
}

/// The values of a header line of a commit or a tag.
fn fields<'a>(content: &'a [u8], name: &'a str) -> impl Iterator<Item = String> + 'a {
    let header = content.split(|b| *b == b'\n').take_while(|line| !line.is_empty());
    header.filter_map(move |line| {
        let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b" ")?;
        Some(String::from_utf8_lossy(value).into_owned()).filter(|value| super::is_commit(value))
    })
}

fn field(content: &[u8], name: &str) -> Option<String> {
    fields(content, name).next()
}

fn put(tree: &mut Tree, batch: &Batch, path: &str, content: &[u8]) -> Result<()> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let digest = batch.put(content)?;
    tree.make(directory)?.insert(name.to_owned(), Entry::file(name.to_owned(), &digest, false));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| Error::io("cannot write", path, error))
}

/// Stores an object in a repository: its name.
fn hash_object(mut git: std::process::Command, kind: &str, content: &[u8]) -> Result<String> {
    git.args(["hash-object", "-w", "-t", kind, "--stdin"]);
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn().map_err(|error| tool::cannot_run(&git, &error))?;
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(content));
    let output = child.wait_with_output().map_err(|error| tool::cannot_run(&git, &error))?;
    if !output.status.success() || written.is_err() {
        return Err(tool::failed("git cannot store an object", &output));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Asks git for one object after the other.
struct ObjectReader {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl ObjectReader {
    fn start(mirror: &Mirror) -> Result<ObjectReader> {
        let mut command = mirror.git();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| tool::cannot_run(&command, &error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => {
                Ok(ObjectReader { child, input: Some(input), output: BufReader::new(output) })
            }
            _ => Err(unusable("git has no pipes")),
        }
    }

    /// The kind and the content of an object, if it is there.
    fn look(&mut self, id: &str) -> Result<Option<(String, Vec<u8>)>> {
        let broken = |error: std::io::Error| unusable(format!("git ended while objects were read: {error}"));
        let mut input = self.input.as_ref().ok_or_else(|| unusable("git has no pipes"))?;
        input.write_all(format!("{id}\n").as_bytes()).map_err(broken)?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(broken)?;
        let mut words = line.split_whitespace();
        let (Some(_), Some(kind), Some(size)) = (words.next(), words.next(), words.next()) else { return Ok(None) };
        let size: u64 = size.parse().map_err(|_| unusable("git answers in an unknown form"))?;
        if size > LARGEST_OBJECT {
            return Err(unusable(format!("the object {id} is larger than 256 MiB")));
        }
        let mut content = Vec::new();
        self.output.by_ref().take(size + 1).read_to_end(&mut content).map_err(broken)?;
        content.pop();
        Ok(Some((kind.to_owned(), content)))
    }

    fn has(&mut self, id: &str) -> Result<bool> {
        Ok(self.look(id)?.is_some())
    }

    fn read(&mut self, id: &str) -> Result<(String, Vec<u8>)> {
        self.look(id)?.ok_or_else(|| unusable(format!("the mirror lacks the object {id}")))
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        // Without input git ends by itself.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
