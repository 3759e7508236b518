//! bst-schedule with CMDs of the tests' own. `$BST_STORE` is empty unless a test fills it.

use crate::support::{Place, Run};
use serde_json::{Value, json};

/// A record as bst-key and bst-cache-query write it: the key is made of the name. `depends` are names with
/// `:build`, `:runtime` or nothing behind them.
fn record(name: &str, depends: &[&str]) -> Value {
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

fn key(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect::<String>() + &"0".repeat(64 - 2 * name.len())
}

/// The same record with a failure from the store.
fn failed(name: &str, class: &str) -> Value {
    let mut record = record(name, &[]);
    record["cache"] = json!({"state": "failed", "by": "strict", "key": key(name), "where": "local"});
    record["result"] = json!({"success": false, "class": class, "description": "Command failed", "host": "far",
                              "finished": "2026-01-31T12:00:00Z"});
    record
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Runs bst-schedule with a CMD in sh, for which `$e` is the element's name and `$r` the record.
fn schedule(place: &Place, options: &[&str], script: &str, records: &[Value]) -> Run {
    let script =
        format!("read -r r; e=${{r##*'\"element\":\"'}}; e=${{r#*'\"element\":\"'}}; e=${{e%%.bst*}}\n{script}");
    place.write("cmd", script);
    let mut arguments = options.to_vec();
    arguments.extend(["--", "sh", "./cmd"]);
    place.run("bst-schedule", &arguments, &lines(records))
}

/// `element action` of each record.
fn actions(run: &Run) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    run.records().iter().map(|r| word(&r["element"]).replace(".bst", " ") + &word(&r["schedule"]["action"])).collect()
}

fn diamond() -> Vec<Value> {
    vec![record("a", &[]), record("b", &["a"]), record("c", &["a"]), record("d", &["b", "c"])]
}

#[test]
fn records_come_out_in_input_order_with_what_was_done() {
    let place = Place::new();
    let mut cached = record("x", &[]);
    cached["cache"] = json!({"state": "cached", "by": "strict", "key": key("x")});
    let mut records = diamond();
    records.insert(2, cached);
    records.reverse();
    let run = schedule(&place, &["-j4"], "exit 0", &records).exits(0);
    assert_eq!(actions(&run), ["d built", "c built", "x cached", "b built", "a built"]);
    assert_eq!(run.records()[0]["result"]["success"], true);
    assert!(run.err.contains("4 built, 1 cached"), "{}", run.err);
}

#[test]
fn a_cached_failure_is_replayed_and_blocks_what_needs_it() {
    let place = Place::new();
    let records = [failed("bad", "command"), record("top", &["bad"]), record("other", &[])];
    let run = schedule(&place, &["--on-error=continue"], "echo $e >>ran", &records).exits(4);
    assert_eq!(actions(&run), ["bad replayed", "top blocked", "other built"]);
    assert_eq!(run.records()[1]["schedule"]["blocked_by"], json!([{"element": "bad.bst", "key": key("bad")}]));
    assert_eq!(std::fs::read_to_string(place.path("ran")).expect("what ran"), "other\n");
    assert!(run.err.contains("a cached failure of 2026-01-31T12:00:00Z on far"), "{}", run.err);
}
