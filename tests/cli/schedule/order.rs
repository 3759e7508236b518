//! What is run, and when.

use super::*;

fn diamond() -> Vec<Value> {
    vec![record("a", &[]), record("b", &["a"]), record("c", &["a"]), record("d", &["b", "c"])]
}

#[test]
fn records_come_out_in_input_order_with_what_was_done() {
    let place = Place::new();
    let mut records = diamond();
    records.insert(2, cached("x", &[]));
    records.reverse();
    let run = schedule(&place, &["-j4"], "exit 0", &records).exits(0);
    assert_eq!(actions(&run), ["d built", "c built", "x cached", "b built", "a built"]);
    assert_eq!(run.records()[0]["result"]["success"], true);
    assert!(run.err.contains("4 built, 1 cached"), "{}", run.err);
}

#[test]
fn an_element_starts_when_its_dependencies_are_there() {
    let place = Place::new();
    schedule(&place, &["-j4"], "echo +$e >>log; sleep 0.05; echo -$e >>log", &diamond()).exits(0);
    let log = read_lines(&place, "log");
    let at = |word: &str| log.iter().position(|line| line == word).expect("it ran once");
    assert_eq!(log.len(), 8);
    for (first, then) in [("-a", "+b"), ("-a", "+c"), ("-b", "+d"), ("-c", "+d")] {
        assert!(at(first) < at(then), "{log:?}");
    }
    assert!(at("+c") < at("-b") && at("+b") < at("-c"), "b and c run side by side: {log:?}");
}

#[test]
fn as_many_run_at_a_time_as_are_asked_for() {
    let place = Place::new();
    let records: Vec<_> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| record(name, &[])).collect();
    let script = "mkdir run.$e; ls -d run.* | wc -l >>counts; sleep 0.1; rmdir run.$e";
    schedule(&place, &["-j2"], script, &records).exits(0);
    let counts = read_lines(&place, "counts");
    assert_eq!(counts.iter().max().map(|count| count.trim()), Some("2"), "{counts:?}");
}

#[test]
fn what_is_needed_at_run_time_only_can_be_missing_while_building_but_not_for_those_who_build_on_it() {
    let place = Place::new();
    let records = [record("bad", &[]), record("lib", &["bad:runtime"]), record("app", &["lib:build"])];
    let run = schedule(&place, &["--on-error=continue"], "test $e != bad", &records).exits(3);
    assert_eq!(actions(&run), ["bad built", "lib built", "app blocked"]);
    assert_eq!(run.records()[1]["result"]["success"], true);
    assert_eq!(run.records()[2]["schedule"]["blocked_by"][0]["element"], "bad.bst");
}

#[test]
fn a_success_stays_one_when_its_build_dependency_fails_later() {
    let place = Place::new();
    let records = [record("bad", &[]), cached("lib", &["bad:build"]), record("app", &["lib"])];
    let run = schedule(&place, &["--on-error=continue"], "test $e != bad", &records).exits(3);
    assert_eq!(actions(&run), ["bad built", "lib cached", "app built"]);
    assert_eq!(run.records()[2]["result"]["success"], true);
}

#[test]
fn cmd_gets_all_that_it_stages_and_nothing_of_earlier_builds() {
    let place = Place::new();
    let records = [
        record("r", &[]),
        cached("a", &["r:runtime"]),
        record("b", &["r:build"]),
        with(record("top", &["b:build", "a:build"]), "result", json!({"success": false})),
    ];
    let run = schedule(&place, &[], "printf '%s' \"$r\" >in.$e", &records).exits(0);
    let input: Value = serde_json::from_str(&read_lines(&place, "in.top").join("")).expect("a record");
    let staged = |name: &str| json!({"element": format!("{name}.bst"), "project": "p", "key": key(name)});
    assert_eq!(input["stage"], json!([staged("b"), staged("r"), with(staged("a"), "runtime", json!([1]))]));
    assert!(input.get("result").is_none() && input.get("cache").is_none(), "{input}");
    assert!(run.records().iter().all(|record| record.get("stage").is_none()), "{}", run.out);
}

#[test]
fn a_stage_that_came_with_the_record_is_kept() {
    let place = Place::new();
    let stage = json!([{"element": "x.bst", "project": "p", "key": key("x")}]);
    let record = with(record("a", &[]), "stage", stage.clone());
    let run = schedule(&place, &[], "printf '%s' \"$r\" >in.$e", &[record]).exits(0);
    assert_eq!(run.records()[0]["stage"], stage);
}

#[test]
fn with_needed_only_what_the_targets_need_is_built() {
    let place = Place::new();
    // Nobody needs to build `tool` again, for what it is a tool for is there; `lib` is needed at run time.
    let records = [
        failed("tool", "command"),
        record("lib", &[]),
        cached("app", &["tool:build", "lib:runtime"]),
        record("x", &[]),
    ];
    let run = schedule(&place, &["--needed"], "echo $e >>ran", &records).exits(0);
    assert_eq!(actions(&run), ["tool skipped", "lib built", "app cached", "x built"]);
    let mut ran = read_lines(&place, "ran");
    ran.sort();
    assert_eq!(ran, ["lib", "x"]);
    let records = [record("tool", &[]), record("app", &["tool:build"])];
    let run = schedule(&place, &["--needed"], "exit 0", &records).exits(0);
    assert_eq!(actions(&run), ["tool built", "app built"]);
}

#[test]
fn junctions_and_links_are_not_built() {
    let place = Place::new();
    let records = [with(record("j", &[]), "kind", json!("junction")), with(record("l", &[]), "kind", json!("link"))];
    let run = schedule(&place, &[], "echo ran >>ran", &records).exits(0);
    assert_eq!(actions(&run), ["j skipped", "l skipped"]);
    assert!(read_lines(&place, "ran").is_empty());
}

#[test]
fn what_is_known_goes_out_before_the_input_ends() {
    let place = Place::new();
    let input = lines(&[cached("a", &[])]);
    let script = format!("(printf '%s' '{input}'; sleep 5) | bst-schedule -- true | head -n1");
    let started = std::time::Instant::now();
    let run = place.sh(&script);
    assert_eq!(actions(&run), ["a cached"]);
    // The shell waits for sleep; the record was there before.
    assert!(started.elapsed().as_secs() < 20);
    let script = format!(
        "(printf '%s' '{}'; sleep 3; test -e ran && echo early >seen) | bst-schedule -- touch ran",
        lines(&[record("b", &[])])
    );
    place.sh(&script).exits(0);
    assert_eq!(read_lines(&place, "seen"), ["early"]);
}

#[test]
fn a_long_chain_and_a_wide_fan_are_no_problem() {
    let place = Place::new();
    let mut records = vec![with(record("c0", &[]), "cache", json!({"state": "cached"}))];
    for number in 1..3000 {
        let below = format!("c{}", number - 1);
        records.push(cached(&format!("c{number}"), &[&below]));
    }
    records.push(record("top", &["c2999"]));
    records.reverse();
    let run = schedule(&place, &[], "exit 0", &records).exits(0);
    assert_eq!(run.records().len(), 3001);
    assert_eq!(actions(&run)[0], "top built");
}
