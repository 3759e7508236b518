use crate::fetch::{git, repository};
use crate::server::{Answer, Server};
use crate::support::{Place, Run};
use bst_plumbing::values::Digest;
use serde_json::{Value, json};

const ELEMENT: &str = "# An element.\nkind: import\n\nsources:\n- kind: tar   # first\n  url: a:x.tar\n  ref: old    # to be found\n\n- kind: remote\n  url: a:y\n";

/// The record of the element in `ELEMENT`.
fn record(place: &Place, server: &Server) -> String {
    let file = place.path("a.bst");
    let source = |index: usize, line: usize, kind: &str, reference: Option<&str>| {
        let name = ["x.tar", "y"][index];
        let mut source = json!({
            "kind": kind, "url": format!("a:{name}"), "urls": ["http://127.0.0.1:1/mirror", format!("{}/{name}", server.url)],
            "origin": {"column": 2, "file": file, "index": index, "line": line, "storage": "inline"},
        });
        if let Some(reference) = reference {
            source["ref"] = reference.into();
        }
        source
    };
    let sources = [source(0, 5, "tar", Some("old")), source(1, 9, "remote", None)];
    format!(
        "{}\n",
        json!({"element": "a.bst", "project": "p", "error": {"code": "no-ref", "message": "x"}, "sources": sources})
    )
}

fn track(place: &Place, arguments: &[&str], input: &str) -> Run {
    place.run("bst-track", arguments, input)
}

#[test]
fn refs_are_written_and_nothing_else_changes() {
    let place = Place::new();
    let server = Server::new(|request, _| Answer::ok(request.path.clone()));
    place.write("a.bst", ELEMENT);
    let input = record(&place, &server);
    let (x, y) = (Digest::of(b"/x.tar").hex(), Digest::of(b"/y").hex());

    let run = track(&place, &["-n"], &input).exits(0);
    assert_eq!(std::fs::read_to_string(place.path("a.bst")).expect("the element"), ELEMENT);
    assert_eq!(run.records()[0]["track"][0], json!({"changed": true, "index": 0, "kind": "tar", "values": {"ref": x}}));

    let run = track(&place, &[], &input).exits(0);
    let expected =
        ELEMENT.replace("ref: old ", &format!("ref: {x} ")).replace("url: a:y\n", &format!("url: a:y\n  ref: {y}\n"));
    assert_eq!(std::fs::read_to_string(place.path("a.bst")).expect("the element"), expected);
    let record = &run.records()[0];
    assert_eq!(record["track"][1]["file"], json!(place.path("a.bst")));
    assert_eq!(record["sources"][0]["ref"], "old", "what other programs wrote stays");
    // What was downloaded is there for bst-fetch.
    assert!(place.store().join("sources/tar/a_x_tar").join(&x).is_file());
    assert!(!server.requests().iter().any(|request| request.path.contains("mirror")), "refs do not come from mirrors");
}

#[test]
fn a_file_that_did_not_change_is_not_sent_again() {
    let place = Place::new();
    let server = Server::new(|request, _| match request.header("if-none-match") {
        Some("\"tag\"") => Answer::status(304),
        _ => Answer::ok("content").with("ETag", "\"tag\""),
    });
    let hash = Digest::of(b"content").hex();
    let source = |reference: &str| {
        let file = place.write("b.bst", format!("sources:\n- kind: remote\n  ref: {reference}\n"));
        let origin = json!({"column": 2, "file": file, "index": 0, "line": 2, "storage": "inline"});
        json!({"kind": "remote", "url": "a:f", "urls": [format!("{}/f", server.url)], "ref": reference, "origin": origin})
    };
    let input =
        |reference: &str| format!("{}\n", json!({"element": "b.bst", "project": "p", "sources": [source(reference)]}));
    let run = track(&place, &[], &input("other")).exits(0);
    assert_eq!(run.records()[0]["track"][0]["changed"], true);
    let run = track(&place, &[], &input(&hash)).exits(0);
    assert_eq!(
        run.records()[0]["track"][0],
        json!({"changed": false, "index": 0, "kind": "remote", "values": {"ref": hash}})
    );
    assert_eq!(server.requests()[1].header("if-none-match"), Some("\"tag\""));
}

#[test]
fn branches_and_tags_are_found_and_written_to_project_refs() {
    let place = Place::new();
    let first = repository(&place, "up", "one");
    git(&place, "up", &["tag", "v1.9"]);
    place.write("up/file", "two");
    git(&place, "up", &["commit", "-q", "-a", "-m", "two"]);
    git(&place, "up", &["tag", "-a", "-m", "t", "v1.10"]);
    let second = git(&place, "up", &["rev-parse", "HEAD"]);
    place.write("up/file", "three");
    git(&place, "up", &["commit", "-q", "-a", "-m", "three"]);
    let third = git(&place, "up", &["rev-parse", "HEAD"]);
    let url = format!("file://{}", place.path("up").display());
    let source = |index: usize, kind: &str, config: Value| {
        let origin = json!({"file": place.path("project.refs"), "index": index, "storage": "project.refs"});
        json!({"config": config, "kind": kind, "url": "r:up", "urls": [url], "origin": origin})
    };
    let sources = [
        source(0, "git", json!({"track": "master"})),
        source(1, "git", json!({"track": "v1.9"})),
        source(2, "git", json!({"track": "master", "ref-format": "git-describe", "track-tags": "true"})),
        source(3, "git_repo", json!({"track": "v*"})),
        source(4, "git_repo", json!({"track": "v*", "ref-format": "git-describe", "exclude": ["*10"]})),
        source(5, "git_tag", json!({"track": "master"})),
        source(6, "local", json!({"path": "x"})),
    ];
    let input = format!("{}\n", json!({"element": "j.bst:sub/a.bst", "project": "p", "sources": sources}));
    let run = track(&place, &[], &input).exits(0);
    let record = &run.records()[0];
    let values: Vec<&Value> =
        record["track"].as_array().expect("a list").iter().map(|tracked| &tracked["values"]["ref"]).collect();
    let described = format!("v1.10-1-g{third}");
    let expected = [&third, &first, &described, &second, &format!("v1.9-0-g{first}"), &described];
    assert_eq!(values, expected.map(|text| Value::from(text.as_str())).iter().collect::<Vec<_>>());
    let refs = std::fs::read_to_string(place.path("project.refs")).expect("project.refs");
    let tags = format!("      tags:\n      - annotated: true\n        commit: {second}\n        tag: v1.10\n");
    let start = format!(
        "projects:\n  p:\n    sub/a.bst:\n    - ref: {third}\n    - ref: {first}\n    - ref: {described}\n{tags}"
    );
    assert!(refs.starts_with(&start), "{refs}");
}

#[test]
fn what_cannot_be_tracked_is_said() {
    let place = Place::new();
    let server = Server::new(|_, _| Answer::status(404));
    place.write("a.bst", ELEMENT);
    let run = track(&place, &["--retries=0"], &record(&place, &server)).exits(7);
    assert!(run.err.contains("404"), "{}", run.err);
    assert_eq!(std::fs::read_to_string(place.path("a.bst")).expect("the element"), ELEMENT);

    let server = Server::new(|_, _| Answer::ok("x"));
    let moved = record(&place, &server).replace("\"line\":5", "\"line\":4");
    let run = track(&place, &[], &moved).exits(2);
    assert!(run.err.contains("line 4"), "{}", run.err);
    let run = track(&place, &[], &record(&place, &server).replace("a.bst\",\"index", "gone.bst\",\"index")).exits(2);
    assert!(run.err.contains("gone.bst"), "{}", run.err);
}
