//! Prints blobs of the store, or lists directories of it: bst-cat(1).

use bst_plumbing::edge::{cli, environment};
use bst_plumbing::store::Store;
use bst_plumbing::values::{Digest, Error, Exit, directory};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&cli::programs::CAT, |arguments| {
        let cas = Store::new(environment::store_root()?).cas();
        let mut out = std::io::stdout().lock();
        let failed = |error| Error::io("cannot write to", Path::new("stdout"), error);
        for text in arguments.operand_texts()? {
            let digest: Digest = text.parse()?;
            if arguments.has("list") {
                for node in directory::decode(&cas.read(&digest)?)?.files {
                    writeln!(out, "{}", node.name).map_err(failed)?;
                }
            } else {
                std::io::copy(&mut cas.open(&digest)?, &mut out).map_err(failed)?;
            }
        }
        Ok(Exit::Done)
    })
}
