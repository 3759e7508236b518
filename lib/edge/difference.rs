//! Differences as lines for people, or as records.

use crate::store::compare::{Change, Difference, FileChange, Kind};
use crate::values::{Record, Result};
use serde_json::{Value, json};

/// A difference of inputs as text: `ELEMENT: PATH: OLD -> NEW`, or with a line for each item that went or came.
pub fn text(difference: &Difference) -> String {
    let head = format!("{}: {}", difference.element, difference.path);
    match &difference.change {
        Change::Added(new) => format!("{head}: (none) -> {new}\n"),
        Change::Removed(old) => format!("{head}: {old} -> (none)\n"),
        Change::Changed(old, new) => format!("{head}: {old} -> {new}\n"),
        Change::Items(items) => {
            let mut text = format!("{head}:\n");
            for (is_new, item) in items {
                let sign = if *is_new { '+' } else { '-' };
                for line in item.lines() {
                    text += &format!("  {sign} {line}\n");
                }
            }
            text
        }
    }
}

/// The same as a record.
pub fn record(difference: &Difference) -> Result<Record> {
    let mut value = json!({ "path": difference.path });
    match &difference.change {
        Change::Added(new) => value["new"] = new.clone(),
        Change::Removed(old) => value["old"] = old.clone(),
        Change::Changed(old, new) => {
            value["old"] = old.clone();
            value["new"] = new.clone();
        }
        Change::Items(items) => {
            let of = |wanted: bool| -> Value {
                items.iter().filter(|(is_new, _)| *is_new == wanted).map(|(_, item)| item.clone()).collect()
            };
            value["removed"] = of(false);
            value["added"] = of(true);
        }
    }
    let mut record = Record::default();
    record.set("element", &difference.element)?;
    record.set("diff", &value)?;
    Ok(record)
}

/// A file that differs as text: a letter as git has it, and the path.
pub fn file_text(change: &FileChange) -> String {
    let sizes = match change.sizes {
        (Some(old), Some(new)) if change.kind == Kind::Changed => format!(" ({old} -> {new} bytes)"),
        _ => String::new(),
    };
    let path: String = change
        .path
        .chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect();
    format!("{} {path}{sizes}\n", letter(change.kind))
}

/// The same as a record.
pub fn file_record(change: &FileChange) -> Result<Record> {
    let mut record = Record::default();
    record.set("diff", &json!({ "change": letter(change.kind), "file": change.path }))?;
    Ok(record)
}

fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "A",
        Kind::Removed => "D",
        Kind::Changed => "M",
        Kind::Mode => "X",
    }
}
