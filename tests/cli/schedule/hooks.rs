//! Programs that are asked what follows from a failure.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

pub fn executable(place: &Place, file: &str) {
    std::fs::set_permissions(place.path(file), std::fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Runs bst-schedule with a hook in sh.
fn hooked(place: &Place, hook: &str, options: &[&str], script: &str, records: &[Value]) -> Run {
    place.write("hook", format!("#!/bin/sh\n{hook}\n"));
    executable(place, "hook");
    let mut all = vec!["--on-error=exec:./hook"];
    all.extend(options);
    schedule(place, &all, script, records)
}

#[test]
fn a_hook_knows_what_failed() {
    let place = Place::new();
    let hook = "cat >record; env | grep ^BST_ | sort >env; echo continue";
    let script = "echo '{\"result\":{\"success\":false,\"class\":\"timeout\",\"attempt\":4}}'";
    hooked(&place, hook, &[], script, &[record("a", &[])]).exits(3);
    let seen: Value = serde_json::from_str(&read_lines(&place, "record").join("")).expect("a record");
    assert_eq!((&seen["element"], &seen["result"]["class"]), (&json!("a.bst"), &json!("timeout")));
    assert_eq!(seen["schedule"]["attempts"], 1);
    let store = place.store();
    assert_eq!(
        read_lines(&place, "env"),
        [
            "BST_ATTEMPT=4".to_owned(),
            "BST_CLASS=timeout".to_owned(),
            "BST_ELEMENT=a.bst".to_owned(),
            format!("BST_KEY={}", key("a")),
            "BST_LOG_FILE=".to_owned(),
            "BST_PROJECT=p".to_owned(),
            "BST_REPLAY=false".to_owned(),
            "BST_RETRYABLE=true".to_owned(),
            format!("BST_STORE={}", store.display()),
        ]
    );
}

#[test]
fn each_word_is_an_answer() {
    for (answer, exit, second) in
        [("continue", 3, "b built"), ("quit", 6, "b cancelled"), ("terminate", 6, "b cancelled")]
    {
        let place = Place::new();
        let hook = format!("echo {answer}");
        let run = hooked(&place, &hook, &["-j1"], "test $e = b", &[record("a", &[]), record("b", &[])]).exits(exit);
        assert_eq!(actions(&run), ["a built", second], "{answer}");
        let decision = &run.records()[0]["schedule"]["decisions"][0];
        assert_eq!((&decision["action"], &decision["by"]), (&json!(answer), &json!("hook")));
    }
}

#[test]
fn a_retry_waits_as_long_as_it_is_told_and_leaves_a_note() {
    let place = Place::new();
    let hook = r#"test $BST_ATTEMPT = 1 || exit 1; echo '{"action":"retry","delay_ms":700,"note":"weather"}'"#;
    let script = "date +%s%N >>times; echo x >>tries; test $(wc -l <tries) = 2";
    let run = hooked(&place, hook, &[], script, &[record("a", &[])]).exits(0);
    let decision = &run.records()[0]["schedule"]["decisions"][0];
    assert_eq!((&decision["delay_ms"], &decision["note"]), (&json!(700), &json!("weather")));
    let times: Vec<u64> = read_lines(&place, "times").iter().map(|line| line.parse().expect("a time")).collect();
    assert!(times[1] - times[0] >= 700_000_000, "{times:?}");
}

#[test]
fn builds_go_on_while_one_hook_runs_and_no_second_one_does() {
    let place = Place::new();
    let hook = "mkdir asking || echo two >>clash; sleep 1; ls done.* >seen.$BST_ELEMENT; rmdir asking; echo continue";
    let records: Vec<_> = ["a", "b", "c", "d"].iter().map(|name| record(name, &[])).collect();
    let script = "case $e in a|b) exit 1;; *) sleep 0.1; touch done.$e;; esac";
    hooked(&place, hook, &["-j2"], script, &records).exits(3);
    assert!(read_lines(&place, "clash").is_empty());
    assert_eq!(read_lines(&place, "seen.a.bst"), ["done.c", "done.d"]);
}

#[test]
fn a_hook_that_gives_no_answer_is_overruled_with_a_warning() {
    for (hook, word) in [
        ("exit 3", "exited with 3"),
        (":", "no answer"),
        ("echo perhaps", "perhaps"),
        ("echo '{\"action\":7}'", "action"),
        ("kill -9 $$", "signal 9"),
        ("exec >&-; sleep 0.1; exit 0", "no answer"),
        ("sleep 30", "within"),
        ("yes", "exited"),
        ("printf '\\377'", "UTF-8"),
    ] {
        let place = Place::new();
        let options = ["--hook-timeout=1s", "--on-error-default=continue", "-j1"];
        let started = Instant::now();
        let run = hooked(&place, hook, &options, "test $e = b", &[record("a", &[]), record("b", &[])]).exits(3);
        assert!(started.elapsed() < Duration::from_secs(10), "{hook}");
        assert_eq!(actions(&run), ["a built", "b built"], "{hook}");
        assert!(run.err.contains("did not decide about a.bst") && run.err.contains(word), "{hook}: {}", run.err);
        assert_eq!(run.records()[0]["schedule"]["decisions"][0]["by"], "fallback");
    }
}

#[test]
fn a_hook_that_is_not_there_is_told_at_once_and_the_default_is_to_quit() {
    let place = Place::new();
    let records = [record("a", &[]), record("b", &[])];
    let run = schedule(&place, &["-j1", "--on-error=exec:./missing"], "exit 1", &records).exits(6);
    assert!(run.err.starts_with("bst-schedule: the hook ./missing"), "{}", run.err);
    assert_eq!(actions(&run), ["a built", "b cancelled"]);
}

#[test]
fn a_person_may_take_longer_than_a_program() {
    let place = Place::new();
    let hook = "echo wait; sleep 2; echo continue";
    let run = hooked(&place, hook, &["--hook-timeout=1s"], "exit 1", &[record("a", &[])]).exits(3);
    assert_eq!(run.records()[0]["schedule"]["decisions"][0]["by"], "hook");
}

#[test]
fn a_hook_that_always_says_retry_comes_to_an_end() {
    let place = Place::new();
    let run = hooked(&place, "echo retry", &["--max-attempts=3"], "echo x >>ran; exit 1", &[record("a", &[])]).exits(3);
    assert_eq!(read_lines(&place, "ran").len(), 3);
    let decisions = run.records()[0]["schedule"]["decisions"].clone();
    assert_eq!((&decisions[2]["action"], &decisions[2]["by"]), (&json!("quit"), &json!("limit")));
    assert!(run.err.contains("it was tried 3 times"), "{}", run.err);
}

#[test]
fn what_waits_for_something_that_the_hook_stopped_is_cancelled_too() {
    let place = Place::new();
    let records = [record("f", &[]), record("later", &[]), record("up", &["later"]), record("top", &["up", "f"])];
    let run = hooked(&place, "echo quit", &["-j1"], "exit 1", &records).exits(6);
    assert_eq!(actions(&run), ["f built", "later cancelled", "up cancelled", "top blocked"]);
}
