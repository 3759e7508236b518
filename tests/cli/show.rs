//! bst-show: records in, text out.

use crate::support::{Place, Run};
use serde_json::{Value, json};

fn record(name: &str, depends: &[&str]) -> Value {
    let depends: Vec<Value> = depends
        .iter()
        .map(|name| json!({"element": format!("{name}.bst"), "project": "p", "key": key(name), "type": "all"}))
        .collect();
    json!({"v": 1, "project": "p", "element": format!("{name}.bst"), "key": key(name), "kind": "manual",
           "depends": depends})
}

fn key(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect::<String>() + &"0".repeat(64 - 2 * name.len())
}

/// A record with more fields.
fn with(mut record: Value, fields: Value) -> Value {
    let fields = fields.as_object().expect("fields").clone();
    record.as_object_mut().expect("a record").extend(fields);
    record
}

fn show(place: &Place, arguments: &[&str], records: &[Value]) -> Run {
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    place.run("bst-show", arguments, &input)
}

fn states(run: &Run) -> Vec<&str> {
    run.out.lines().collect()
}

/// A run in which `bad` failed, `mid` and `top` are blocked, and `good` was built.
fn a_run() -> Vec<Value> {
    let result = json!({"success": false, "class": "command", "phase": "build", "command": "make <all>", "exit": 2,
        "description": "Command failed", "log_tail": "cc -c a.c\na.c:1: error & more\n", "host": "far",
        "started": "2026-01-31T12:00:00Z", "finished": "2026-01-31T12:00:09Z", "duration_ms": 9000});
    let root = json!([{"element": "bad.bst", "key": key("bad")}]);
    let good = json!({"success": true, "started": "2026-01-31T12:00:01Z", "duration_ms": 2500});
    vec![
        with(record("bad", &[]), json!({"result": result, "schedule": {"action": "built", "attempts": 1}})),
        with(record("good", &[]), json!({"result": good, "schedule": {"action": "built", "attempts": 1}})),
        with(record("mid", &["bad", "good"]), json!({"schedule": {"action": "blocked", "blocked_by": root}})),
        with(record("top", &["mid"]), json!({"schedule": {"action": "blocked", "blocked_by": root}})),
    ]
}

#[test]
fn states_are_in_the_words_of_buildstream() {
    let place = Place::new();
    let cache = |state: &str| json!({"cache": {"state": state}});
    let source = json!({"sources": [{"kind": "remote", "url": "x:y", "ref": "0".repeat(64), "key": "1".repeat(64)}]});
    let mut no_ref = record("noref", &[]);
    no_ref.as_object_mut().expect("a record").remove("key");
    let records = [
        with(record("a", &[]), cache("cached")),
        with(record("b", &[]), cache("failed")),
        with(record("c", &["a"]), cache("absent")),
        with(record("d", &["b"]), cache("absent")),
        with(with(record("e", &["a"]), cache("absent")), source),
        with(record("j", &[]), json!({"kind": "junction"})),
        with(no_ref, json!({"error": {"code": "no-ref", "message": "no ref"}})),
        record("k", &["c"]),
        record("l", &["elsewhere"]),
    ];
    let run = show(&place, &["--format", "%{name} %{state}"], &records).exits(2);
    assert_eq!(
        states(&run),
        [
            "a.bst cached",
            "b.bst failed",
            "c.bst buildable",
            "d.bst waiting",
            "e.bst fetch needed",
            "j.bst junction",
            "noref.bst no reference",
            "k.bst waiting",
            "l.bst waiting",
        ]
    );
}

#[test]
fn the_default_is_the_line_of_bst_show_and_a_summary_of_failures() {
    let place = Place::new();
    let run = show(&place, &[], &a_run()).exits(3);
    let lines: Vec<_> = run.out.lines().collect();
    assert_eq!(lines[0], format!("      failed {} bad.bst ", key("bad")));
    assert_eq!(lines[2], format!("     waiting {} mid.bst ", key("mid")));
    assert!(run.out.contains("Command failed: make <all> (exit 2) [command in build]"), "{}", run.out);
    assert!(run.out.contains("| a.c:1: error & more"), "{}", run.out);
    assert!(run.out.contains("\n  top.bst by bad.bst\n"), "{}", run.out);
}

#[test]
fn colours_are_those_of_buildstream_and_can_be_had_without_a_terminal() {
    let place = Place::new();
    let format = ["--format", "%{state: >8} %{name} %{key} %{kind}"];
    let plain = show(&place, &format, &a_run()).exits(3);
    assert!(!plain.out.contains('\u{1b}'), "{}", plain.out);
    let run = show(&place, &[&format[..], &["--color=always"]].concat(), &a_run()).exits(3);
    let first = run.out.lines().next().expect("a line");
    assert_eq!(
        first,
        "\u{1b}[31m  failed\u{1b}[0m \u{1b}[34m\u{1b}[1mbad.bst\u{1b}[0m \u{1b}[33m62616400\u{1b}[0m \u{1b}[36mmanual\u{1b}[0m"
    );
}

#[test]
fn fields_tell_what_the_record_says() {
    let place = Place::new();
    let build = json!({"build": {"variables": {"b": "x: y", "a": ""}, "environment": {}, "public": {"bst": {"l": ["1"]}}},
        "description": "two\nlines", "artifact": {"files": format!("{}/7", "a".repeat(64))},
        "cache": {"state": "cached"}});
    let mut element = with(record("e", &["r", "b"]), build);
    element["depends"][0]["type"] = json!("runtime");
    element["depends"][1]["type"] = json!("build");
    let format = "%{description}|%{vars}|%{env}|%{public}|%{deps}|%{build-deps}|%{runtime-deps}|%{artifact-cas-digest}";
    let run = show(&place, &["--format", format], &[element]).exits(0);
    let digest = format!("{}/7", "a".repeat(64));
    assert_eq!(
        run.out,
        format!("two lines|a:\nb: 'x: y'\n|{{}}\n|bst:\n  l:\n  - 1\n|- r.bst\n- b.bst|- b.bst|- r.bst|{digest}\n")
    );
}

#[test]
fn the_tree_shows_what_is_blocked_by_what() {
    let place = Place::new();
    let run = show(&place, &["--tree"], &a_run()).exits(3);
    let lines: Vec<_> = run.out.lines().collect();
    assert!(lines[0].starts_with("bad.bst failed: Command failed"), "{}", run.out);
    assert_eq!(lines[1..], ["└── mid.bst", "    └── top.bst"]);
}

#[test]
fn the_graph_is_dot() {
    let place = Place::new();
    let mut records = a_run();
    records[0]["element"] = json!("we\"ird\\.bst");
    let run = show(&place, &["--dot"], &records).exits(3);
    assert!(run.out.starts_with("digraph elements {\n") && run.out.ends_with("}\n"), "{}", run.out);
    assert!(run.out.contains("\"p/we\\\"ird\\\\.bst\" [label=\"we\\\"ird\\\\.bst\\nfailed\""), "{}", run.out);
    assert!(run.out.contains("\"p/top.bst\" -> \"p/mid.bst\";"), "{}", run.out);
}

#[test]
fn the_page_holds_everything_and_runs_nothing() {
    let place = Place::new();
    let mut records = a_run();
    records[0]["result"]["log_tail"] = json!("<script>alert(1)</script>\u{1b}[31m");
    show(&place, &["--html", "out/page.html"], &records).exits(3);
    show(&place, &["--html", "bare.html"], &records).exits(3);
    assert!(place.path("bare.html").exists());
    let page = std::fs::read_to_string(place.path("out/page.html")).expect("the page");
    assert!(page.contains("p: 1 element failed") && page.contains("make &lt;all&gt;"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script") && !page.contains('\u{1b}'));
    assert!(page.contains("<a href=\"#e-bad.bst-62616400\">bad.bst</a>") && page.contains("id=\"e-bad.bst-62616400\""));
    assert!(!page.contains("http"), "nothing comes from elsewhere");
    assert_eq!(page.matches("class=\"bar\"").count(), 2);
}

#[test]
fn events_become_a_trace() {
    let place = Place::new();
    let events = [
        json!({"event": "begin", "at_ms": 0}),
        json!({"event": "start", "at_ms": 5, "element": "a.bst", "slot": 0, "attempt": 1}),
        json!({"event": "start", "at_ms": 6, "element": "b.bst", "slot": 1, "attempt": 1}),
        json!({"event": "end", "at_ms": 105, "element": "a.bst", "slot": 0, "success": false, "class": "command"}),
        json!({"event": "something-new", "at_ms": 200}),
    ];
    let run = show(&place, &["--trace"], &events).exits(0);
    let trace: Value = serde_json::from_str(&run.out).expect("JSON");
    let bars: Vec<_> =
        trace["traceEvents"].as_array().expect("events").iter().filter(|event| event["ph"] == "X").collect();
    assert_eq!((&bars[0]["name"], &bars[0]["ts"], &bars[0]["dur"]), (&json!("a.bst"), &json!(5000), &json!(100_000)));
    assert_eq!((&bars[1]["name"], &bars[1]["dur"]), (&json!("b.bst"), &json!(194_000)));
    place.run("bst-show", &["--trace"], "{\"at_ms\":1}\n").exits(2);
}

#[test]
fn a_line_that_is_no_record_is_named_and_the_rest_is_shown() {
    let place = Place::new();
    let run = place.run("bst-show", &["--format=%{name}"], &format!("nonsense\n{}\n", record("a", &[]))).exits(2);
    assert_eq!(run.out, "a.bst\n");
    assert!(run.err.contains("nonsense"), "{}", run.err);
    place.run("bst-show", &["--format=%{name:=3}"], "").exits(2);
    assert_eq!(place.run("bst-show", &[], "").exits(0).out, "");
}

#[test]
fn the_exit_is_that_of_the_run() {
    let place = Place::new();
    let action = |action: &str| with(record("a", &[]), json!({"schedule": {"action": action}}));
    let failed = json!({"result": {"success": false, "class": "command"}});
    for (record, exit) in [
        (action("cached"), 0),
        (action("skipped"), 0),
        (action("blocked"), 5),
        (action("cancelled"), 6),
        (with(action("replayed"), failed.clone()), 4),
        (with(action("built"), failed.clone()), 3),
        (with(action("built"), json!({"result": {"success": false, "class": "network"}})), 7),
        (with(action("built"), json!({"result": {"success": true}})), 0),
        (with(record("a", &[]), json!({"cache": {"state": "failed"}, "result": failed["result"]})), 0),
        (with(record("a", &[]), json!({"error": {"code": "project", "message": "m"}})), 2),
    ] {
        show(&place, &[], &[record]).exits(exit);
    }
}
