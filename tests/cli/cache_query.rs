use crate::stock::{self, Build, Stock, key, name, record};
use crate::support::{Place, Run};
use bst_plumbing::store::commit::Outcome;
use bst_plumbing::values::result::FailureClass;

fn stocked() -> (Place, Stock) {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    stock.commit(&Build { element: "good.bst", strong: 1, weak: 0x11, host: "a", ..Build::default() });
    stock.commit(&Build {
        element: "sub/bad.bst",
        strong: 2,
        weak: 0x12,
        host: "b",
        class: Some(FailureClass::Command),
        age: 7200,
        ..Build::default()
    });
    (place, stock)
}

fn states(run: &Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    run.records().iter().map(|record| (text(&record["element"]), text(&record["cache"]["state"]))).collect()
}

#[test]
fn four_states_are_told_apart_and_none_stops_another() {
    let (place, stock) = stocked();
    stock.commit(&Build { element: "cut.bst", strong: 3, weak: 0x13, ..Build::default() });
    let path = stock.store.artifacts().path(&name("cut.bst", 3));
    let bytes = std::fs::read(&path).expect("a ref");
    let input = [record("cut.bst", 3, 0x13), record("good.bst", 1, 0x11), record("sub/bad.bst", 2, 0x12)].concat()
        + &record("none.bst", 9, 0x19);
    for broken in [&b""[..], &bytes[..bytes.len() / 2], b"garbage", &[0xff; 100]] {
        std::fs::write(&path, broken).expect("a file");
        let run = place.run("bst-cache-query", &[], &input).exits(8);
        let expected =
            [("cut.bst", "damaged"), ("good.bst", "cached"), ("sub/bad.bst", "failed"), ("none.bst", "absent")];
        let expected: Vec<_> = expected.iter().map(|(e, s)| ((*e).to_owned(), (*s).to_owned())).collect();
        assert_eq!(states(&run), expected);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        let run = place.run("bst-cache-query", &["--exists"], &input).exits(8);
        assert_eq!(states(&run), expected);
    }
    std::fs::remove_file(&path).expect("gone");
    place.run("bst-cache-query", &[], &record("good.bst", 1, 0x11)).exits(0);
    place.run("bst-cache-query", &[], &record("sub/bad.bst", 2, 0x12)).exits(4);
    place.run("bst-cache-query", &[], &record("none.bst", 9, 0x19)).exits(1);
}

#[test]
fn an_artifact_counts_only_if_its_files_metadata_and_logs_are_there() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    let files = place.write("files/usr/share/data", "content").parent().expect("usr/share").to_owned();
    let files = files.parent().and_then(|path| path.parent()).expect("files").to_owned();
    let build =
        Build { element: "a.bst", strong: 1, weak: 2, files: Some(&files), log: "the log\n", ..Build::default() };
    let content = bst_plumbing::values::Digest::of(b"content");
    let log = bst_plumbing::values::Digest::of(b"the log\n");
    for digest in [content, log] {
        stock.commit(&build);
        place.run("bst-cache-query", &[], &record("a.bst", 1, 2)).exits(0);
        std::fs::remove_file(stock.store.cas().path(&digest)).expect("gone");
        let run = place.run("bst-cache-query", &[], &record("a.bst", 1, 2)).exits(8);
        assert!(run.err.contains(&digest.to_string()), "{}", run.err);
    }
}

#[test]
fn a_success_without_its_mark_is_no_failure() {
    let (place, stock) = stocked();
    let path = stock.store.artifacts().path(&name("good.bst", 1));
    let artifact = stock.store.artifacts().read(&name("good.bst", 1)).expect("readable").expect("there");
    let artifact = bst_plumbing::values::proto::Artifact { build_success: false, ..artifact };
    std::fs::write(&path, prost::Message::encode_to_vec(&artifact)).expect("a ref");
    let run = place.run("bst-cache-query", &[], &record("good.bst", 1, 0x11)).exits(8);
    assert_eq!(states(&run)[0].1, "damaged");
}

#[test]
fn the_weak_key_answers_where_it_may() {
    let (place, _) = stocked();
    let input = record("good.bst", 7, 0x11).repeat(2);
    place.run("bst-cache-query", &[], &input).exits(1);
    for flag in ["--non-strict", "--no-strict"] {
        let run = place.run("bst-cache-query", &[flag], &input).exits(0);
        for record in run.records() {
            assert_eq!(record["cache"]["by"], "weak");
            assert_eq!(record["cache"]["key"], key(1).to_string());
            assert_eq!(record["key"], key(7).to_string());
        }
    }
}

#[test]
fn the_result_comes_from_the_store_and_belongs_to_the_ref() {
    let (place, stock) = stocked();
    let run = place.run("bst-cache-query", &[], &record("sub/bad.bst", 2, 0x12)).exits(4);
    assert_eq!(run.records()[0]["result"]["class"], "command");
    assert_eq!(run.records()[0]["result"]["host"], "b");
    // A ref that another tool wrote: what the file says of ours is history.
    let refs = stock.store.artifacts();
    let artifact = refs.read(&name("sub/bad.bst", 2)).expect("readable").expect("there");
    let theirs = bst_plumbing::values::proto::Artifact { build_error: "their words".into(), ..artifact };
    refs.write(&name("sub/bad.bst", 2), &theirs).expect("written");
    let run = place.run("bst-cache-query", &[], &record("sub/bad.bst", 2, 0x12)).exits(4);
    let result = &run.records()[0]["result"];
    assert_eq!((&result["class"], &result["description"]), (&"unknown".into(), &"their words".into()));
    // And so it is if the file is damaged.
    let file = stock.store.metadata().path(&name("sub/bad.bst", 2));
    for broken in ["", "{", "{\"v\":2}", "[]"] {
        std::fs::write(&file, broken).expect("a file");
        let run = place.run("bst-cache-query", &[], &record("sub/bad.bst", 2, 0x12)).exits(4);
        assert_eq!(run.records()[0]["result"]["description"], "their words");
    }
}

#[test]
fn filters_and_names() {
    let (place, _) = stocked();
    let input = record("good.bst", 1, 0x11) + &record("sub/bad.bst", 2, 0x12);
    let run = place.run("bst-cache-query", &["--state=failed"], &input).exits(0);
    assert_eq!(states(&run), [("sub/bad.bst".to_owned(), "failed".to_owned())]);
    place.run("bst-cache-query", &["--state=damaged"], &input).exits(1);
    let run = place.run("bst-cache-query", &[&key(1).to_string()], "").exits(0);
    assert_eq!(states(&run), [("good.bst".to_owned(), "cached".to_owned())]);
    let run = place.run("bst-cache-query", &[&format!("p/sub-bad/{}", key(2))], "").exits(4);
    assert_eq!(states(&run), [("sub/bad.bst".to_owned(), "failed".to_owned())]);
    place.run("bst-cache-query", &[&key(8).to_string()], "").exits(1);
    place.run("bst-cache-query", &["nonsense"], "").exits(2);
    place.run("bst-cache-query", &["--all", &key(8).to_string()], "").exits(2);
}

#[test]
fn all_lists_each_artifact_once_and_what_only_failed_by_bad_luck() {
    let (place, stock) = stocked();
    stock.commit(&Build {
        element: "good.bst",
        strong: 1,
        weak: 0x11,
        class: Some(FailureClass::Signal),
        ..Build::default()
    });
    let timeout =
        Build { element: "slow.bst", strong: 4, weak: 0x14, class: Some(FailureClass::Timeout), ..Build::default() };
    assert_eq!(stock.commit(&timeout).outcome, Outcome::Kept);
    let all = |arguments: &[&str], code: i32| {
        let run = place.run("bst-cache-query", &[&["--all"], arguments].concat(), "").exits(code);
        let mut states: Vec<_> = states(&run).into_iter().map(|(element, state)| element + " " + &state).collect();
        states.sort();
        states
    };
    assert_eq!(all(&[], 0), ["good.bst cached", "slow.bst absent", "sub/bad.bst failed"]);
    assert_eq!(all(&["--flaky"], 0), ["good.bst cached"]);
    assert_eq!(all(&["--class=timeout,resource"], 0), ["slow.bst absent"]);
    assert_eq!(all(&["--older=1h"], 0), ["sub/bad.bst failed"]);
    assert_eq!(all(&["--newer=1h", "--state=cached"], 0), ["good.bst cached"]);
    assert_eq!(all(&["--host=b"], 0), ["sub/bad.bst failed"]);
    assert_eq!(all(&["--element=p/sub/*"], 0), ["sub/bad.bst failed"]);
    assert_eq!(all(&["--element=sub-*", "--element=slow.bst"], 0), ["slow.bst absent", "sub/bad.bst failed"]);
    assert_eq!(all(&["--builder=nothing"], 1), [""; 0]);
    place.run("bst-cache-query", &["--all", "--older=soon"], "").exits(2);
}

#[test]
fn which_failures_are_replayed_can_be_seen() {
    let (place, _) = stocked();
    let ask = |arguments: &[&str], policy: &str| {
        let input = record("sub/bad.bst", 2, 0x12).replace("{\"v\":1", &format!("{{\"v\":1{policy}"));
        let cache = place.run("bst-cache-query", arguments, &input).exits(4).records().remove(0)["cache"].clone();
        (cache["replay"].as_bool(), cache["reason"].as_str().map(str::to_owned))
    };
    assert_eq!(ask(&[], ""), (None, None));
    assert_eq!(ask(&["--failure-ttl=3h"], ""), (Some(true), None));
    assert_eq!(ask(&["--failure-ttl=1h"], ""), (Some(false), Some("expired".into())));
    assert_eq!(ask(&["--replay=command"], ""), (Some(true), None));
    assert_eq!(ask(&["--replay=collect,integration"], ""), (Some(false), Some("class".into())));
    assert_eq!(ask(&["--replay=none"], ",\"policy\":{\"replay\":\"all\"}"), (Some(true), None));
    assert_eq!(ask(&[], ",\"policy\":{\"failure_ttl\":\"1h\"}"), (Some(false), Some("expired".into())));
}

#[test]
fn a_success_is_never_displaced_by_a_failure() {
    let (place, stock) = stocked();
    let failure = |strong| Build {
        element: "good.bst",
        strong,
        weak: 0x11,
        class: Some(FailureClass::Command),
        ..Build::default()
    };
    assert_eq!(stock.commit(&failure(1)).outcome, Outcome::SuccessStays);
    // A failure under another strong key answers for that, but does not move the weak key.
    assert_eq!(stock.commit(&failure(5)).outcome, Outcome::Answers);
    place.run("bst-cache-query", &[], &record("good.bst", 1, 0x11)).exits(0);
    place.run("bst-cache-query", &[], &record("good.bst", 0x11, 0x11)).exits(0);
    place.run("bst-cache-query", &[], &record("good.bst", 5, 0x11)).exits(4);
    let metadata = stock.store.metadata().read(&stock::name("good.bst", 1)).expect("readable").expect("there");
    assert!(metadata.result.success && metadata.attempts.len() == 1 && metadata.is_flaky());
    assert_eq!((metadata.result.attempt, metadata.attempts[0].result.attempt), (Some(1), Some(2)));
    let replaced = Build { replace: true, ..failure(1) };
    assert_eq!(stock.commit(&replaced).outcome, Outcome::Answers);
    place.run("bst-cache-query", &[], &record("good.bst", 1, 0x11)).exits(4);
    let metadata = stock.store.metadata().read(&stock::name("good.bst", 1)).expect("readable").expect("there");
    assert_eq!(metadata.attempts.iter().map(|a| a.result.attempt).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn what_cannot_be_answered_comes_out_with_an_error() {
    let place = Place::new();
    let input =
        "{\"element\":\"x.bst\"}\nno record\n{\"element\":\"e\",\"error\":{\"code\":\"no-ref\",\"message\":\"\"}}\n";
    let run = place.run("bst-cache-query", &[], &(input.to_owned() + &record("a.bst", 1, 2))).exits(2);
    let records = run.records();
    assert_eq!(records.len(), 4);
    assert_eq!(
        (&records[0]["error"]["code"], &records[1]["error"]["code"]),
        (&"malformed".into(), &"malformed".into())
    );
    assert_eq!(records[2]["error"]["code"], "no-ref");
    assert_eq!(records[3]["cache"]["state"], "absent");
    let run = place.run("bst-cache-query", &[], &record("../../x.bst", 1, 2).replace("\"p\"", "\"..\"")).exits(2);
    assert!(run.err.contains("cannot be part of"), "{}", run.err);
    place.run("bst-cache-query", &[], "").exits(0);
}
