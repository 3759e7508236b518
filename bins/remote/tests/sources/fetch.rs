use crate::server::{Answer, Server};
use crate::support::{Place, Run};
use bst_plumbing::values::Digest;
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn content() -> Vec<u8> {
    (0..300_000_u32).flat_map(|number| number.to_le_bytes()).collect()
}

/// A record with one source of kind remote.
fn record(element: &str, bytes: &[u8], urls: &[String]) -> String {
    let hash = Digest::of(bytes).hex();
    let unique = json!(["a:file", hash, "file", false]);
    let config = json!({"executable": false, "filename": "file"});
    let source =
        json!({"config": config, "kind": "remote", "ref": hash, "unique": unique, "url": "a:file", "urls": urls});
    format!("{}\n", json!({"element": element, "project": "p", "sources": [source], "v": 1}))
}

fn kept(place: &Place, bytes: &[u8]) -> PathBuf {
    place.store().join("sources/remote/a_file").join(Digest::of(bytes).hex())
}

fn fetch(place: &Place, input: &str) -> Run {
    place.run("bst-fetch", &["--retries=2", "--timeout=5"], input)
}

fn message(run: &Run) -> String {
    run.records()[0]["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_file_is_brought_once_and_kept_with_its_etag() {
    let place = Place::new();
    let bytes = content();
    let body = bytes.clone();
    let server = Server::new(move |_, _| Answer::ok(body.clone()).with("ETag", "\"one\""));
    let input = record("a.bst", &bytes, &[format!("{}/file", server.url)]);
    let run = fetch(&place, &input).exits(0);
    assert_eq!((run.out.as_str(), run.err.as_str()), (input.as_str(), ""));
    assert_eq!(std::fs::read(kept(&place, &bytes)).expect("the download"), bytes);
    let etag = kept(&place, &bytes).with_extension("etag");
    assert_eq!(std::fs::read_to_string(etag).expect("the etag"), "\"one\"");
    fetch(&place, &input).exits(0);
    assert_eq!(server.requests().len(), 1);
    // Neither what is staged nor the download alone is brought again.
    std::fs::remove_dir_all(place.store().join("elementsources")).expect("removed");
    fetch(&place, &input).exits(0);
    std::fs::remove_dir_all(place.store().join("elementsources")).expect("removed");
    std::fs::remove_dir_all(place.store().join("source_protos")).expect("removed");
    fetch(&place, &input).exits(0);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn mirrors_are_asked_in_order_until_one_has_it() {
    let place = Place::new();
    let bytes = content();
    let body = bytes.clone();
    let server = Server::new(move |request, _| match request.path.as_str() {
        "/missing" => Answer::status(404),
        "/other" => Answer::ok("something else"),
        _ => Answer::ok(body.clone()),
    });
    let urls = ["missing", "other", "good", "never"].map(|name| format!("{}/{name}", server.url));
    fetch(&place, &record("a.bst", &bytes, &urls)).exits(0);
    let asked: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/missing", "/other", "/good"]);
}

#[test]
fn what_is_not_the_ref_is_not_kept() {
    let place = Place::new();
    let server = Server::new(|_, _| Answer::ok("something else"));
    let run = fetch(&place, &record("a.bst", b"right", &[format!("{}/file", server.url)])).exits(7);
    let found = Digest::of(b"something else").hex();
    assert!(message(&run).contains(&found) && message(&run).contains("SHA-256"), "{}", message(&run));
    assert_eq!(run.records()[0]["error"]["code"], "source");
    assert!(!place.store().join("sources").exists());
    assert_eq!(server.requests().len(), 1, "the same bytes come again");
}

#[test]
fn a_broken_connection_goes_on_where_it_broke() {
    let place = Place::new();
    let bytes = content();
    let body = bytes.clone();
    let server = Server::new(move |request, before| {
        let from =
            request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let from: usize = from.unwrap_or(0);
        let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
        let rest = &body[from..];
        let half = &rest[..rest.len() / 2];
        let sent = if before < 2 { half } else { rest };
        let answer = Answer { length: Some(rest.len()), ..Answer::ok(sent) };
        if from == 0 { answer } else { Answer { status: 206, ..answer }.with("Content-Range", range) }
    });
    fetch(&place, &record("a.bst", &bytes, &[format!("{}/file", server.url)])).exits(0);
    let ranges: Vec<Option<String>> =
        server.requests().iter().map(|request| request.header("range").map(str::to_owned)).collect();
    let half = bytes.len() / 2;
    let quarter = half + (bytes.len() - half) / 2;
    assert_eq!(ranges, [None, Some(format!("bytes={half}-")), Some(format!("bytes={quarter}-"))]);
    assert_eq!(std::fs::read(kept(&place, &bytes)).expect("the download"), bytes);
}

#[test]
fn what_a_run_brought_serves_the_next_even_where_it_does_not_fit() {
    let place = Place::new();
    let bytes = content();
    let part = place.store().join("plumbing/downloads").join(format!("{}.part", Digest::of(&bytes).hex()));
    for (there, accepts) in
        [(&bytes[..5000], true), (b"other bytes", true), (&bytes[..5000], false), (&bytes[..], true)]
    {
        std::fs::create_dir_all(part.parent().expect("a parent")).expect("directories");
        std::fs::write(&part, there).expect("a part");
        let body = bytes.clone();
        let server = Server::new(move |request, _| match request.header("range").filter(|_| accepts) {
            None => Answer::ok(body.clone()),
            Some(range) => {
                let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().expect("a number");
                if from >= body.len() {
                    return Answer::status(416);
                }
                let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
                Answer { status: 206, ..Answer::ok(&body[from..]) }.with("Content-Range", range)
            }
        });
        fetch(&place, &record("a.bst", &bytes, &[format!("{}/file", server.url)])).exits(0);
        assert_eq!(std::fs::read(kept(&place, &bytes)).expect("the download"), bytes);
        assert!(!part.exists());
        std::fs::remove_dir_all(place.store()).expect("removed");
    }
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let place = Place::new();
    let server = Server::new(|_, before| match before {
        0 => Answer::status(503).with("Retry-After", 0),
        1 => Answer::status(429).with("Retry-After", 0),
        _ => Answer::ok("content"),
    });
    fetch(&place, &record("a.bst", b"content", &[format!("{}/file", server.url)])).exits(0);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_server_that_stays_broken_is_named_with_exit_7() {
    let place = Place::new();
    let server = Server::new(|_, _| Answer::status(500).with("Retry-After", 0));
    let run = fetch(&place, &record("a.bst", b"content", &[format!("{}/file", server.url)])).exits(7);
    assert_eq!(server.requests().len(), 3);
    assert_eq!(run.records()[0]["error"]["code"], "network");
    assert!(message(&run).contains(&server.url) && message(&run).contains("500"), "{}", message(&run));
    assert!(run.err.starts_with("bst-fetch: the record of a.bst: "), "{}", run.err);

    let run = fetch(&place, &record("a.bst", b"content", &["http://127.0.0.1:1/file".to_owned()])).exits(7);
    assert!(message(&run).contains("refused"), "{}", message(&run));
    let run = fetch(&place, &record("a.bst", b"content", &["gopher://h/file".to_owned()])).exits(2);
    assert!(message(&run).contains("gopher://h/file"), "{}", message(&run));
    fetch(&place, &record("a.bst", b"content", &[])).exits(7);
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let place = Place::new();
    let server = Server::new(|_, _| Answer { pause: Some(Duration::from_secs(30)), ..Answer::ok("content") });
    let begin = Instant::now();
    let input = record("a.bst", b"content", &[format!("{}/file", server.url)]);
    let run = place.run("bst-fetch", &["--retries=0", "--timeout=1"], &input).exits(7);
    assert!(begin.elapsed() < Duration::from_secs(15));
    assert_eq!(run.records()[0]["error"]["code"], "network");
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let place = Place::new();
    let server = Server::new(|request, _| match request.path.as_str() {
        "/file" => Answer::status(302).with("Location", "/there"),
        "/there" => Answer::ok("content"),
        _ => Answer::status(302).with("Location", "/loop"),
    });
    fetch(&place, &record("a.bst", b"content", &[format!("{}/file", server.url)])).exits(0);
    let run = fetch(&place, &record("b.bst", b"other", &[format!("{}/loop", server.url)])).exits(7);
    assert!(message(&run).contains("redirect"), "{}", message(&run));
}

#[test]
fn names_and_passwords_come_from_netrc_when_the_server_asks() {
    let place = Place::new();
    place.write("home/.netrc", "machine 127.0.0.1 login user password pass\n");
    let server = Server::new(|request, _| match request.header("authorization") {
        Some("Basic dXNlcjpwYXNz") => Answer::ok("content"),
        Some(_) => Answer::status(403),
        None => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
    });
    fetch(&place, &record("a.bst", b"content", &[format!("{}/file", server.url)])).exits(0);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn downloads_run_side_by_side_and_records_keep_their_order() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let place = Place::new();
    let server = Server::new(|request, _| {
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let number: u64 = request.path.trim_start_matches('/').parse().unwrap_or(0);
        // The first ones take longest.
        std::thread::sleep(Duration::from_millis(400 - 40 * number));
        NOW.fetch_sub(1, Ordering::SeqCst);
        if number == 3 { Answer::status(404) } else { Answer::ok(request.path.clone()) }
    });
    let input: String = (0..8)
        .map(|number| {
            record(&format!("{number}.bst"), format!("/{number}").as_bytes(), &[format!("{}/{number}", server.url)])
        })
        .collect();
    let run = place.run("bst-fetch", &["-j", "4"], &input).exits(7);
    let records = run.records();
    let names: Vec<&str> = records.iter().filter_map(|record| record["element"].as_str()).collect();
    assert_eq!(names, ["0.bst", "1.bst", "2.bst", "3.bst", "4.bst", "5.bst", "6.bst", "7.bst"]);
    let wrong: Vec<bool> = records.iter().map(|record| record.get("error").is_some()).collect();
    assert_eq!(wrong, [false, false, false, true, false, false, false, false]);
    assert!((2..=4).contains(&MOST.load(Ordering::SeqCst)), "{MOST:?}");
}

#[test]
fn one_file_for_two_records_and_two_programs_is_brought_once() {
    let place = Place::new();
    let server = Server::new(|_, _| {
        std::thread::sleep(Duration::from_millis(300));
        Answer::ok("content")
    });
    let input: String =
        ["a.bst", "b.bst"].map(|name| record(name, b"content", &[format!("{}/file", server.url)])).concat();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| fetch(&place, &input).exits(0));
        fetch(&place, &input).exits(0);
        other.join().expect("the other run");
    });
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_download_that_was_damaged_is_brought_again() {
    let place = Place::new();
    let server = Server::new(|_, _| Answer::ok("content"));
    std::fs::create_dir_all(kept(&place, b"content").parent().expect("a parent")).expect("directories");
    std::fs::write(kept(&place, b"content"), "damaged").expect("a download");
    fetch(&place, &record("a.bst", b"content", &[format!("{}/file", server.url)])).exits(0);
    assert_eq!(std::fs::read(kept(&place, b"content")).expect("the download"), b"content");
}

#[test]
fn a_dry_run_says_what_it_would_bring() {
    let place = Place::new();
    let input = record("a.bst", b"content", &["http://127.0.0.1:1/file".to_owned()]);
    let run = place.run("bst-fetch", &["-n"], &input).exits(0);
    assert_eq!((run.out.as_str(), run.err.as_str()), (input.as_str(), "http://127.0.0.1:1/file\n"));
    assert!(!place.store().join("sources").exists());
}

#[test]
fn records_without_sources_or_with_an_error_pass() {
    let place = Place::new();
    let input = "{\"element\":\"a.bst\",\"v\":1}\n{\"element\":\"b.bst\",\"error\":{\"code\":\"no-ref\",\"message\":\"x\"},\"sources\":[{\"kind\":\"tar\"}]}\n";
    let run = fetch(&place, input).exits(2);
    assert_eq!((run.out.as_str(), run.err.as_str()), (input, ""));
    let run = fetch(&place, "{\"element\":\"a.bst\",\"sources\":[{\"kind\":\"tar\"}]}\n").exits(2);
    assert_eq!(run.records()[0]["error"]["code"], "no-ref");
    let unknown = json!({"element": "a.bst", "sources": [{"kind": "other", "unique": "x"}]});
    let run = fetch(&place, &format!("{unknown}\n")).exits(2);
    assert!(message(&run).contains("\"other\""), "{}", message(&run));
    for hostile in ["../x", "/etc", "a/b"] {
        let hostile =
            json!({"element": "a.bst", "sources": [{"kind": hostile, "unique": "x", "url": "u", "ref": "a"}]});
        fetch(&place, &format!("{hostile}\n")).exits(2);
    }
    let run = fetch(
        &place,
        &format!(
            "{}\n",
            json!({"element": "a.bst", "sources": [{
        "kind": "tar", "unique": "x", "url": "u", "ref": "../../../evil", "urls": ["file:///etc/passwd"]}]})
        ),
    );
    assert_eq!(run.exits(2).records()[0]["error"]["code"], "malformed");
    assert_eq!(place.run("bst-fetch", &[], "").exits(0).out, "");
}

#[test]
fn git_mirrors_are_fetched_with_their_submodules() {
    let place = Place::new();
    let inner = repository(&place, "inner", "i");
    let outer = repository(&place, "outer", "o");
    git(&place, "outer", &["submodule", "add", "-q", &format!("file://{}", place.path("inner").display()), "in ner"]);
    git(&place, "outer", &["commit", "-q", "-m", "sub"]);
    let head = git(&place, "outer", &["rev-parse", "HEAD"]);
    let url = format!("file://{}", place.path("outer").display());
    let source = json!({"config": {"checkout-submodules": true}, "kind": "git", "ref": head, "unique": ["r:outer", head],
        "url": "r:outer", "urls": ["file:///nowhere", url]});
    let input = format!("{}\n", json!({"element": "a.bst", "sources": [source]}));
    fetch(&place, &input).exits(0);
    std::fs::remove_dir_all(place.path("outer")).expect("removed");
    std::fs::remove_dir_all(place.path("inner")).expect("removed");
    fetch(&place, &input).exits(0);
    let wrong = json!({"element": "b.bst", "sources": [{"kind": "git", "ref": inner, "unique": ["r:outer", inner], "url": "r:outer",
        "urls": ["file:///nowhere"]}]});
    let run = fetch(&place, &format!("{wrong}\n")).exits(7);
    assert!(message(&run).contains("/nowhere"), "{}", message(&run));
    assert_ne!(outer, inner);
}

/// A repository with one commit, and its name.
pub fn repository(place: &Place, name: &str, text: &str) -> String {
    place.write(&format!("{name}/file"), text);
    git(place, name, &["init", "-q"]);
    git(place, name, &["add", "-A"]);
    git(place, name, &["commit", "-q", "-m", text]);
    git(place, name, &["rev-parse", "HEAD"])
}

/// Runs git in a repository of the test's.
pub fn git(place: &Place, name: &str, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    command.env("HOME", place.path("home")).env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "n").env(format!("GIT_{who}_EMAIL"), "n@n");
        command.env(format!("GIT_{who}_DATE"), "1600000000 +0000");
    }
    command.args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=master"]).args(arguments);
    let run = Run::of(command.current_dir(place.path(name)), "").exits(0);
    run.out.trim().to_owned()
}
