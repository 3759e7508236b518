//! What the programs emit is what bst-record(5) says, and nothing beyond it.

use crate::schema::schema;
use crate::support::Place;
use serde_json::{Map, Value, json};

/// The schema with no room for fields that it does not list: readers accept those, our programs write none.
fn strict() -> Value {
    let schema = schema();
    let mut closed = schema.clone();
    close(&mut closed, &schema);
    closed
}

/// Closes every object with listed properties. A variant that refers to a definition takes its properties over,
/// because a closed definition would not let the variant's own tag pass.
fn close(value: &mut Value, root: &Value) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str).map(str::to_owned);
            if let (Some(reference), true) = (reference, object.contains_key("properties")) {
                let definition = root.pointer(reference.trim_start_matches('#')).expect("the definition");
                let own: Map<String, Value> = object["properties"].as_object().expect("properties").clone();
                let mut all = definition["properties"].as_object().expect("properties").clone();
                all.extend(own);
                object.insert("properties".to_owned(), Value::Object(all));
                object.remove("$ref");
            }
            object.values_mut().for_each(|value| close(value, root));
            if object.get("properties").is_some_and(Value::is_object)
                && object.get("type").is_some_and(|t| t == "object")
            {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| close(value, root)),
        _ => {}
    }
}

/// Fails unless every line of the output is a record.
#[track_caller]
fn assert_records(out: &str, what: &str) -> Vec<Value> {
    let validator = jsonschema::validator_for(&strict()).expect("a schema");
    let records: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for record in &records {
        let errors: Vec<String> =
            validator.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {}\n{record}", errors.join("\n"));
    }
    records
}

#[test]
fn the_strict_schema_refuses_what_it_does_not_know() {
    let validator = jsonschema::validator_for(&strict()).expect("a schema");
    let key = "a".repeat(64);
    let good = json!({"v": 1, "element": "a.bst", "key": key, "cache": {"state": "absent"}});
    assert!(validator.is_valid(&good));
    for (pointer, value) in [
        ("/other", json!(1)),
        ("/cache/other", json!(1)),
        ("/cache/state", json!("gone")),
        ("/key", json!("xyz")),
        ("/key", Value::Null),
        ("/element", json!(["a"])),
    ] {
        let mut bad = good.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        bad.pointer_mut(parent).expect("the parent")[name] = value;
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

#[test]
fn every_stage_of_the_pipeline_emits_records() {
    let place = Place::new();
    place.demo_project("project");
    place.write("project/elements/broken.bst", "kind: manual\nconfig:\n  wrong-commands: []\n");
    place.write(
        "project/elements/norefs.bst",
        "kind: import\nsources:\n- kind: tar\n  url: https://example.org/x.tar\n",
    );
    place.write("hook", "#!/bin/sh\necho '{\"action\":\"continue\",\"note\":\"seen\"}'\n");
    let stages = [
        ("keys", "bst-key -C project --all"),
        ("a target", "bst-key -C project app.bst"),
        ("absent", "bst-key -C project all.bst | bst-cache-query"),
        ("fetched", "bst-key -C project all.bst | bst-fetch"),
        ("a base", "bst-key -C project base.bst | bst-cache-query | bst-schedule"),
        ("built", "bst-key -C project --deps=none parser.bst | bst-build | tee built"),
        ("committed", "bst-commit-artifact <built"),
        ("a run", "bst-key -C project all.bst | bst-cache-query | bst-schedule --on-error=exec:'sh hook'"),
        ("a second run", "bst-key -C project all.bst | bst-cache-query | bst-schedule --on-error=continue"),
        ("a retry", "bst-key -C project all.bst | bst-cache-query | bst-schedule --retry=failed --on-error=quit"),
        ("the store", "bst-cache-query --all"),
    ];
    let mut seen = Vec::new();
    for (what, command) in stages {
        let run = place.sh(command);
        let records = assert_records(&run.out, what);
        assert!(!records.is_empty(), "{what}: {}", run.err);
        seen.extend(records);
    }
    // A stage that emits nothing of interest would prove nothing.
    for pointer in [
        "/stage/0",
        "/depends/0",
        "/sources/0/config",
        "/build/instructions/commands/0",
        "/cache/state",
        "/error/file",
        "/work/dir",
        "/result/class",
        "/result/log_tail",
        "/artifact/ref",
        "/schedule/blocked_by/0",
        "/schedule/decisions/0",
    ] {
        assert!(seen.iter().any(|record| record.pointer(pointer).is_some()), "no record with {pointer} was seen");
    }
    for action in ["built", "cached", "replayed", "blocked"] {
        assert!(seen.iter().any(|record| record.pointer("/schedule/action") == Some(&json!(action))), "none {action}");
    }
}
