//! Source caches.

use crate::server::TestServer;
use crate::support::Place;
use bst_plumbing::doing::source;
use bst_plumbing::store::Store;
use bst_plumbing::values::record::Source;
use bst_remote::caches::Caches;
use bst_remote::source_cache::{self, Entry};
use bst_remote::wire::server::Compress;
use serde_json::json;

/// A record with one local source, and that source.
fn record(place: &Place) -> (String, Vec<Source>) {
    place.write("p/src/a/b", "a source\n");
    place.write("p/src/c", "another\n");
    let base = place.path("p").display().to_string();
    let sources = json!([{
        "kind": "local", "base": base, "config": {"path": "src"},
        "unique": "0000000000000000000000000000000000000000000000000000000000000001",
    }]);
    let line = json!({"v": 1, "project": "p", "element": "a.bst", "key": crate::stock::key(1), "sources": sources});
    (format!("{line}\n"), serde_json::from_value(sources).expect("sources"))
}

#[test]
fn sources_are_pushed_by_themselves_and_together_and_pulled_again() {
    let server = TestServer::start();
    let place = Place::new();
    let (line, sources) = record(&place);
    let flag = format!("--source-remote={}", server.url());
    let run = place.run("bst-push", &["--sources", &flag], &line).exits(0);
    assert_eq!(run.records()[0]["push"]["state"], "pushed", "{}", run.out);
    assert_eq!(server.state().assets.len(), 2);
    let again = place.run("bst-push", &["--sources", &flag], &line).exits(0);
    assert_eq!(again.records()[0]["push"]["state"], "present", "{}", again.out);

    let tree = source::cache::element(&Store::new(place.store()), &source::cache::element_key(&sources).unwrap());
    let tree = tree.expect("readable").expect("staged");
    for entry in [Entry::of_element(&sources).unwrap(), Entry::of_source(&sources[0]).unwrap()] {
        let other = Place::new();
        let store = Store::new(other.store());
        let remote = bst_plumbing::project::remotes::Remote { url: server.url(), ..Default::default() };
        let caches = Caches::new(&[remote], Compress::Auto, |error| panic!("{error}"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let pulled = runtime.block_on(source_cache::pull(&caches, &store, &entry)).expect("pulled");
        assert!(pulled.is_some_and(|volume| volume.blobs >= 3), "{entry:?}");
        let found = match &entry {
            Entry::Element(key) => source::cache::element(&store, key),
            Entry::Single(..) => source::cache::single(&store, &sources[0]),
        };
        assert_eq!(found.expect("readable"), Some(tree), "{entry:?}");
    }
}

#[test]
fn sources_that_were_not_fetched_are_a_no() {
    let server = TestServer::start();
    let place = Place::new();
    let unique = ["http://a/x.tar", "00"];
    let sources = json!([{"kind": "tar", "url": "http://a/x.tar", "ref": "00".repeat(32), "unique": unique}]);
    let line = json!({"v": 1, "project": "p", "element": "a.bst", "key": crate::stock::key(1), "sources": sources});
    let flag = format!("--source-remote={}", server.url());
    let run = place.run("bst-push", &["--sources", &flag], &format!("{line}\n")).exits(1);
    assert_eq!(run.records()[0]["push"]["state"], "absent", "{}", run.out);
}

#[test]
fn what_a_source_cache_has_is_not_downloaded() {
    let server = TestServer::start();
    let (from, to) = (Place::new(), Place::new());
    let text = b"downloaded once\n";
    let hash = bst_plumbing::values::Digest::of(text).hex();
    let url = "http://127.0.0.1:1/never";
    let sources = json!([{
        "kind": "remote", "url": url, "urls": [url], "ref": hash, "config": {"filename": "never"},
        "unique": [url, hash, "never"],
    }]);
    let line = json!({"v": 1, "project": "p", "element": "a.bst", "key": crate::stock::key(1), "sources": sources});
    let line = format!("{line}\n");
    let mirror = Store::new(from.store()).sources().mirror("remote", url).expect("a path");
    std::fs::create_dir_all(&mirror).expect("a directory");
    std::fs::write(mirror.join(&hash), text).expect("a file");
    let flag = format!("--source-remote={}", server.url());
    from.run("bst-push", &["--sources", &flag], &line).exits(0);
    // Without the cache there is no way to it.
    to.run("bst-fetch", &["--retries=0"], &line).exits(7);
    to.run("bst-fetch", &["--retries=0", &flag], &line).exits(0);
    server.fault("FetchBlob", crate::server::Kind::Status(tonic::Code::PermissionDenied));
    let last = Place::new();
    let run = last.run("bst-fetch", &["--retries=0", &flag], &line);
    assert!(run.err.contains(&server.url()), "{}", run.err);
}
