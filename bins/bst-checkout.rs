//! Writes artifacts into a directory or a tar stream: bst-checkout(1).

use bst_plumbing::doing::checkout::{Deps, Plan, Taken};
use bst_plumbing::edge::cli::{self, Arguments, programs::CHECKOUT};
use bst_plumbing::edge::{environment, pipe};
use bst_plumbing::store::checkout::{Checkout, FIXED_TIME};
use bst_plumbing::store::lease::Lease;
use bst_plumbing::store::tree::{self, Node, Tree};
use bst_plumbing::store::{Store, naming};
use bst_plumbing::values::{Digest, Error, Exit, Record, Result};
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&CHECKOUT, |arguments| {
        let store = Store::new(environment::store_root()?);
        let plan = Plan {
            store: &store,
            deps: deps(arguments)?,
            tree: arguments.text("tree")?.unwrap_or("files"),
            allow_failed: arguments.has("allow-failed"),
        };
        let target = Target::of(arguments)?;
        // Read-only stores can be checked out from, too.
        let lease = Lease::take(&store).ok();
        let mut names = Vec::new();
        if arguments.operands().is_empty() {
            names = plan.of_records(&records()?)?;
        }
        for word in arguments.operand_texts()? {
            names.extend(plan.of_name(&naming::name(&store, word)?)?);
        }
        if names.is_empty() {
            return Err(Error::usage("there is nothing to check out: no record and no name came"));
        }
        let mut taken = plan.take(&names)?;
        tell(&taken);
        if let Some(path) = arguments.text("path")? {
            taken.tree.root = below(&taken.tree, path)?;
        }
        if let Some(lease) = &lease {
            lease.protect(&taken.tree.root)?;
        }
        target.write(&store, &taken.tree)?;
        Ok(Exit::Done)
    })
}

fn records() -> Result<Vec<Record>> {
    let mut reader = pipe::Reader::new(std::io::stdin());
    std::iter::from_fn(|| reader.next_record()).collect()
}

fn deps(arguments: &Arguments) -> Result<Deps> {
    Ok(match arguments.text("deps")? {
        Some("none") => Deps::None,
        Some("build") => Deps::Build,
        Some("all") => Deps::All,
        Some("run") if !arguments.operands().is_empty() => {
            return Err(Error::usage(
                "an artifact does not say what it needs to run: pass records (bst-key TARGET | bst-checkout ...)",
            ));
        }
        Some(_) => Deps::Run,
        None if arguments.operands().is_empty() => Deps::Run,
        None => Deps::None,
    })
}

fn tell(taken: &Taken) {
    for name in &taken.failures {
        eprintln!("{}: {name} is what a failed build left", CHECKOUT.name);
    }
    for path in &taken.left_out {
        eprintln!("{}: /{path} is left out: a directory is in its place", CHECKOUT.name);
    }
}

fn below(whole: &Tree, path: &str) -> Result<Digest> {
    match tree::find_in(|digest| whole.directory(digest).map(|message| (**message).clone()), &whole.root, path)? {
        Node::Directory(digest) => Ok(digest),
        _ => Err(Error::usage(format!("--path: \"{}\" is no directory of the tree", path.escape_default()))),
    }
}

/// Where it goes.
enum Target<'a> {
    Directory(&'a Path, Checkout),
    Tar(&'a OsStr, Option<i64>),
}

impl<'a> Target<'a> {
    fn of(arguments: &'a Arguments) -> Result<Target<'a>> {
        let mtime = match arguments.text("mtime")? {
            Some("fixed") => Some(FIXED_TIME),
            _ => arguments.parsed("mtime", "seconds since 1970, or fixed")?,
        };
        match (arguments.value("directory"), arguments.value("tar")) {
            (Some(directory), None) => {
                let directory = Path::new(directory);
                let replace = arguments.has("force");
                let is_empty = directory.read_dir().map_or(true, |mut entries| entries.next().is_none());
                if !replace && !is_empty {
                    let place = directory.display();
                    return Err(Error::usage(format!("{place} is not empty; --force writes over what is there")));
                }
                let link = arguments.has("hardlinks");
                let verify = !arguments.has("no-verify");
                Ok(Target::Directory(directory, Checkout { link, mtime, replace, verify }))
            }
            (None, Some(file)) => Ok(Target::Tar(file, mtime)),
            _ => Err(Error::usage("say where to: --directory=DIR or --tar=FILE")),
        }
    }

    fn write(&self, store: &Store, tree: &Tree) -> Result<()> {
        match self {
            Target::Directory(path, how) => store.cas().checkout_tree(tree, path, *how),
            Target::Tar(file, mtime) if *file == "-" => {
                store.cas().write_tar(tree, *mtime, std::io::BufWriter::new(std::io::stdout().lock()))
            }
            Target::Tar(file, mtime) => {
                let path = Path::new(file);
                let file = std::fs::File::create(path).map_err(|error| Error::io("cannot write", path, error))?;
                store.cas().write_tar(tree, *mtime, std::io::BufWriter::new(file))
            }
        }
    }
}
