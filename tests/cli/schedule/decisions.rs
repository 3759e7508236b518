//! What follows from a failure under the policies of the command line.

use super::*;
use std::time::{Duration, Instant};

/// `f` fails at once, `l` after a while; `x` waits for a free place.
fn two_failures() -> [Value; 3] {
    [record("f", &[]), record("l", &[]), record("x", &[])]
}

const FAST_AND_SLOW: &str = "echo $e >>ran; test $e = l && sleep 1; test $e = x";

#[test]
fn continue_builds_all_that_does_not_depend_on_it() {
    let place = Place::new();
    let run = schedule(&place, &["-j2", "--on-error=continue"], FAST_AND_SLOW, &two_failures()).exits(3);
    assert_eq!(actions(&run), ["f built", "l built", "x built"]);
    let decisions = &run.records()[0]["schedule"]["decisions"];
    assert_eq!((&decisions[0]["action"], &decisions[0]["by"]), (&json!("continue"), &json!("policy")));
}

#[test]
fn quit_starts_nothing_new_and_lets_what_runs_finish() {
    let place = Place::new();
    for options in [&["-j2"][..], &["-j2", "--on-error=quit"]] {
        let run = schedule(&place, options, FAST_AND_SLOW, &two_failures()).exits(6);
        assert_eq!(actions(&run), ["f built", "l built", "x cancelled"]);
        assert_eq!(run.records()[1]["result"]["success"], false);
    }
    let run = schedule(&place, &["-j1"], FAST_AND_SLOW, &two_failures()).exits(6);
    assert_eq!(actions(&run), ["f built", "l cancelled", "x cancelled"]);
}

#[test]
fn quit_with_nothing_left_to_stop_is_a_failure_and_no_more() {
    let place = Place::new();
    schedule(&place, &[], "exit 1", &[record("a", &[])]).exits(3);
}

#[test]
fn terminate_stops_what_runs() {
    let place = Place::new();
    let script = "echo $e >>ran; test $e = f && { sleep 0.3; exit 1; }; sleep 30";
    let started = Instant::now();
    let run = schedule(&place, &["-j2", "--on-error=terminate"], script, &two_failures()).exits(6);
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(actions(&run), ["f built", "l cancelled", "x cancelled"]);
    assert!(run.records()[1].get("result").is_none());
    assert_eq!(read_lines(&place, "ran").len(), 2);
}

#[test]
fn what_is_blocked_is_blocked_whatever_else_stops() {
    let place = Place::new();
    let records = [record("f", &[]), record("up", &["f"]), record("other", &[]), record("both", &["up", "other"])];
    let run = schedule(&place, &["-j1"], "exit 1", &records).exits(6);
    assert_eq!(actions(&run), ["f built", "up blocked", "other cancelled", "both blocked"]);
}

#[test]
fn every_root_cause_is_named() {
    let place = Place::new();
    let records =
        [record("a", &[]), record("b", &[]), record("m", &["a"]), record("n", &["b"]), record("t", &["m", "n"])];
    let run = schedule(&place, &["-j1", "--on-error=continue"], "exit 1", &records).exits(3);
    let root = |name: &str| json!({"element": format!("{name}.bst"), "key": key(name)});
    assert_eq!(run.records()[4]["schedule"]["blocked_by"], json!([root("a"), root("b")]));
    assert_eq!(run.records()[2]["schedule"]["blocked_by"], json!([root("a")]));
    assert!(run.err.contains("t.bst by a.bst, b.bst"), "{}", run.err);
}

#[test]
fn only_so_many_failures() {
    let place = Place::new();
    let records: Vec<_> = ["a", "b", "c", "d"].iter().map(|name| record(name, &[])).collect();
    let run = schedule(&place, &["-j1", "--max-failures=2"], "exit 1", &records).exits(6);
    assert_eq!(actions(&run), ["a built", "b built", "c cancelled", "d cancelled"]);
}

#[test]
fn retryable_failures_are_tried_again_up_to_the_limit() {
    let place = Place::new();
    // Each time one more line; weather until the third.
    let script = "echo x >>$e.tries; test $(wc -l <$e.tries) -ge 3 || exit 75";
    let run = schedule(&place, &["--max-attempts=5"], script, &[record("a", &[])]).exits(0);
    let schedule_field = &run.records()[0]["schedule"];
    assert_eq!((&schedule_field["attempts"], &schedule_field["action"]), (&json!(3), &json!("built")));
    let actions: Vec<_> =
        schedule_field["decisions"].as_array().expect("decisions").iter().map(|d| &d["action"]).collect();
    assert_eq!(actions, [&json!("retry"), &json!("retry")]);

    let place = Place::new();
    let run = schedule(&place, &["--max-attempts=2"], script, &[record("a", &[])]).exits(3);
    assert_eq!(run.records()[0]["schedule"]["attempts"], 2);
    assert_eq!(run.records()[0]["result"]["class"], "temporary");
}

#[test]
fn a_fact_about_the_key_is_not_tried_again_unless_it_is_selected() {
    let place = Place::new();
    let script = "echo $e >>ran; exit 1";
    schedule(&place, &["--max-attempts=3"], script, &[record("a", &[])]).exits(3);
    assert_eq!(read_lines(&place, "ran").len(), 1);
    schedule(&place, &["--max-attempts=3", "--retry=command"], script, &[record("b", &[])]).exits(3);
    assert_eq!(read_lines(&place, "ran"), ["a", "b", "b", "b"]);
    schedule(&place, &["--max-attempts=3", "--retry=none"], "echo w >>ran; exit 75", &[record("c", &[])]).exits(3);
    assert_eq!(read_lines(&place, "ran").len(), 5);
}

#[test]
fn a_record_has_its_own_policy() {
    let place = Place::new();
    let records = [
        with(record("a", &[]), "policy", json!({"on_error": "continue"})),
        with(record("b", &[]), "policy", json!({"max_attempts": 2, "retry": "failed"})),
        record("c", &[]),
    ];
    let run = schedule(&place, &["-j1"], "exit 1", &records).exits(6);
    assert_eq!(actions(&run), ["a built", "b built", "c cancelled"]);
    assert_eq!(run.records()[1]["schedule"]["attempts"], 2);
    let wrong = with(record("a", &[]), "policy", json!({"on_error": "exec:/bin/true"}));
    let run = schedule(&place, &[], "exit 0", &[wrong, record("b", &[])]).exits(2);
    assert_eq!(run.records()[0]["error"]["code"], "malformed");
    assert_eq!(actions(&run), ["a -", "b built"]);
}

#[test]
fn wrong_options_are_named() {
    let place = Place::new();
    for (option, word) in [
        ("--on-error=panic", "panic"),
        ("--on-error=exec:", "exec:PROG"),
        ("--retry=weather", "weather"),
        ("--replay=some", "some"),
        ("--failure-ttl=soon", "soon"),
        ("--jobs=0", "--jobs"),
        ("--max-failures=-1", "--max-failures"),
        ("--events=fd:77", "fd:77"),
        ("--events=/no/such/place", "/no/such/place"),
    ] {
        let run = place.run("bst-schedule", &[option, "--", "true"], "");
        assert!(matches!(run.code, 2 | 7), "{option}: {run:?}");
        assert!(run.err.contains(word), "{option}: {}", run.err);
    }
    let run = place.run("bst-schedule", &["--", "no-such-program-here"], &lines(&[record("a", &[])])).exits(2);
    assert!(run.err.contains("no-such-program-here"), "{}", run.err);
}
