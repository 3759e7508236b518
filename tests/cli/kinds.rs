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
    Run::of(std::process::Command::new("cp").arg("-R").arg(&golden).arg(&project), "").exits(0);
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
fn kinds_of_buildstream_itself_and_of_its_plugins_have_its_keys() {
    equals_the_real_one("buildstream-plugins", None);
}

#[test]
fn plugins_of_older_releases_have_the_keys_that_they_had() {
    for release in ["2.0.0", "2.4.0"] {
        equals_the_real_one("buildstream-plugins", Some(release));
    }
}

/// Two helpers lie beside the code of the kinds; the third is the worked example that is installed.
#[test]
fn helpers_give_the_keys_of_a_projects_own_kinds() {
    equals_the_real_one("own", None);
}

#[test]
fn without_helper_an_element_and_what_depends_on_it_say_so_and_the_rest_has_keys() {
    let place = Place::new();
    let project = place.path("project");
    Run::of(std::process::Command::new("cp").arg("-R").arg(repository("tests/golden/kinds/own")).arg(&project), "")
        .exits(0);
    place
        .sh("mv project/kinds/elements/bst-element-shouting . && sed -i s/shouting/loud/ project/project.conf")
        .exits(0);
    place.sh("sed -i s/shouting/loud/ project/elements/*.bst").exits(0);
    place.write("project/elements/on-top.bst", "kind: stack\ndepends: [default.bst]\n");
    let records = all(&place, &project);
    for name in ["default.bst", "on-top.bst"] {
        let error = &records[name]["error"];
        assert_eq!(error["code"], "unsupported", "{error}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains("bst-element-loud")), "{error}");
        assert!(records[name].get("key").is_none());
    }
    assert!(records["base.bst"].get("key").is_some());
}

#[test]
fn one_process_answers_for_all_elements_of_a_kind() {
    let place = Place::new();
    place.write("project.conf", "name: p\nmin-version: 2.0\nplugins: [{origin: local, path: k, elements: [mine]}]\n");
    place.write("k/bst-element-mine", "#!/bin/sh\necho x >>started\nexec jq -c --unbuffered '{unique_key: .name}'\n");
    place.sh("chmod +x k/bst-element-mine").exits(0);
    for number in 0..200 {
        place.write(&format!("e{number}.bst"), "kind: mine\n");
    }
    let records = all(&place, &place.path("."));
    assert_eq!(records.len(), 200);
    assert!(records.values().all(|record| record.get("key").is_some()), "{records:?}");
    assert_eq!(std::fs::read_to_string(place.path("started")).expect("a file"), "x\n");
}

#[test]
fn a_helper_that_hangs_up_is_an_error_of_its_elements() {
    let place = Place::new();
    place.write("project.conf", "name: p\nmin-version: 2.0\nplugins: [{origin: local, path: k, elements: [mine]}]\n");
    place.write("k/bst-element-mine", "#!/bin/sh\nexit 3\n");
    place.sh("chmod +x k/bst-element-mine").exits(0);
    place.write("a.bst", "kind: mine\n");
    place.write("b.bst", "kind: stack\n");
    let records = all(&place, &place.path("."));
    assert_eq!(records["a.bst"]["error"]["reason"], "helper-failed");
    assert!(records["b.bst"].get("key").is_some());
}
