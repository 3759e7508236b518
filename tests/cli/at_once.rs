//! Many programs on one store at the same time.

use crate::stock::{Build, Stock, key, name, record};
use crate::support::Place;
use bst_plumbing::values::result::FailureClass;

/// A record as bst-build leaves it, with files of its own.
fn built(place: &Place, number: usize, key: &str, success: bool) -> String {
    let dir = place.path(&format!("work{number}"));
    place.write(&format!("work{number}/files/usr/file"), format!("file {number}"));
    place.write(&format!("work{number}/files/usr/same"), "same");
    place.write(&format!("work{number}/log"), format!("log {number}"));
    let result = if success {
        "{\"success\":true,\"description\":\"succeeded\"}"
    } else {
        "{\"success\":false,\"class\":\"command\",\"description\":\"Command failed\"}"
    };
    let dir = dir.display();
    format!(
        "{{\"v\":1,\"project\":\"p\",\"element\":\"a.bst\",\"key\":\"{key}\",\"weak_key\":\"{}\",\"result\":{result},\
         \"work\":{{\"dir\":\"{dir}\",\"files\":\"{dir}/files\",\"log\":\"{dir}/log\"}}}}\n",
        "f".repeat(64)
    )
}

#[test]
fn commits_of_one_key_wait_for_each_other_and_each_is_counted() {
    let place = Place::new();
    let strong = key(1).to_string();
    for number in 0..12 {
        // One of them succeeds; whichever comes last, that is what stays.
        place.write(&format!("record{number}"), built(&place, number, &strong, number == 5));
    }
    place
        .sh("for n in 0 1 2 3 4 5 6 7 8 9 10 11; do bst-commit-artifact <record$n >out$n & done
             for n in 1 2 3 4 5 6; do bst-gc >/dev/null 2>&1 & bst-cache-query --all >/dev/null & done; wait")
        .exits(0);
    place.run("bst-fsck", &[], "").exits(0);
    place.run("bst-cache-query", &[], &record("a.bst", 1, 0xff)).exits(0);
    place.run("bst-cache-query", &[], &record("a.bst", 0xff, 0xff)).exits(0);
    let stock = Stock::new(&place.store());
    let metadata = stock.store.metadata().read(&name("a.bst", 1)).expect("readable").expect("there");
    let mut numbers: Vec<_> = metadata.attempts.iter().map(|attempt| attempt.result.attempt).collect();
    numbers.push(metadata.result.attempt);
    numbers.sort();
    assert_eq!(numbers, (1..=12).map(Some).collect::<Vec<_>>());
}

#[test]
fn commits_of_many_keys_while_space_is_freed() {
    let place = Place::new();
    for number in 0..16_u8 {
        place.write(&format!("record{number}"), built(&place, number.into(), &key(number + 1).to_string(), true));
    }
    place
        .sh("for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
                 bst-commit-artifact <record$n >out$n & bst-gc --grace=0s --quota=1 >/dev/null 2>&1 &
             done; wait")
        .exits(0);
    // What was committed may be gone again, by the quota; what is there is whole.
    let run = place.run("bst-cache-query", &["--all", "--state=damaged"], "").exits(1);
    assert_eq!(run.out, "");
    place.run("bst-fsck", &[], "").exits(0);
}

#[test]
fn a_store_that_cannot_be_written_to_can_be_read() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    stock.commit(&Build {
        element: "a.bst",
        strong: 1,
        weak: 2,
        class: Some(FailureClass::Command),
        log: "log",
        ..Build::default()
    });
    if place.sh("chmod -R a-w store; touch store/x 2>/dev/null").code == 0 {
        // Root may write anywhere.
        place.sh("rm store/x; chmod -R u+w store").exits(0);
        return;
    }
    place.run("bst-cache-query", &[], &record("a.bst", 1, 2)).exits(4);
    assert_eq!(place.run("bst-log", &["-q", &key(1).to_string()], "").exits(0).out, "log");
    place.run("bst-fsck", &[], "").exits(0);
    place.run("bst-rm", &[&key(1).to_string()], "").exits(7);
    place.sh("chmod -R u+w store").exits(0);
}
