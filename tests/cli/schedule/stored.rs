//! Failures in the store: when they are the answer.

use super::*;

#[test]
fn a_cached_failure_is_replayed_and_blocks_what_needs_it() {
    let place = Place::new();
    let records = [failed("bad", "command"), record("top", &["bad"]), record("other", &[])];
    let run = schedule(&place, &["--on-error=continue"], "echo $e >>ran", &records).exits(4);
    assert_eq!(actions(&run), ["bad replayed", "top blocked", "other built"]);
    assert_eq!(run.records()[1]["schedule"]["blocked_by"], json!([{"element": "bad.bst", "key": key("bad")}]));
    assert_eq!(read_lines(&place, "ran"), ["other"]);
    assert!(run.err.contains("a cached failure of 2026-01-31T12:00:00Z on far"), "{}", run.err);
    assert_eq!(run.records()[0]["result"], records[0]["result"]);
}

#[test]
fn a_replay_needs_no_dependency_and_comes_before_any_build() {
    let place = Place::new();
    let mut bad = failed("bad", "command");
    bad["depends"] = record("bad", &["gone"])["depends"].clone();
    // The default policy is to quit: what is known to fail is known before an hour was spent on the rest.
    let run = schedule(&place, &[], "echo $e >>ran", &[record("other", &[]), bad]).exits(6);
    assert_eq!(actions(&run), ["other cancelled", "bad replayed"]);
    assert!(read_lines(&place, "ran").is_empty());
}

/// Which of four stored failures are built again under some options.
fn built_again(options: &[&str]) -> Vec<&'static str> {
    let names = ["command", "timeout", "signal", "unknown"];
    let place = Place::new();
    let records: Vec<_> = names.iter().map(|name| failed(name, name)).collect();
    let mut all = vec!["--on-error=continue"];
    all.extend(options);
    let run = schedule(&place, &all, "exit 0", &records);
    let records = run.records();
    names.into_iter().zip(records).filter(|(_, r)| r["schedule"]["action"] == "built").map(|(name, _)| name).collect()
}

#[test]
fn failures_are_built_again_by_selection() {
    assert_eq!(built_again(&[]), [""; 0]);
    assert_eq!(built_again(&["--retry=failed"]), ["command", "timeout", "signal", "unknown"]);
    assert_eq!(built_again(&["--retry=retryable"]), ["timeout", "signal"]);
    assert_eq!(built_again(&["--retry=timeout,unknown"]), ["timeout", "unknown"]);
    assert_eq!(built_again(&["--retry=none"]), [""; 0]);
    assert_eq!(built_again(&["--replay=command"]), ["timeout", "signal", "unknown"]);
    assert_eq!(built_again(&["--replay=none"]), ["command", "timeout", "signal", "unknown"]);
    assert_eq!(built_again(&["--on-cached-failure=retry"]), ["command", "timeout", "signal", "unknown"]);
    assert_eq!(built_again(&["--failure-ttl=1d"]), ["command", "timeout", "signal", "unknown"]);
    assert_eq!(built_again(&["--failure-ttl=9999d"]), [""; 0]);
}

#[test]
fn a_selection_of_the_record_comes_first() {
    let place = Place::new();
    let records = [
        with(failed("a", "command"), "policy", json!({"retry": "failed"})),
        with(failed("b", "command"), "policy", json!({"failure_ttl": "1h"})),
        with(failed("c", "command"), "policy", json!({"replay": "timeout"})),
        with(failed("d", "command"), "policy", json!({"on_cached_failure": "warn"})),
    ];
    let run = schedule(&place, &[], "exit 0", &records).exits(0);
    assert_eq!(actions(&run), ["a built", "b built", "c built", "d replayed"]);
    let reasons: Vec<_> = run.records().iter().map(|r| r["schedule"]["reason"].clone()).collect();
    assert_eq!(reasons, [json!("retry"), json!("expired"), json!("no-replay"), json!(null)]);
}

#[test]
fn a_known_failure_can_be_a_warning() {
    let place = Place::new();
    let records = [failed("bad", "command"), record("other", &[])];
    let run = schedule(&place, &["--on-cached-failure=warn"], "exit 0", &records).exits(0);
    assert_eq!(actions(&run), ["bad replayed", "other built"]);
    assert_eq!(run.records()[0]["schedule"]["warn"], true);
}

#[test]
fn a_failure_that_came_from_other_dependencies_is_not_believed() {
    let place = Place::new();
    let mut stale = failed("a", "command");
    stale["cache"] = json!({"state": "failed", "by": "weak", "key": key("other")});
    let mut same = failed("b", "command");
    same["cache"] = json!({"state": "failed", "by": "weak", "key": key("b")});
    let run = schedule(&place, &["--on-error=continue"], "exit 0", &[stale, same]).exits(4);
    assert_eq!(actions(&run), ["a built", "b replayed"]);
    assert_eq!(run.records()[0]["schedule"]["reason"], "stale");
}

#[test]
fn what_is_damaged_is_built() {
    let place = Place::new();
    let run = schedule(&place, &[], "exit 0", &[with(record("a", &[]), "cache", json!({"state": "damaged"}))]).exits(0);
    assert_eq!(run.records()[0]["schedule"]["reason"], "damaged");
}

#[test]
fn what_the_query_said_is_not_to_be_replayed_is_built() {
    let place = Place::new();
    let mut record = failed("a", "command");
    record["cache"]["replay"] = json!(false);
    let run = schedule(&place, &[], "exit 0", &[record]).exits(0);
    assert_eq!(actions(&run), ["a built"]);
}

#[test]
fn the_store_is_asked_where_nobody_did() {
    let place = Place::new();
    let mut record = record("a", &[]);
    record.as_object_mut().expect("a record").remove("cache");
    // A ref that is no artifact.
    place.write(&format!("store/artifacts/refs/p/a/{}", key("a")), "garbage");
    let run = schedule(&place, &[], "exit 0", &[record]).exits(0);
    assert_eq!(run.records()[0]["cache"]["state"], "damaged");
    assert_eq!(run.records()[0]["schedule"]["reason"], "damaged");
}

#[test]
fn a_retried_element_is_built_although_it_was_replayed_once() {
    let place = Place::new();
    place.write("hook", "#!/bin/sh\ntest $BST_REPLAY = true && echo retry || echo continue\n");
    super::hooks::executable(&place, "hook");
    let records = [failed("a", "command"), record("up", &["a"])];
    let run = schedule(&place, &["--on-error=exec:./hook"], "echo $e >>ran", &records).exits(0);
    assert_eq!(actions(&run), ["a built", "up built"]);
    assert_eq!(read_lines(&place, "ran"), ["a", "up"]);
    assert_eq!(run.records()[0]["schedule"]["decisions"][0]["attempt"], 0);
}
