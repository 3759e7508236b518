//! bst-push.

use crate::goods::{commit, commit_with, noise, run};
use crate::server::{Options, TestServer};
use crate::stock;
use crate::support::Place;
use bst_plumbing::store::Store;
use bst_plumbing::values::Digest;

#[test]
fn a_push_sends_blobs_before_the_name_and_nothing_twice() {
    let place = Place::new();
    let server = TestServer::start();
    let name = commit(&place, "a.bst", 1, false).to_string();
    let first = run(&place, "bst-push", &[&server], &[&name], "").exits(0);
    assert_eq!(first.records()[0]["push"]["state"], "pushed", "{}", first.out);
    // The server refuses names of what it does not have, so the order was right. Both names are there.
    assert_eq!(server.state().assets.len(), 2);
    assert!(server.state().count("Write") == 1 && server.state().count("BatchUpdateBlobs") >= 1);

    server.state().forget_calls();
    let again = run(&place, "bst-push", &[&server], &[&name], "").exits(0);
    assert_eq!(again.records()[0]["push"]["state"], "present", "{}", again.out);
    let state = server.state();
    assert_eq!((state.count("Write"), state.count("BatchUpdateBlobs"), state.count("PushBlob")), (0, 0, 0));
    assert_eq!(state.count("FindMissingBlobs"), 1, "one round trip for all of it");
}

#[test]
fn batches_keep_to_the_limit_of_the_server() {
    let place = Place::new();
    let server = TestServer::with(Options { batch: 2_000, ..Options::default() });
    let name = commit(&place, "a.bst", 1, false).to_string();
    run(&place, "bst-push", &[&server], &[&name], "").exits(0);
    assert!(server.state().count("BatchUpdateBlobs") > 2);
}

#[test]
fn what_is_compressed_arrives_whole() {
    let place = Place::new();
    let server = TestServer::with(Options { zstd: true, ..Options::default() });
    let name = commit(&place, "a.bst", 1, false).to_string();
    run(&place, "bst-push", &[&server], &["--compress=always", &name], "").exits(0);
    let other = Place::new();
    run(&other, "bst-pull", &[&server], &["--compress=always", &name], "").exits(0);
    assert!(other.store().join("artifacts/refs").join(&name).exists());
}

#[test]
fn an_artifact_that_is_not_here_is_a_no_and_one_that_is_not_whole_is_damage() {
    let place = Place::new();
    let server = TestServer::start();
    let record = stock::record("a.bst", 1, 101);
    let run_ = run(&place, "bst-push", &[&server], &[], &record).exits(1);
    assert_eq!(run_.records()[0]["push"]["state"], "absent");

    let name = commit(&place, "a.bst", 1, false);
    let store = Store::new(place.store());
    let large = Digest::of(&noise(3_000_000, 7));
    std::fs::remove_file(store.cas().path(&large)).expect("removed");
    let run_ = run(&place, "bst-push", &[&server], &[&name.to_string()], "").exits(8);
    assert!(run_.err.contains(&large.to_string()), "{}", run_.err);
    assert!(server.state().assets.is_empty());
}

#[test]
fn a_damaged_blob_is_not_passed_on() {
    let place = Place::new();
    let server = TestServer::start();
    let name = commit(&place, "a.bst", 1, false).to_string();
    let store = Store::new(place.store());
    for blob in [noise(3_000_000, 7), b"file 3 of tree of a.bst\n".to_vec()] {
        let digest = Digest::of(&blob);
        let path = store.cas().path(&digest);
        let mut wrong = blob.clone();
        wrong[5] ^= 1;
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, wrong).expect("written");
        server.state().blobs.clear();
        let run_ = run(&place, "bst-push", &[&server], &[&name], "").exits(8);
        assert!(run_.err.contains(&digest.to_string()), "{}", run_.err);
        assert!(server.state().assets.is_empty());
        std::fs::write(&path, &blob).expect("mended");
    }
    run(&place, "bst-push", &[&server], &[&name], "").exits(0);
}

#[test]
fn a_failure_never_takes_the_place_of_a_success() {
    let server = TestServer::start();
    let good = Place::new();
    let name = commit(&good, "a.bst", 1, false).to_string();
    run(&good, "bst-push", &[&server], &[&name], "").exits(0);
    let before = server.state().assets.clone();

    let bad = Place::new();
    commit(&bad, "a.bst", 1, true);
    let kept = run(&bad, "bst-push", &[&server], &[&name], "").exits(0);
    assert_eq!(kept.records()[0]["push"]["state"], "kept", "{}", kept.out);
    assert_eq!(server.state().assets, before);

    run(&bad, "bst-push", &[&server], &["--replace", &name], "").exits(0);
    assert_ne!(server.state().assets, before);
    // A success does take the place of a failure.
    run(&good, "bst-push", &[&server], &[&name], "").exits(0);
    assert_eq!(server.state().assets, before);
}

#[test]
fn a_failure_with_another_strong_key_does_not_take_the_weak_name_of_a_success() {
    let server = TestServer::start();
    let good = Place::new();
    let name = commit(&good, "a.bst", 1, false).to_string();
    run(&good, "bst-push", &[&server], &[&name], "").exits(0);
    let weak = format!("urn:fdc:buildstream.build:2020:artifact:p/a/{}", stock::key(101));
    let before = server.state().assets[&weak];

    let bad = Place::new();
    let other = commit_other(&bad);
    let run_ = run(&bad, "bst-push", &[&server], &[&other], "").exits(0);
    assert_eq!(run_.records()[0]["push"]["state"], "pushed");
    assert_eq!(server.state().assets[&weak], before);
}

/// A failure of strong key 2 and weak key 101.
fn commit_other(place: &Place) -> String {
    use crate::stock::{Build, Stock};
    use bst_plumbing::values::result::FailureClass;
    let build = Build {
        element: "a.bst",
        strong: 2,
        weak: 101,
        class: Some(FailureClass::Command),
        log: "no\n",
        ..Build::default()
    };
    Stock::new(&place.store()).commit(&build);
    stock::name("a.bst", 2).to_string()
}

#[test]
fn a_failure_without_its_build_root_can_be_passed_on() {
    let server = TestServer::start();
    let first = Place::new();
    let name = commit(&first, "a.bst", 1, true).to_string();
    run(&first, "bst-push", &[&server], &[&name], "").exits(0);

    let middle = Place::new();
    run(&middle, "bst-pull", &[&server], &[&name], "").exits(0);
    let mirror = TestServer::start();
    let run_ = run(&middle, "bst-push", &[&mirror], &[&name], "").exits(0);
    assert!(run_.err.contains("build root is not in the store"), "{}", run_.err);

    let last = Place::new();
    let pulled = run(&last, "bst-pull", &[&mirror], &[&name], "").exits(0);
    let record = &pulled.records()[0];
    assert_eq!(record["cache"]["state"], "failed");
    assert_eq!((record["result"]["exit"].clone(), record["result"]["host"].clone()), (7.into(), "ci".into()));
    let wanting = run(&last, "bst-pull", &[&mirror], &["--buildtree", &name], "").exits(7);
    assert!(wanting.err.contains(&mirror.url()), "{}", wanting.err);
    assert_eq!(wanting.records()[0]["cache"]["state"], "failed");
}

#[test]
fn records_come_out_in_order_with_what_they_had() {
    let place = Place::new();
    let server = TestServer::start();
    let mut input = String::new();
    for byte in 1..20 {
        let element = format!("e{byte}.bst");
        commit_with(&place, &element, byte, byte % 3 == 0, place.write("small/file", "x\n").parent().unwrap());
        input += &stock::record(&element, byte, byte + 100).replace("\"v\":1", "\"mine\":[1, 2],\"v\":1");
    }
    let run_ = run(&place, "bst-push", &[&server], &["-j", "8"], &input).exits(0);
    let records = run_.records();
    assert_eq!(records.len(), 19);
    for (index, record) in records.iter().enumerate() {
        assert_eq!(record["element"], format!("e{}.bst", index + 1));
        assert_eq!(record["mine"][1], 2);
    }
}

#[test]
fn what_the_store_has_can_be_selected() {
    let place = Place::new();
    let server = TestServer::start();
    commit(&place, "good.bst", 1, false);
    commit(&place, "bad.bst", 2, true);
    let run_ = run(&place, "bst-push", &[&server], &["--all", "--state=failed", "--newer=1h"], "").exits(0);
    let elements: Vec<_> = run_.records().iter().map(|record| record["element"].clone()).collect();
    assert_eq!(elements, ["bad.bst"]);
    assert_eq!(server.state().assets.len(), 2);
    run(&place, "bst-push", &[&server], &["--all", "p/a/b"], "").exits(2);
}
