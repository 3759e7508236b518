//! Says what differs between two keys and between their files: bst-diff(1).

use bst_plumbing::edge::cli::{self, Arguments, programs::DIFF};
use bst_plumbing::edge::{difference, environment};
use bst_plumbing::store::inventory::Inventory;
use bst_plumbing::store::{Store, compare, naming, part};
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::{Code, Digest, Error, Exit, Record, Result};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&DIFF, |arguments| {
        let store = Store::new(environment::store_root()?);
        let (inputs, files) = (arguments.has("inputs"), arguments.has("files"));
        let mut out = Out { json: arguments.has("json"), text: Vec::new() };
        match arguments.operand_texts()?[..] {
            [old, new] => {
                if let (Ok(old), Ok(new)) = (old.parse::<Digest>(), new.parse::<Digest>()) {
                    out.files(&compare::trees(&store.cas(), &old, &new)?)?;
                } else {
                    let pair = (naming::name_or_key(&store, old)?, naming::name_or_key(&store, new)?);
                    both(&store, arguments, &pair, inputs || !files, files || !inputs, &mut out)?;
                }
            }
            [key] => {
                let name = naming::name(&store, key)?;
                let old = Inventory::new(&store).last_success(&name)?.ok_or_else(|| {
                    Error::not_found(format!("the store has no success of {}/{}", name.project(), name.element()))
                })?;
                eprintln!("{}: against {old}", DIFF.name);
                both(&store, arguments, &(old, name), inputs || !files, files || !inputs, &mut out)?;
            }
            _ => return Err(Error::usage("one key, or two")),
        }
        let failed = |error| Error::io("cannot write to", Path::new("stdout"), error);
        std::io::stdout().lock().write_all(&out.text).map_err(failed)?;
        Ok(Exit::Done)
    })
}

/// What was asked for; where both were, what cannot be told of one of them is said and the other is shown.
fn both(
    store: &Store,
    arguments: &Arguments,
    pair: &(ArtifactName, ArtifactName),
    inputs: bool,
    files: bool,
    out: &mut Out,
) -> Result<()> {
    let mut outcomes = Vec::new();
    if inputs {
        let found = compare::inputs(store, &pair.0.key(), &pair.1.key());
        outcomes.push(found.and_then(|found| found.iter().try_for_each(|difference| out.input(difference))));
    }
    if files {
        let tree = arguments.text("tree")?.unwrap_or("files");
        let digest = |name: &ArtifactName| part::part_of(name, &part::read(store, name)?, tree);
        let found = digest(&pair.0).and_then(|old| compare::trees(&store.cas(), &old, &digest(&pair.1)?));
        outcomes.push(found.and_then(|found| out.files(&found)));
    }
    let is_any_good = outcomes.iter().any(Result::is_ok);
    for outcome in outcomes {
        match outcome {
            Err(error) if is_any_good && error.code() == Code::NotFound => eprintln!("{}: {error}", DIFF.name),
            other => other?,
        }
    }
    Ok(())
}

struct Out {
    json: bool,
    text: Vec<u8>,
}

impl Out {
    fn input(&mut self, found: &compare::Difference) -> Result<()> {
        if self.json {
            return difference::record(found)?.write_line(&mut self.text);
        }
        self.text.extend(difference::text(found).into_bytes());
        Ok(())
    }

    fn files(&mut self, found: &[compare::FileChange]) -> Result<()> {
        for change in found {
            if self.json {
                let record: Record = difference::file_record(change)?;
                record.write_line(&mut self.text)?;
            } else {
                self.text.extend(difference::file_text(change).into_bytes());
            }
        }
        Ok(())
    }
}
