//! bst-pull and bst-remote-query.

use crate::goods::{commit, content, refs, run};
use crate::server::{Options, TestServer};
use crate::stock;
use crate::support::Place;
use bst_plumbing::store::Store;

#[test]
fn what_was_pushed_is_pulled_byte_for_byte() {
    let server = TestServer::start();
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, false).to_string();
    run(&from, "bst-push", &[&server], &[&name], "").exits(0);
    let run_ = run(&to, "bst-pull", &[&server], &[], &stock::record("a.bst", 1, 101)).exits(0);
    let record = &run_.records()[0];
    assert_eq!(record["pull"]["state"], "pulled");
    assert_eq!(record["pull"]["where"], server.url());
    assert_eq!((record["cache"]["state"].clone(), record["cache"]["where"].clone()), ("cached".into(), "local".into()));
    assert_eq!(record["result"]["host"], "ci");
    assert_eq!(refs(&from.store()), refs(&to.store()));
    for (path, bytes) in content(&to.store()).into_iter().filter(|(path, _)| !path.starts_with("artifacts/results")) {
        assert_eq!(std::fs::read(from.store().join(&path)).ok(), Some(bytes), "{}", path.display());
    }
    // Objects are as read-only as those of any build.
    let blob = Store::new(to.store()).cas().path(&bst_plumbing::values::Digest::of(b"file 1 of tree of a.bst\n"));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(blob).expect("the blob").permissions().mode() & 0o777, 0o444);

    server.state().forget_calls();
    let again = run(&to, "bst-pull", &[&server], &[&name], "").exits(0);
    assert_eq!(again.records()[0]["pull"]["state"], "present");
    assert!(server.state().calls.is_empty(), "a success that is here is not asked for");
}

#[test]
fn a_build_root_comes_only_when_it_is_wanted() {
    let server = TestServer::start();
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, true).to_string();
    run(&from, "bst-push", &[&server], &[&name], "").exits(0);
    run(&to, "bst-pull", &[&server], &[&name], "").exits(0);
    let large = bst_plumbing::values::Digest::of(&crate::goods::noise(3_000_000, 7));
    let cas = Store::new(to.store()).cas();
    assert!(!cas.has(&large));
    run(&to, "bst-pull", &[&server], &["--buildtree", &name], "").exits(0);
    assert!(cas.has(&large));
    server.state().forget_calls();
    let again = run(&to, "bst-pull", &[&server], &["--buildtree", &name], "").exits(0);
    assert_eq!(again.records()[0]["pull"]["state"], "present");
    assert_eq!(server.state().count("Read"), 0);
}

#[test]
fn a_success_elsewhere_takes_the_place_of_a_failure_here_and_not_the_other_way_round() {
    let server = TestServer::start();
    let (good, bad) = (Place::new(), Place::new());
    let name = commit(&good, "a.bst", 1, false).to_string();
    commit(&bad, "a.bst", 1, true);
    run(&good, "bst-push", &[&server], &[&name], "").exits(0);
    let run_ = run(&bad, "bst-pull", &[&server], &[&name], "").exits(0);
    assert_eq!(run_.records()[0]["cache"]["state"], "cached");
    // The failure is history, not forgotten.
    let metadata = Store::new(bad.store()).metadata().read(&name.parse().unwrap()).unwrap().expect("metadata");
    assert!(metadata.result.success && metadata.attempts.len() == 1 && !metadata.attempts[0].result.success);

    let other = TestServer::start();
    let worse = Place::new();
    commit(&worse, "a.bst", 1, true);
    run(&worse, "bst-push", &[&other], &[&name], "").exits(0);
    let before = content(&good.store());
    run(&good, "bst-pull", &[&other], &[&name], "").exits(0);
    assert_eq!(content(&good.store()), before);
}

#[test]
fn several_servers_are_asked_in_turn_and_a_success_is_preferred() {
    let (first, second) = (TestServer::start(), TestServer::start());
    let (good, bad, to) = (Place::new(), Place::new(), Place::new());
    let name = commit(&good, "a.bst", 1, false).to_string();
    commit(&bad, "a.bst", 1, true);
    run(&bad, "bst-push", &[&first], &[&name], "").exits(0);
    run(&good, "bst-push", &[&second], &[&name], "").exits(0);
    let asked = run(&to, "bst-remote-query", &[&first, &second], &[&name], "").exits(0);
    assert_eq!(asked.records()[0]["cache"]["where"], second.url());
    let run_ = run(&to, "bst-pull", &[&first, &second], &[&name], "").exits(0);
    assert_eq!(run_.records()[0]["cache"]["state"], "cached");
}

#[test]
fn blobs_that_one_server_lost_come_from_the_next() {
    let (index, spare) = (TestServer::start(), TestServer::start());
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, false).to_string();
    run(&from, "bst-push", &[&index, &spare], &[&name], "").exits(0);
    index.state().blobs.retain(|digest, _| digest.hash()[0] % 2 == 0);
    run(&to, "bst-pull", &[&index, &spare], &[&name], "").exits(0);
}

#[test]
fn an_index_and_a_storage_server_share_the_work() {
    let (index, storage) = (TestServer::start(), TestServer::start());
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, false).to_string();
    let flags = [
        format!("--artifact-remote=url={},type=index", index.url()),
        format!("--artifact-remote=url={},type=storage", storage.url()),
    ];
    let push = |place: &Place| place.run("bst-push", &[&flags[0], &flags[1], &name], "");
    // This index does not check what it is told.
    let message = std::fs::read(from.store().join("artifacts/refs").join(&name)).expect("the ref");
    index.state().put(message);
    let parts = content(&from.store());
    for (_, bytes) in parts {
        index.state().put(bytes);
    }
    push(&from).exits(0);
    index.state().blobs.clear();
    assert!(storage.state().assets.is_empty() && index.state().assets.len() == 2);
    to.run("bst-pull", &[&flags[0], &flags[1], &name], "").exits(0);
    let half = to.run("bst-pull", &[&flags[0], &stock::name("b.bst", 3).to_string()], "").exits(7);
    assert!(half.err.contains("no storage server"), "{}", half.err);
}

#[test]
fn a_query_fetches_nothing_but_the_message() {
    let server = TestServer::start();
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, true).to_string();
    run(&from, "bst-push", &[&server], &[&name], "").exits(0);
    server.state().forget_calls();
    let input = stock::record("a.bst", 1, 101) + &stock::record("b.bst", 2, 102);
    let run_ = run(&to, "bst-remote-query", &[&server], &[], &input).exits(4);
    let states: Vec<_> = run_.records().iter().map(|record| record["cache"]["state"].clone()).collect();
    assert_eq!(states, ["failed", "absent"]);
    let state = server.state();
    assert_eq!((state.count("FetchBlob"), state.count("BatchReadBlobs"), state.count("Read")), (2, 1, 0));
    assert_eq!(state.calls.iter().find(|call| call.method == "BatchReadBlobs").map(|call| call.count), Some(1));
    assert!(refs(&to.store()).is_empty());
}

#[test]
fn a_weak_key_finds_what_the_strict_one_does_not() {
    let server = TestServer::start();
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, false).to_string();
    run(&from, "bst-push", &[&server], &[&name], "").exits(0);
    let record = stock::record("a.bst", 9, 101);
    run(&to, "bst-pull", &[&server], &[], &record).exits(1);
    let run_ = run(&to, "bst-pull", &[&server], &["--non-strict"], &record).exits(0);
    let cache = &run_.records()[0]["cache"];
    assert_eq!((cache["by"].clone(), cache["key"].clone()), ("weak".into(), stock::key(1).to_string().into()));
}

#[test]
fn an_instance_is_named_in_every_call() {
    let server = TestServer::with(Options { instance: "main/cache".into(), batch: 1_000, ..Options::default() });
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, false).to_string();
    let flag = format!("--artifact-remote=url={},instance-name=main/cache", server.url());
    from.run("bst-push", &[&flag, &name], "").exits(0);
    to.run("bst-pull", &[&flag, &name], "").exits(0);
    let wrong = run(&to, "bst-remote-query", &[&server], &[&name], "").exits(7);
    assert!(wrong.err.contains("no instance"), "{}", wrong.err);
}

#[test]
fn hundreds_of_directories_and_equal_files_are_fetched_once() {
    let server = TestServer::start();
    let (from, to) = (Place::new(), Place::new());
    for number in 0..300 {
        from.write(&format!("t/{}/{number}/same", number % 7), "the same\n");
        from.write(&format!("t/{}/{number}/other", number % 7), format!("{number}\n"));
    }
    let name = crate::goods::commit_with(&from, "a.bst", 1, false, &from.path("t")).to_string();
    run(&from, "bst-push", &[&server], &[&name], "").exits(0);
    server.state().forget_calls();
    let run_ = run(&to, "bst-pull", &[&server], &[&name], "").exits(0);
    let asked: usize =
        server.state().calls.iter().filter(|call| call.method == "BatchReadBlobs").map(|call| call.count).sum();
    let blobs = run_.records()[0]["pull"]["blobs"].as_u64().expect("a number");
    // Directories, files, metadata and the message; each once.
    assert_eq!(asked as u64, blobs + 1, "{}", run_.out);
    // One blob of the other store is of no artifact.
    assert_eq!(content(&to.store()).len() + 1, content(&from.store()).len());
}

#[test]
fn the_store_is_asked_before_the_servers() {
    let server = TestServer::start();
    let (from, to) = (Place::new(), Place::new());
    let name = commit(&from, "a.bst", 1, false).to_string();
    run(&from, "bst-push", &[&server], &[&name], "").exits(0);
    commit(&to, "b.bst", 2, true);
    let conf = format!("artifacts:\n  servers:\n  - url: {}\n", server.url());
    to.write("home/.config/buildstream.conf", conf);
    server.state().forget_calls();
    let input: String =
        (1..4).map(|byte| stock::record(["", "a.bst", "b.bst", "c.bst"][byte as usize], byte, byte + 100)).collect();
    let all = to.run("bst-cache-query", &["--remote"], &input).exits(4);
    let answers: Vec<_> = all
        .records()
        .iter()
        .map(|record| (record["cache"]["state"].clone(), record["cache"]["where"].clone()))
        .collect();
    let (there, here) = (server.url().into(), "local".into());
    let expected = [("cached".into(), there), ("failed".into(), here), ("absent".into(), serde_json::Value::Null)];
    assert_eq!(answers, expected);
    let some = to.run("bst-cache-query", &["--remote", "--state=cached,absent"], &input);
    assert_eq!(some.records().len(), 2, "{}", some.out);
    assert_eq!(to.run("bst-cache-query", &["--remote", "--element=a.bst"], &input).records().len(), 1);
    // What is here is known without the server.
    drop(server);
    let run_ = to.run("bst-cache-query", &["--remote"], &stock::record("b.bst", 2, 102)).exits(4);
    assert_eq!(run_.records()[0]["cache"]["state"], "failed", "{}", run_.out);
}
