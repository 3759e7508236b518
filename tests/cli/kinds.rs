//! Every native kind, compared with what the real BuildStream made of the same project (tests/golden/kinds); and
//! kinds that a helper program knows.

use crate::support::{Place, Run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The records of every element of a project, by name.
fn all(place: &Place, project: &Path) -> BTreeMap<String, Value> {
    let run = Run::of(place.command("bst-key").arg("-C").arg(project).arg("--all"), "");
    run.records().into_iter().map(|record| (record["element"].as_str().expect("a name").to_owned(), record)).collect()
}

/// What of a record BuildStream has too.
fn comparable(record: &Value, expected: &Value) -> Value {
    let Some(expected) = expected.get("error") else {
        let field = |name: &str| record.get(name).cloned().unwrap_or(Value::Null);
        let error = Some(field("error")).filter(|error| error["code"] != "no-ref");
        return json!({"key": field("key"), "weak_key": field("weak_key"), "error": error});
    };
    let error = &record["error"];
    let mut compared = json!({"domain": error["domain"], "reason": error["reason"]});
    if expected.get("line").is_some() {
        for field in ["file", "line", "column"] {
            compared[field] = error[field].clone();
        }
    }
    compared
}

/// Compares a project below tests/golden/kinds, with the kinds of a release, or of the newest one.
#[track_caller]
fn equals_the_real_one(name: &str, release: Option<&str>) {
    let place = Place::new();
    let golden = repository("tests/golden/kinds").join(name);
    let project = place.path("project");
    Run::of(place.command("cp").arg("-R").arg(&golden).arg(&project), "").exits(0);
    if let Some(release) = release {
        place.write("project/PKG-INFO", format!("Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n"));
    }
    let records = all(&place, &project);
    let expected = release.map_or("expected.jsonl".to_owned(), |release| format!("expected-{release}.jsonl"));
    let text = std::fs::read_to_string(golden.join(expected)).expect("what is expected");
    let mut wrong = Vec::new();
    for line in text.lines() {
        let expected: Value = serde_json::from_str(line).expect("JSON");
        let element = expected["element"].as_str().expect("a name");
        let got = records.get(element).map_or(Value::Null, |record| comparable(record, &expected));
        let expected = match expected.get("error") {
            Some(error) => error.clone(),
            None => json!({"key": expected.get("key"), "weak_key": expected.get("weak_key"), "error": null}),
        };
        if got != expected {
            wrong.push(format!("{element}:\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), text.lines().count(), wrong.join("\n"));
}

#[test]
fn kinds_of_the_community_have_buildstreams_keys() {
    equals_the_real_one("buildstream-plugins-community", None);
}

#[test]
fn kinds_of_older_releases_have_the_keys_that_they_had() {
    for release in ["2.0.0", "2.1.0", "2.2.0", "2.3.1"] {
        equals_the_real_one("buildstream-plugins-community", Some(release));
    }
}
