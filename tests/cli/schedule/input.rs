//! Records that do not fit together.

use super::*;

#[test]
fn a_record_that_comes_twice_is_built_once_and_goes_out_twice() {
    let place = Place::new();
    let again = with(record("a", &[]), "x-second", json!(true));
    let run = schedule(&place, &[], "echo $e >>ran", &[record("a", &[]), record("b", &["a"]), again]).exits(0);
    assert_eq!(actions(&run), ["a built", "b built", "a built"]);
    assert_eq!(run.records()[2]["x-second"], true);
    assert_eq!(run.records()[2]["result"], run.records()[0]["result"]);
    assert_eq!(read_lines(&place, "ran"), ["a", "b"]);
}

#[test]
fn one_element_with_two_keys_is_two_builds() {
    let place = Place::new();
    let other = with(record("a", &[]), "key", json!(key("other")));
    let run = schedule(&place, &[], "echo $e >>ran", &[record("a", &[]), other]).exits(0);
    assert_eq!(actions(&run), ["a built", "a built"]);
    assert_eq!(read_lines(&place, "ran").len(), 2);
}

#[test]
fn a_dependency_that_is_nowhere_blocks() {
    let place = Place::new();
    let run = schedule(&place, &[], "echo $e >>ran", &[record("a", &["gone"]), record("b", &["a"])]).exits(5);
    assert_eq!(actions(&run), ["a blocked", "b blocked"]);
    let gone = json!([{"element": "gone.bst", "key": key("gone")}]);
    assert_eq!(run.records()[1]["schedule"]["blocked_by"], gone);
    assert!(read_lines(&place, "ran").is_empty());
    assert!(run.err.contains("a.bst by gone.bst"), "{}", run.err);
}

#[test]
fn circles_are_errors_and_the_rest_goes_on() {
    let place = Place::new();
    let records =
        [record("a", &["b"]), record("b", &["a"]), record("up", &["a"]), record("self", &["self"]), record("x", &[])];
    let run = schedule(&place, &["--on-error=continue"], "exit 0", &records).exits(2);
    assert_eq!(actions(&run), ["a -", "b -", "up blocked", "self -", "x built"]);
    let message = run.records()[0]["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("a.bst") && message.contains("b.bst"), "{message}");
}

#[test]
fn elements_that_need_each_other_at_run_time_are_no_circle_once_they_are_there() {
    let place = Place::new();
    let records = [cached("a", &["b:runtime"]), cached("b", &["a:runtime"]), record("up", &["a"])];
    let run = schedule(&place, &[], "printf '%s' \"$r\" >in", &records).exits(0);
    assert_eq!(actions(&run), ["a cached", "b cached", "up built"]);
}

#[test]
fn what_is_no_record_becomes_an_error_and_the_rest_goes_on() {
    let place = Place::new();
    let input =
        format!("nonsense\n\n{}\n[]\n{{\"element\":\"e\"}}\n{{\"element\":7,\"project\":\"p\"}}", record("a", &[]));
    let run = place.run("bst-schedule", &["--", "true"], &input).exits(2);
    let codes: Vec<_> = run.records().iter().map(|r| r["error"]["code"].clone()).collect();
    assert_eq!(codes, [json!("malformed"), json!(null), json!("malformed"), json!("malformed"), json!("malformed")]);
    assert_eq!(run.records()[1]["schedule"]["action"], "built");
    let wrong = with(record("a", &[]), "depends", json!(7));
    place.run("bst-schedule", &["--", "true"], &lines(&[wrong])).exits(2);
}

#[test]
fn an_error_of_another_program_passes_and_blocks() {
    let place = Place::new();
    let mut broken = record("a", &[]);
    broken.as_object_mut().expect("a record").remove("key");
    broken["error"] = json!({"code": "no-ref", "message": "no ref"});
    let mut up = record("b", &[]);
    up["depends"] = json!([{"element": "a.bst", "project": "p", "type": "all"}]);
    let run = schedule(&place, &["--on-error=continue"], "exit 0", &[broken.clone(), up, record("c", &[])]).exits(2);
    assert_eq!(run.records()[0], broken);
    assert_eq!(actions(&run), ["a -", "b blocked", "c built"]);
}

#[test]
fn no_input_is_nothing_to_do() {
    let place = Place::new();
    let run = place.run("bst-schedule", &["--", "false"], "").exits(0);
    assert_eq!(run.out, "");
}

#[test]
fn names_are_only_names() {
    let place = Place::new();
    let mut odd = record("a b", &[]);
    odd["element"] = json!("sub dir/a $(touch pwned) b.bst\u{1b}[31m");
    let run = schedule(&place, &[], "exit 1", &[odd.clone()]).exits(3);
    assert_eq!(run.records()[0]["element"], odd["element"]);
    assert!(!run.err.contains('\u{1b}') && !place.path("pwned").exists(), "{}", run.err);
    let outside = with(with(record("a", &[]), "project", json!("../..")), "cache", json!(null));
    schedule(&place, &[], "exit 0", &[outside]).exits(2);
}

#[test]
fn events_tell_the_whole_run() {
    let place = Place::new();
    let records = [record("a", &[]), record("b", &["a"]), failed("c", "command")];
    let options = ["--events=events", "--on-error=continue"];
    schedule(&place, &options, "test $e != a", &records).exits(3);
    let events: Vec<Value> =
        read_lines(&place, "events").iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let words: Vec<_> = events
        .iter()
        .map(|event| {
            let of = event["element"].as_str().unwrap_or_default().replace(".bst", "");
            let action = event["action"].as_str().unwrap_or_default();
            format!("{} {of} {action}", event["event"].as_str().expect("an event")).trim().to_owned()
        })
        .collect();
    assert_eq!(
        words,
        [
            "begin",
            "decide c continue",
            "settle c replayed",
            "start a",
            "end a",
            "decide a continue",
            "settle a built",
            "settle b blocked",
            "finish"
        ]
    );
    assert!(events.iter().all(|event| event["at_ms"].is_u64() && event["time"].is_string()));
    assert_eq!(events[8]["counts"]["failed"], 1);
    let script = "bst-schedule --events=fd:3 -q -- true <in 3>&1 >/dev/null";
    place.write("in", lines(&[record("z", &[])]));
    let run = place.sh(script).exits(0);
    assert_eq!(run.out.lines().count(), 5, "{}", run.out);
    assert_eq!(run.err, "");
}
