//! Servers and lines that misbehave: what may help is tried again; otherwise there is one clear message with
//! the server's name, exit 7, and the store as it was.

use crate::goods::{commit, content, refs, run};
use crate::proxy::{Line, Proxy};
use crate::server::{Fault, Kind, Options, TestServer};
use crate::support::{Place, Run};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tonic::Code;

/// A configuration that does not try long.
const IMPATIENT: &str = "\n    connection-config: {retry-limit: 2, retry-delay: 20, request-timeout: 1}\n";

/// A place whose configuration names a server, and does not wait long for it.
fn place_with(url: &str) -> Place {
    let place = Place::new();
    let text = format!("artifacts:\n  servers:\n  - url: {url}\n    push: true{IMPATIENT}");
    place.write("home/.config/buildstream.conf", text);
    place
}

/// A server that has an artifact, and the artifact's name.
fn stocked(fails: bool) -> (TestServer, String) {
    let server = TestServer::start();
    let place = Place::new();
    let name = commit(&place, "a.bst", 1, fails).to_string();
    run(&place, "bst-push", &[&server], &[&name], "").exits(0);
    server.state().forget_calls();
    (server, name)
}

/// Pulls into an empty store and sees that it fails without a trace of a ref.
#[track_caller]
fn fails(server: &TestServer, name: &str, words: &str) -> Run {
    let place = place_with(&server.url());
    let started = Instant::now();
    let run = place.run("bst-pull", &[name], "").exits(7);
    assert!(run.err.contains(&server.url()) && run.err.contains(words), "{}", run.err);
    assert_eq!(run.err.lines().count(), 1, "one message: {}", run.err);
    let record = &run.records()[0];
    assert_eq!(record["pull"]["state"], "failed");
    assert!(record.get("error").is_none(), "what cannot be pulled can be built: {record}");
    assert!(refs(&place.store()).is_empty(), "{:?}", refs(&place.store()));
    assert!(started.elapsed() < Duration::from_secs(20));
    run
}

#[test]
fn a_server_that_is_not_there_costs_seconds_and_that_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let place = place_with(&format!("http://{free}"));
    let input: String = (1..30).map(|byte| crate::stock::record("a.bst", byte, byte + 100)).collect();
    let started = Instant::now();
    let run = place.run("bst-pull", &["-j", "1"], &input).exits(7);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(run.records().len(), 29);
    assert!(run.err.contains("Connection refused"), "{}", run.err);
    // A build goes on without the cache: the records are as good as before.
    assert!(run.records().iter().all(|record| record.get("error").is_none()));
}

#[test]
fn codes_that_may_pass_are_tried_again_and_others_are_not() {
    let (server, name) = stocked(false);
    for (code, calls) in [(Code::Unavailable, 3), (Code::Internal, 3), (Code::PermissionDenied, 1), (Code::DataLoss, 1)]
    {
        server.state().faults.clear();
        server.state().forget_calls();
        server.fault("FetchBlob", Kind::Status(code));
        let counted = server.state().faults[0].times;
        fails(&server, &name, "as the test wants it");
        assert_eq!(counted - server.state().faults[0].times, calls, "{code:?}");
    }
}

/// What may go wrong once. To wait for what hangs takes a second, so that only the streams hang.
fn passing(method: &str) -> Vec<Kind> {
    let mut kinds = vec![Kind::Status(Code::Unavailable), Kind::Reset];
    if ["Read", "Write"].contains(&method) {
        kinds.push(Kind::Hang);
    }
    kinds
}

#[test]
fn a_passing_fault_of_any_call_is_survived() {
    let (server, name) = stocked(false);
    for method in ["GetCapabilities", "FetchBlob", "BatchReadBlobs", "Read"] {
        for kind in passing(method) {
            server.state().faults = vec![Fault { times: 1, ..Fault::new(method, kind.clone()) }];
            let place = place_with(&server.url());
            let run = place.run("bst-pull", &[&name], "");
            assert_eq!(run.code, 0, "{method} {kind:?}: {}", run.err);
        }
    }
    let place = Place::new();
    commit(&place, "b.bst", 2, true);
    for method in ["FindMissingBlobs", "BatchUpdateBlobs", "Write", "PushBlob"] {
        for kind in passing(method) {
            server.state().blobs.clear();
            server.state().assets.clear();
            server.state().faults = vec![Fault { times: 1, ..Fault::new(method, kind.clone()) }];
            let text = format!("artifacts:\n  servers:\n  - url: {}\n    push: true{IMPATIENT}", server.url());
            place.write("home/.config/buildstream.conf", text);
            let run = place.run("bst-push", &[&crate::stock::name("b.bst", 2).to_string()], "");
            assert_eq!(run.code, 0, "{method} {kind:?}: {}", run.err);
        }
    }
}

#[test]
fn a_stream_that_breaks_goes_on_where_it_broke() {
    let (server, name) = stocked(false);
    server.state().faults = vec![Fault { times: 4, ..Fault::new("Read", Kind::BreakAfter(500_000)) }];
    let place = place_with(&server.url());
    place.run("bst-pull", &[&name], "").exits(0);
    assert_eq!(server.state().count("Read"), 5);

    server.state().faults = vec![Fault { times: 2, ..Fault::new("Write", Kind::BreakAfter(1_000_000)) }];
    server.state().blobs.clear();
    server.state().assets.clear();
    server.state().forget_calls();
    place.run("bst-push", &[&name], "").exits(0);
    let state = server.state();
    assert_eq!((state.count("Write"), state.count("QueryWriteStatus")), (3, 2));
    assert!(state.uploads.is_empty(), "the upload that broke is the one that was completed");
}

#[test]
fn wrong_bytes_never_enter_the_store() {
    let (server, name) = stocked(false);
    for (method, kind) in [
        ("BatchReadBlobs", Kind::Corrupt),
        ("Read", Kind::Corrupt),
        ("Read", Kind::TooMuch),
        ("Read", Kind::EndAfter(1_000)),
    ] {
        server.state().faults = vec![Fault::new(method, kind.clone())];
        let words = if matches!(kind, Kind::EndAfter(_)) { "cannot read blob" } else { "digest" };
        let run = fails(&server, &name, words);
        assert!(run.err.contains('/'), "the digest is named: {}", run.err);
    }
}

#[test]
fn garbage_and_lies_are_refused() {
    let (server, name) = stocked(false);
    for method in ["GetCapabilities", "FetchBlob", "BatchReadBlobs", "Read"] {
        server.state().faults = vec![Fault::new(method, Kind::Garbage)];
        fails(&server, &name, "");
    }
    // A name that stands for something that is no artifact, for nothing, or for another artifact.
    let text = server.state().put("this is no artifact\n");
    let other = {
        let place = Place::new();
        let other = commit(&place, "z.bst", 9, false).to_string();
        run(&place, "bst-push", &[&server], &[&other], "").exits(0);
        server.state().assets[&format!("urn:fdc:buildstream.build:2020:artifact:{other}")]
    };
    let nothing = bst_plumbing::values::Digest::of(b"not on the server");
    for (digest, words) in [(text, "is none"), (nothing, "any more"), (other, "another key")] {
        server.state().faults = vec![Fault::new("FetchBlob", Kind::Name(digest))];
        fails(&server, &name, words);
    }
}

#[test]
fn trees_that_are_attacks_are_refused() {
    use bst_plumbing::values::proto::{Directory, DirectoryNode, FileNode, SymlinkNode};
    use prost::Message;
    let file = |name: &str, digest| FileNode { name: name.into(), digest, ..FileNode::default() };
    let link = |name: &str| SymlinkNode { name: name.into(), target: "/etc".into(), ..SymlinkNode::default() };
    let (server, _) = stocked(false);
    let blob = Some(server.state().put("x").to_proto());
    let lie = blob.clone().map(|digest| bst_plumbing::values::proto::Digest { size_bytes: 1 << 40, ..digest });
    let negative = blob.clone().map(|digest| bst_plumbing::values::proto::Digest { size_bytes: -1, ..digest });
    let directories = [
        Directory { files: vec![file("../../x", blob.clone())], ..Directory::default() },
        Directory { files: vec![file("a", blob.clone()), file("a", blob.clone())], ..Directory::default() },
        Directory { files: vec![file("a", None)], ..Directory::default() },
        Directory { files: vec![file("a", negative)], ..Directory::default() },
        Directory { files: vec![file("a", lie)], ..Directory::default() },
        Directory { files: vec![file("a", blob.clone())], symlinks: vec![link("a")], ..Directory::default() },
        Directory {
            directories: vec![DirectoryNode {
                name: "..".into(),
                digest: Some(bst_plumbing::values::Digest::EMPTY.to_proto()),
            }],
            ..Directory::default()
        },
    ];
    for directory in directories {
        let place = Place::new();
        let name = commit(&place, "a.bst", 1, false);
        let store = bst_plumbing::store::Store::new(place.store());
        let mut artifact = store.artifacts().read(&name).expect("a ref").expect("an artifact");
        let message = directory.encode_to_vec();
        artifact.files = Some(bst_plumbing::values::Digest::of(&message).to_proto());
        let bytes = artifact.encode_to_vec();
        let uri = format!("urn:fdc:buildstream.build:2020:artifact:{name}");
        let digest = server.state().put(bytes);
        server.state().put(message);
        server.state().assets.insert(uri, digest);
        for blob in content(&place.store()) {
            server.state().put(blob.1);
        }
        fails(&server, &name.to_string(), "");
    }
}

#[test]
fn a_full_server_says_so_and_gets_no_name() {
    let server = TestServer::start();
    for (method, kind) in [
        ("BatchUpdateBlobs", Kind::Forget),
        ("BatchUpdateBlobs", Kind::Status(Code::ResourceExhausted)),
        ("Write", Kind::Status(Code::ResourceExhausted)),
    ] {
        server.state().blobs.clear();
        server.state().faults = vec![Fault::new(method, kind)];
        let place = place_with(&server.url());
        let name = commit(&place, "a.bst", 1, false).to_string();
        let before = content(&place.store());
        let run = place.run("bst-push", &[&name], "").exits(7);
        assert!(run.err.contains("no room") && run.err.contains(&server.url()), "{}", run.err);
        assert_eq!(run.records()[0]["push"]["state"], "failed");
        assert!(server.state().assets.is_empty());
        assert_eq!(content(&place.store()), before);
    }
}

#[test]
fn a_line_that_is_cut_or_slow_is_survived() {
    let (server, name) = stocked(false);
    for line in
        [Line::Cut { bytes: 700_000, times: 3 }, Line::Cut { bytes: 30, times: 2 }, Line::Slow { bytes: 16_000 }]
    {
        let proxy = Proxy::new(server.address(), line);
        let place = place_with(&proxy.url());
        let run = place.run("bst-pull", &[&name], "");
        assert_eq!(run.code, 0, "{line:?}: {}", run.err);
        if let Line::Cut { times, .. } = line {
            assert_eq!(proxy.connections.load(Ordering::SeqCst), times + 1, "{line:?}");
        }
    }
}

#[test]
fn a_line_that_stalls_or_is_no_server_ends_in_a_message() {
    let (server, name) = stocked(false);
    for line in [Line::Stall { bytes: 400_000 }, Line::Stall { bytes: 0 }, Line::Noise] {
        let proxy = Proxy::new(server.address(), line);
        let place = place_with(&proxy.url());
        let started = Instant::now();
        let run = place.run("bst-pull", &[&name], "").exits(7);
        assert!(started.elapsed() < Duration::from_secs(15), "{line:?}: {:?}", started.elapsed());
        assert!(run.err.contains(&proxy.url()), "{line:?}: {}", run.err);
        assert!(refs(&place.store()).is_empty());
    }
}

#[test]
fn what_came_before_a_failure_is_not_fetched_again() {
    let (full, name) = stocked(false);
    let server = TestServer::with(Options { batch: 2_000, ..Options::default() });
    server.state().blobs = full.state().blobs.clone();
    server.state().assets = full.state().assets.clone();
    let place = place_with(&server.url());
    // The message and most of the directories come, and some of the files.
    server.state().faults =
        vec![Fault { after: 8, ..Fault::new("BatchReadBlobs", Kind::Status(Code::PermissionDenied)) }];
    place.run("bst-pull", &[&name], "").exits(7);
    assert!(refs(&place.store()).is_empty());
    let came = content(&place.store()).len() as u64;
    assert!(came > 0);
    server.state().faults.clear();
    let run = place.run("bst-pull", &[&name], "").exits(0);
    assert!(run.records()[0]["pull"]["blobs"].as_u64().is_some_and(|blobs| blobs + came <= 92), "{came}: {}", run.out);
}

#[test]
fn a_signal_leaves_no_trace() {
    let (server, name) = stocked(false);
    server.fault("Read", Kind::Hang);
    let place = Place::new();
    let mut child = place
        .command("bst-pull")
        .args([&format!("--artifact-remote={}", server.url()), &name])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("bst-pull");
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.state().count("BatchReadBlobs") < 3 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = i32::try_from(child.id()).expect("a pid");
    // SAFETY: a plain system call on a child that was not waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    let status = child.wait().expect("an end");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status:?}");
    assert!(refs(&place.store()).is_empty());
    let left: Vec<_> = std::fs::read_dir(place.store().join("cas/tmp")).expect("a directory").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}
