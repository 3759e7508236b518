//! A commit's files straight from the mirror into the store, without a working tree.

use super::{Mirror, unusable};
use crate::doing::source::tool;
use crate::doing::source::tree::{Entry, Tree};
use crate::store::batch::Batch;
use crate::values::{Digest, Result, name, proto};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdout, Stdio};

/// What `git ls-tree` says of one name.
struct Item {
    mode: String,
    object: String,
    path: String,
}

/// Links that are longer cannot be made.
const LONGEST_TARGET: u64 = 4095;

impl Mirror {
    /// The tree of a commit, with every file as it is in the repository.
    pub(in crate::doing::source) fn tree(&self, commit: &str, batch: &Batch) -> Result<Tree> {
        let items = self.list(commit)?;
        let mut tree = Tree::default();
        let blobs: Vec<&Item> = items.iter().filter(|item| item.mode != "160000").collect();
        let mut contents = self.contents(&blobs, batch)?.into_iter();
        for item in &items {
            let (directory, name) = item.path.rsplit_once('/').unwrap_or(("", &item.path));
            let name = name.to_owned();
            if !name::is_component(&name) || item.path.split('/').any(|name| name == ".." || name == ".") {
                return Err(unusable(format!("commit {commit} has a file named \"{}\"", item.path.escape_debug())));
            }
            let entry = match item.mode.as_str() {
                // A submodule: an empty directory, which its own tree may fill.
                "160000" => Entry::Open(Tree::default()),
                mode => match contents.next() {
                    Some(Content::Link(target)) => {
                        Entry::Link(proto::SymlinkNode { name: name.clone(), target, node_properties: None })
                    }
                    Some(Content::File(digest)) => Entry::file(name.clone(), &digest, mode == "100755"),
                    None => return Err(unusable(format!("git told of fewer files than commit {commit} has"))),
                },
            };
            tree.make(directory)?.insert(name, entry);
        }
        Ok(tree)
    }

    fn list(&self, commit: &str) -> Result<Vec<Item>> {
        let mut command = self.git();
        command.args(["ls-tree", "-r", "-z", "--full-tree", commit]);
        let listing = tool::run(&mut command, "git cannot list the files of a commit")?;
        let mut items = Vec::new();
        for line in listing.split(|b| *b == 0).filter(|line| !line.is_empty()) {
            let line = std::str::from_utf8(line)
                .map_err(|_| unusable(format!("commit {commit} has a file whose name is no UTF-8")))?;
            let parts = line.split_once('\t').and_then(|(facts, path)| {
                let mut facts = facts.split(' ');
                Some((facts.next()?.to_owned(), facts.nth(1)?.to_owned(), path.to_owned()))
            });
            let (mode, object, path) = parts.ok_or_else(|| unusable("git lists files in an unknown form"))?;
            items.push(Item { mode, object, path });
        }
        Ok(items)
    }

    /// The content of objects, in order.
    fn contents(&self, items: &[&Item], batch: &Batch) -> Result<Vec<Content>> {
        let mut command = self.git();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| tool::cannot_run(&command, &error))?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unusable("git has no pipes"));
        };
        let names: String = items.iter().map(|item| format!("{}\n", item.object)).collect();
        let contents = std::thread::scope(|scope| {
            // A thread of its own: git answers while it is still asked. If git is gone, reading finds out.
            scope.spawn(move || drop(input.write_all(names.as_bytes())));
            read_all(items, BufReader::with_capacity(1 << 17, output), batch)
        });
        // On an error the pipe is closed by now, and git ends by itself.
        let ended = child.wait().is_ok_and(|status| status.success());
        let contents = contents?;
        if ended { Ok(contents) } else { Err(unusable("git could not read all objects of the mirror")) }
    }
}

enum Content {
    File(Digest),
    Link(String),
}

fn read_all(items: &[&Item], mut output: BufReader<ChildStdout>, batch: &Batch) -> Result<Vec<Content>> {
    let mut contents = Vec::with_capacity(items.len());
    let mut buffer = Vec::new();
    for item in items {
        let size = read_header(&mut output, item)?;
        let mut content = output.by_ref().take(size);
        contents.push(if item.mode == "120000" {
            let mut target = String::new();
            if size > LONGEST_TARGET || content.read_to_string(&mut target).is_err() || target.contains('\0') {
                return Err(unusable(format!("the link \"{}\" has no usable target", item.path.escape_debug())));
            }
            Content::Link(target)
        } else {
            let digest = batch.put_reader_with(&mut content, &mut buffer)?;
            if digest.size() != size {
                return Err(unusable("git ended in the middle of a file"));
            }
            Content::File(digest)
        });
        let mut end = [0];
        output.read_exact(&mut end).map_err(|error| unusable(format!("git ended early: {error}")))?;
    }
    Ok(contents)
}

/// `OBJECT blob SIZE`
fn read_header(output: &mut BufReader<ChildStdout>, item: &Item) -> Result<u64> {
    let mut line = Vec::new();
    output
        .by_ref()
        .take(200)
        .read_until(b'\n', &mut line)
        .map_err(|error| unusable(format!("git ended early: {error}")))?;
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next().and_then(|size| size.parse().ok())) {
        (Some(object), Some("blob"), Some(size)) if object == item.object => Ok(size),
        _ => Err(unusable(format!("the mirror lacks the object {} of {}", item.object, item.path.escape_debug()))),
    }
}
