//! CMDs that do not do what they should.

use super::*;

/// What came of one element under a CMD.
fn result(script: &str) -> (Run, Value) {
    let place = Place::new();
    let run = schedule(&place, &[], script, &[record("a", &[])]);
    let result = run.records()[0]["result"].clone();
    (run, result)
}

#[test]
fn an_exit_status_is_a_result() {
    for (script, class, exit) in [
        ("exit 1", "command", 3),
        ("exit 75", "temporary", 3),
        ("exit 124", "timeout", 3),
        ("exit 7", "sandbox", 7),
        ("no-such-command-here 2>/dev/null", "sandbox", 7),
        ("kill -9 $$", "signal", 3),
        ("exit 137", "signal", 3),
    ] {
        let (run, result) = result(script);
        assert_eq!((result["class"].as_str(), run.code), (Some(class), exit), "{script}: {result}");
        assert_eq!(result["success"], false);
    }
    let (_, killed) = result("kill -9 $$");
    assert_eq!(killed["signal"], 9);
}

#[test]
fn what_cmd_says_on_stderr_is_shown_and_kept() {
    let (run, result) = result("echo because >&2; exit 1");
    assert_eq!(result["log_tail"], "because\n");
    assert!(run.err.contains("because\n"), "{}", run.err);
}

#[test]
fn nonsense_is_no_answer() {
    for (script, word) in [
        ("echo nonsense", "nonsense"),
        ("echo '{}'; echo '{}'", "2 lines"),
        ("echo '{\"element\":\"b.bst\"}'", "b.bst"),
        ("echo '{\"result\":{}}'", "success"),
        ("echo '{\"result\":{\"success\":\"yes\"}}'", "result"),
        ("printf '\\377\\n'", "record"),
    ] {
        let (run, result) = result(script);
        assert_eq!((result["class"].as_str(), run.code), (Some("sandbox"), 7), "{script}: {result}");
        assert!(result["detail"].as_str().expect("detail").contains(word), "{script}: {result}");
    }
}

#[test]
fn programs_of_the_suite_have_to_answer() {
    let place = Place::new();
    for name in ["bst-fetch", "bst-build", "bst-commit-artifact"] {
        place.write(&format!("bin/{name}"), "#!/bin/sh\ncat >/dev/null\n");
        super::hooks::executable(&place, &format!("bin/{name}"));
    }
    std::fs::copy(crate::support::binary("bst-schedule"), place.path("bin/bst-schedule")).expect("a copy");
    let run = Run::of(&mut place.shell("bin/bst-schedule"), &lines(&[record("a", &[])])).exits(7);
    assert_eq!(run.records()[0]["result"]["detail"], "it answered nothing");
    place.write("bin/bst-build", "#!/bin/sh\nkill -SEGV $$\n");
    let run = Run::of(&mut place.shell("bin/bst-schedule"), &lines(&[record("a", &[])])).exits(3);
    assert_eq!(run.records()[0]["result"]["class"], "signal");
    std::fs::remove_file(place.path("bin/bst-build")).expect("gone");
    let run = Run::of(&mut place.shell("bin/bst-schedule"), &lines(&[record("a", &[])])).exits(7);
    assert!(run.records()[0]["result"]["description"].as_str().expect("words").contains("bst-build"), "{}", run.out);
}

#[test]
fn the_fields_of_an_answer_go_over_those_of_the_record() {
    let place = Place::new();
    let script = r#"echo '{"result":{"success":true},"artifact":{"ref":"p/a/'$k'"},"x-mine":[1]}'"#;
    let script = script.replace("'$k'", &key("a"));
    let run = schedule(&place, &[], &script, &[with(record("a", &[]), "note", json!("kept"))]).exits(0);
    let record = &run.records()[0];
    assert_eq!((&record["note"], &record["x-mine"]), (&json!("kept"), &json!([1])));
    assert_eq!(record["schedule"], json!({"action": "built", "attempts": 1}));
}

#[test]
fn an_error_of_cmd_is_a_failure_of_its_class() {
    for (code, class, exit) in [("network", "network", 7), ("source", "source", 7), ("malformed", "sandbox", 2)] {
        let place = Place::new();
        let script = format!("echo '{{\"error\":{{\"code\":\"{code}\",\"message\":\"m\"}}}}'");
        place.write("hook", "#!/bin/sh\necho $BST_CLASS >class; echo continue\n");
        super::hooks::executable(&place, "hook");
        let run = schedule(&place, &["--on-error=exec:./hook"], &script, &[record("a", &[])]).exits(exit);
        assert_eq!(read_lines(&place, "class"), [class]);
        assert_eq!(run.records()[0]["error"]["code"], code);
    }
}

#[test]
fn a_cmd_that_does_not_read_and_one_that_closes_its_pipe_are_waited_for() {
    let place = Place::new();
    let big = with(record("a", &[]), "x-big", json!("x".repeat(1 << 20)));
    let run = place.run("bst-schedule", &["--", "true"], &lines(&[big])).exits(0);
    assert_eq!(actions(&run), ["a built"]);
    let run = schedule(&place, &[], "exec >&- 2>&-; sleep 0.3; echo $e >>ended", &[record("a", &[])]).exits(0);
    assert_eq!(actions(&run), ["a built"]);
    assert_eq!(read_lines(&place, "ended"), ["a"]);
}

#[test]
fn what_a_cmd_leaves_running_is_ended() {
    let place = Place::new();
    let started = std::time::Instant::now();
    let script = "sleep 60.25 & setsid sleep 61.25 & echo '{\"result\":{\"success\":true}}'";
    let run = schedule(&place, &[], script, &[record("a", &[])]).exits(0);
    assert_eq!(actions(&run), ["a built"]);
    assert!(started.elapsed().as_secs() < 20);
    let left = place.sh("ps -eo args | grep -E '^sleep 6[01][.]25$'");
    assert_eq!(left.out, "");
}

#[test]
fn two_schedulers_do_not_build_one_key_at_a_time() {
    let place = Place::new();
    cmd(&place, "mkdir busy || echo clash >>clash; sleep 0.6; rmdir busy");
    place.write("in", lines(&[record("a", &[])]));
    let one = "bst-schedule -- sh ./cmd <in >/dev/null 2>err.$n";
    place.sh(&format!("for n in 1 2 3; do {one} & done; wait")).exits(0);
    assert!(read_lines(&place, "clash").is_empty());
    let waited: String = (1..=3).map(|n| read_lines(&place, &format!("err.{n}")).join("\n")).collect();
    assert!(waited.contains("another bst-schedule builds it"), "{waited}");
}

#[test]
fn a_store_that_cannot_be_written_to_is_for_cmd_to_complain_about() {
    let place = Place::new();
    place.write("store", "a file where the store should be");
    let run = schedule(&place, &[], "exit 0", &[record("a", &[])]).exits(0);
    assert_eq!(actions(&run), ["a built"]);
}
