use crate::stock::{Build, Stock, key, name, record};
use crate::support::Place;
use bst_plumbing::values::result::FailureClass;

fn failed(log: &str, class: FailureClass) -> Build<'_> {
    Build { element: "bad.bst", strong: 1, weak: 2, class: Some(class), log, host: "ci", ..Build::default() }
}

#[test]
fn every_byte_of_the_log_comes_out() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    let log = "first\r\n\u{1b}[31mred\u{0}\nno line end";
    stock.commit(&failed(log, FailureClass::Command));
    for word in [key(1).to_string(), name("bad.bst", 1).to_string()] {
        let run = place.run("bst-log", &[&word], "").exits(0);
        assert_eq!(run.out, log);
        assert!(run.err.contains("failure (command), on ci"), "{}", run.err);
    }
    let run = place.run("bst-log", &["--quiet"], &record("bad.bst", 1, 2)).exits(0);
    assert_eq!((run.out.as_str(), run.err.as_str()), (log, ""));
    assert_eq!(place.run("bst-log", &["-q", "-n", "1", &key(1).to_string()], "").exits(0).out, "no line end");
    assert_eq!(place.sh(&format!("bst-cache-query {} | bst-log -qn2", key(1))).exits(0).out, &log[7..]);
}

#[test]
fn what_only_failed_by_bad_luck_has_a_log_too_and_so_have_earlier_attempts() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    for (log, class) in [
        ("one\n", FailureClass::Timeout),
        ("two\n", FailureClass::Cancelled),
        ("three\n", FailureClass::Command),
        ("four\n", FailureClass::Command),
    ] {
        stock.commit(&failed(log, class));
        assert_eq!(place.run("bst-log", &["-q", &key(1).to_string()], "").exits(0).out, log);
    }
    for (number, log) in [("1", "one\n"), ("2", "two\n"), ("3", "three\n"), ("4", "four\n")] {
        let run = place.run("bst-log", &["-q", "--attempt", number, &key(1).to_string()], "").exits(0);
        assert_eq!(run.out, log);
    }
    place.run("bst-log", &["--attempt=9", &key(1).to_string()], "").exits(1);
}

#[test]
fn the_log_of_a_build_that_is_not_committed_yet_is_where_the_record_says() {
    let place = Place::new();
    let path = place.write("work/the log", "text\n");
    let input = format!("{{\"element\":\"a.bst\",\"work\":{{\"dir\":\"/x\",\"log\":\"{}\"}}}}\n", path.display());
    assert_eq!(place.run("bst-log", &[], &input).exits(0).out, "text\n");
}

#[test]
fn what_has_no_log_is_named_and_the_others_go_on() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    stock.commit(&failed("log\n", FailureClass::Command));
    let input = record("none.bst", 7, 8) + "garbage\n" + &record("bad.bst", 1, 2);
    let run = place.run("bst-log", &["-q"], &input).exits(2);
    assert_eq!((run.out.as_str(), run.err.lines().count()), ("log\n", 2));
    place.run("bst-log", &[&key(9).to_string()], "").exits(1);
    place.run("bst-log", &["--lines=many", &key(1).to_string()], "").exits(2);
    let log = bst_plumbing::values::Digest::of(b"log\n");
    let path = stock.store.cas().path(&log);
    std::fs::remove_file(&path).and_then(|()| std::fs::write(&path, "lie\n")).expect("changed");
    place.run("bst-log", &[&key(1).to_string()], "").exits(8);
}
