//! Directories of the store as lines for people, in the manner of `ls -l`.

use crate::store::cas::Cas;
use crate::store::tree::{Node, read_directory};
use crate::values::{Digest, Error, Result, directory, proto};
use std::io::Write;
use std::path::Path;

/// How directories are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Long {
    /// The digest of each entry, before its name.
    pub digests: bool,
    /// Directories below are listed, too; names are paths then.
    pub recursive: bool,
}

impl Long {
    /// Lists what a node is: a directory's entries, or the node itself.
    pub fn list(self, cas: &Cas, node: &Node, name: &str, out: &mut impl Write) -> Result<()> {
        match node {
            Node::Directory(digest) => {
                let mut waiting = vec![(String::new(), *digest)];
                while let Some((prefix, digest)) = waiting.pop() {
                    let message = read_directory(cas, &digest)?;
                    waiting.extend(self.entries(&message, &prefix, out)?.into_iter().rev());
                }
                Ok(())
            }
            Node::File { digest, executable } => self.line(out, mode(*executable), Some(digest), name, None),
            Node::Symlink { target } => self.line(out, "lrwxrwxrwx", None, name, Some(target)),
        }
    }

    /// Lists the entries of a directory by name; returns the directories among them that are still to be
    /// listed.
    fn entries(self, message: &proto::Directory, prefix: &str, out: &mut impl Write) -> Result<Vec<(String, Digest)>> {
        let mut nodes: Vec<(&str, Node)> = Vec::new();
        for node in &message.directories {
            nodes.push((&node.name, Node::Directory(directory::node_digest(&node.digest, &node.name)?)));
        }
        for node in &message.files {
            let digest = directory::node_digest(&node.digest, &node.name)?;
            nodes.push((&node.name, Node::File { digest, executable: node.is_executable }));
        }
        nodes.extend(message.symlinks.iter().map(|node| (&*node.name, Node::Symlink { target: node.target.clone() })));
        nodes.sort_by(|a, b| a.0.cmp(b.0));
        let mut below = Vec::new();
        for (name, node) in nodes {
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            match node {
                Node::Directory(digest) => {
                    self.line(out, "drwxr-xr-x", Some(&digest), &path, None)?;
                    if self.recursive {
                        below.push((path, digest));
                    }
                }
                Node::File { digest, executable } => self.line(out, mode(executable), Some(&digest), &path, None)?,
                Node::Symlink { target } => self.line(out, "lrwxrwxrwx", None, &path, Some(&target))?,
            }
        }
        Ok(below)
    }

    fn line(
        self,
        out: &mut impl Write,
        mode: &str,
        digest: Option<&Digest>,
        name: &str,
        target: Option<&str>,
    ) -> Result<()> {
        let size = match digest {
            Some(digest) if !mode.starts_with('d') => digest.size().to_string(),
            _ => "-".to_owned(),
        };
        let digest = match (self.digests, digest) {
            (true, Some(digest)) => format!(" {digest}"),
            (true, None) => " -".to_owned(),
            (false, _) => String::new(),
        };
        let target = target.map_or(String::new(), |target| format!(" -> {}", visible(target)));
        writeln!(out, "{mode} {size:>10}{digest} {}{target}", visible(name))
            .map_err(|error| Error::io("cannot write to", Path::new("stdout"), error))
    }
}

fn mode(executable: bool) -> &'static str {
    if executable { "-rwxr-xr-x" } else { "-rw-r--r--" }
}

/// A name with what would move a terminal's cursor, or end the line, made visible.
fn visible(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}
