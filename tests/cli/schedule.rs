//! bst-schedule with CMDs of the tests' own. `$BST_STORE` is empty unless a test fills it.

mod decisions;
mod hooks;
mod input;
mod jobs;
mod order;
mod signals;
mod stored;
mod terminal;

use crate::support::{Place, Run};
use serde_json::{Value, json};

/// A record as bst-key and bst-cache-query write it, with nothing in the store: the key is made of the name.
/// `depends` are names with `:build`, `:runtime` or nothing behind them.
pub fn record(name: &str, depends: &[&str]) -> Value {
    let depends: Vec<Value> = depends
        .iter()
        .map(|text| {
            let (name, when) = text.split_once(':').unwrap_or((text, "all"));
            json!({"element": format!("{name}.bst"), "project": "p", "key": key(name), "type": when})
        })
        .collect();
    json!({"v": 1, "project": "p", "element": format!("{name}.bst"), "key": key(name), "depends": depends,
           "cache": {"state": "absent"}, "x-name": name})
}

pub fn key(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect::<String>() + &"0".repeat(64 - 2 * name.len())
}

/// The record of an element that is there.
pub fn cached(name: &str, depends: &[&str]) -> Value {
    let mut record = record(name, depends);
    record["cache"] = json!({"state": "cached", "by": "strict", "key": key(name), "where": "local"});
    record
}

/// The record of an element with a failure in the store.
pub fn failed(name: &str, class: &str) -> Value {
    let mut record = record(name, &[]);
    record["cache"] = json!({"state": "failed", "by": "strict", "key": key(name), "where": "local"});
    record["result"] = json!({"success": false, "class": class, "description": "Command failed", "host": "far",
                              "finished": "2026-01-31T12:00:00Z", "attempt": 1});
    record
}

/// The same record with another field.
pub fn with(mut record: Value, field: &str, value: Value) -> Value {
    record[field] = value;
    record
}

pub fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Writes a CMD in sh, for which `$e` is the element's name and `$r` the record.
pub fn cmd(place: &Place, script: &str) {
    let name = "read -r r; e=${r##*'\"x-name\":\"'}; e=${e%%\\\"*}";
    place.write("cmd", format!("{name}\n{script}\n"));
}

/// Runs bst-schedule with such a CMD.
pub fn schedule(place: &Place, options: &[&str], script: &str, records: &[Value]) -> Run {
    cmd(place, script);
    let mut arguments = options.to_vec();
    arguments.extend(["--", "sh", "./cmd"]);
    place.run("bst-schedule", &arguments, &lines(records))
}

/// `element action` of each record.
pub fn actions(run: &Run) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    run.records().iter().map(|r| word(&r["element"]).replace(".bst", " ") + &word(&r["schedule"]["action"])).collect()
}

/// The lines of a file that CMD or a hook wrote; none if it never ran.
pub fn read_lines(place: &Place, file: &str) -> Vec<String> {
    std::fs::read_to_string(place.path(file)).unwrap_or_default().lines().map(str::to_owned).collect()
}
