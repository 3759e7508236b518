//! Verifies the store: bst-fsck(1).

use bst_plumbing::edge::cli::{self, programs::FSCK};
use bst_plumbing::edge::{environment, pipe, size};
use bst_plumbing::store::fsck::{self, Problem};
use bst_plumbing::store::inventory::Inventory;
use bst_plumbing::store::{Store, lease::Lease};
use bst_plumbing::values::{Exit, Record, Result};
use serde_json::json;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&FSCK, |arguments| {
        let store = Store::new(environment::store_root()?);
        let repair = arguments.has("repair");
        let _lease = if repair { Some(Lease::take(&store)?) } else { None };
        let report = fsck::check(&store, repair)?;
        let mut writer = pipe::stdout();
        for problem in &report.problems {
            writer.push(&record(&store, problem)?)?;
        }
        writer.flush()?;
        if !arguments.has("quiet") {
            eprintln!(
                "{}: {} in {} blobs and {} refs verified, {} problems{}",
                FSCK.name,
                size::show(report.bytes),
                report.objects,
                report.refs,
                report.problems.len(),
                if repair && !report.problems.is_empty() { ", put aside" } else { "" },
            );
        }
        Ok(if repair || report.problems.is_empty() { Exit::Done } else { Exit::Damaged })
    })
}

fn record(store: &Store, problem: &Problem) -> Result<Record> {
    let mut record = match &problem.name {
        Some(name) => Inventory::new(store).record(name)?,
        None => Record::default(),
    };
    let relative = |path: &std::path::Path| path.strip_prefix(store.root()).unwrap_or(path).display().to_string();
    let mut found = json!({
        "path": relative(&problem.path),
        "problem": problem.problem,
        "what": problem.what.word(),
    });
    if !problem.affects.is_empty() {
        found["affects"] = problem.affects.iter().map(ToString::to_string).collect();
    }
    if let Some(path) = &problem.moved_to {
        found["moved_to"] = relative(path).into();
    }
    record.set("fsck", &found)?;
    Ok(record)
}
