//! Frees space in the store: bst-gc(1).

use bst_plumbing::edge::cli::{self, Arguments, programs::GC};
use bst_plumbing::edge::{environment, pipe, selection, size};
use bst_plumbing::store::gc::{self, Dropped, Freed, Options};
use bst_plumbing::store::inventory::Inventory;
use bst_plumbing::store::{Store, roots::Kind};
use bst_plumbing::values::{Error, Exit, Record, Result};
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    cli::main(&GC, |arguments| {
        let store = Store::new(environment::store_root()?);
        let options = options(arguments)?;
        let freed = gc::collect(&store, &options)?;
        let mut writer = pipe::stdout();
        for dropped in &freed.dropped {
            writer.push(&record(&store, dropped)?)?;
        }
        writer.flush()?;
        tell(&freed, &options);
        Ok(if freed.over_quota { Exit::No } else { Exit::Done })
    })
}

fn options(arguments: &Arguments) -> Result<Options> {
    let quota = arguments.text("quota")?.map(size::parse).transpose()?;
    let percent = arguments.text("low-watermark")?.unwrap_or("80%");
    let percent: u64 = (percent.trim_end_matches('%').parse().ok().filter(|percent| *percent <= 100))
        .ok_or_else(|| Error::usage("--low-watermark wants a percentage, as 80%"))?;
    Ok(Options {
        quota,
        down_to: quota.map(|quota| quota / 100 * percent + quota % 100 * percent / 100),
        unused: selection::duration(arguments, "unused")?,
        grace: selection::duration(arguments, "grace")?.unwrap_or(Duration::from_secs(3600)),
        dry_run: arguments.has("dry-run"),
    })
}

fn record(store: &Store, dropped: &Dropped) -> Result<Record> {
    let mut record = match &dropped.root {
        Kind::Ref(name) | Kind::Kept(name) => Inventory::new(store).record(name)?,
        Kind::Source => Record::default(),
    };
    let path = dropped.path.strip_prefix(store.root()).unwrap_or(&dropped.path).display().to_string();
    record.set("gc", &json!({ "bytes": dropped.bytes, "path": path, "why": dropped.why.word() }))?;
    Ok(record)
}

fn tell(freed: &Freed, options: &Options) {
    let verb = if options.dry_run { "would free" } else { "freed" };
    eprintln!(
        "{}: {verb} {} in {} blobs, {} refs and sources, {} leftovers; {} in {} blobs are left",
        GC.name,
        size::show(freed.bytes),
        freed.blobs,
        freed.dropped.len(),
        freed.leftovers,
        size::show(freed.bytes_left),
        freed.blobs_left,
    );
    if freed.over_quota {
        eprintln!("{}: more than the quota is in use, or was within the grace period (--grace)", GC.name);
    }
}
