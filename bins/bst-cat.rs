//! Prints blobs of the store, or lists directories of it: bst-cat(1).

use bst_plumbing::edge::{cli, environment, long::Long};
use bst_plumbing::store::part::{self, Part};
use bst_plumbing::store::{Store, tree::Node};
use bst_plumbing::values::{Error, Exit, Result};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::CAT, |arguments| {
        let store = Store::new(environment::store_root()?);
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let recursive = arguments.has("recursive");
        let list = arguments.has("list") || recursive;
        let long = Long { digests: arguments.has("digests"), recursive };
        for word in arguments.operand_texts()? {
            match part::find(&store, word, list)? {
                Part::Node(node, name) if list => long.list(&store.cas(), &node, &name, &mut out)?,
                Part::Node(node, _) => print(&store, &node, word, &mut out)?,
                Part::Artifact(parts) => {
                    for (name, digest) in parts {
                        writeln!(out, "{digest} {name}").map_err(failed)?;
                    }
                }
            }
        }
        out.flush().map_err(failed)?;
        Ok(Exit::Done)
    })
}

fn print(store: &Store, node: &Node, word: &str, out: &mut impl Write) -> Result<()> {
    match node {
        Node::File { digest, .. } => store.cas().copy_to(digest, out),
        Node::Symlink { target } => writeln!(out, "{target}").map_err(failed),
        Node::Directory(_) => Err(Error::usage(format!("{word} is a directory; --list lists it"))),
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io("cannot write to", Path::new("stdout"), error)
}
