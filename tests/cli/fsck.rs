use crate::stock::{Build, Stock, name, record};
use crate::support::Place;
use bst_plumbing::values::result::FailureClass;
use bst_plumbing::values::{Digest, directory, proto};

fn stocked() -> (Place, Stock) {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    for (element, byte) in [("a.bst", 1), ("b.bst", 2)] {
        place.write(&format!("{element}/usr/share/{element}"), element);
        place.write(&format!("{element}/usr/common"), "common");
        let files = place.path(element);
        stock.commit(&Build { element, strong: byte, weak: byte + 100, files: Some(&files), ..Build::default() });
    }
    stock.commit(&Build {
        element: "bad.bst",
        strong: 3,
        weak: 103,
        class: Some(FailureClass::Command),
        ..Build::default()
    });
    place.run("bst-fsck", &[], "").exits(0);
    (place, stock)
}

fn change(path: &std::path::Path, bytes: &[u8]) {
    std::fs::remove_file(path).expect("gone");
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn an_empty_store_and_none_at_all_are_fine() {
    let place = Place::new();
    let run = place.run("bst-fsck", &[], "").exits(0);
    assert!(run.err.contains("0 B in 0 blobs and 0 refs"), "{}", run.err);
    assert!(!place.store().exists(), "looking makes nothing");
}

#[test]
fn a_blob_that_lies_is_found_with_what_needs_it_and_put_aside() {
    let (place, stock) = stocked();
    change(&stock.store.cas().path(&Digest::of(b"common")), b"commun");
    let run = place.run("bst-fsck", &[], "").exits(8);
    let object = run.records().into_iter().find(|r| r["fsck"]["what"] == "object").expect("the blob");
    let affects = object["fsck"]["affects"].as_array().expect("artifacts").clone();
    assert!(
        affects.contains(&name("a.bst", 1).to_string().into())
            && affects.contains(&name("b.bst", 2).to_string().into())
    );
    place.run("bst-cache-query", &[], &record("a.bst", 1, 101)).exits(0);
    let run = place.run("bst-fsck", &["--repair"], "").exits(0);
    assert!(run.records().iter().all(|record| record["fsck"]["moved_to"].is_string()), "{}", run.out);
    place.run("bst-fsck", &[], "").exits(0);
    place.run("bst-cache-query", &[], &record("a.bst", 1, 101)).exits(1);
    place.run("bst-cache-query", &[], &record("bad.bst", 3, 103)).exits(4);
}

#[test]
fn a_missing_blob_deep_in_a_tree_is_found() {
    let (place, stock) = stocked();
    std::fs::remove_file(stock.store.cas().path(&Digest::of(b"a.bst"))).expect("gone");
    let run = place.run("bst-fsck", &[], "").exits(8);
    let refs: Vec<_> = run.records().iter().map(|r| r["fsck"]["path"].as_str().unwrap_or("").to_owned()).collect();
    assert_eq!(refs.len(), 2, "{refs:?}: the strong and the weak ref");
    assert!(refs.iter().all(|path| path.starts_with("artifacts/refs/p/a/")));
    place.run("bst-fsck", &["--repair"], "").exits(0);
    place.run("bst-fsck", &["--quiet"], "").exits(0);
    place.run("bst-cache-query", &[], &record("b.bst", 2, 102)).exits(0);
}

#[test]
fn everything_else_that_can_be_wrong_has_its_word() {
    let (place, stock) = stocked();
    change(&stock.store.artifacts().path(&name("a.bst", 1)), b"");
    change(&stock.store.metadata().path(&name("b.bst", 2)), b"{}");
    let other = stock.store.metadata().read(&name("bad.bst", 3)).expect("readable").expect("there");
    stock.store.metadata().write(&name("a.bst", 1), &other).expect("written");
    place.write("store/cas/objects/aa/short", "x");
    place.write(&format!("store/elementsources/{}", "0".repeat(64)), "\u{ff}");
    place.write(&format!("store/source_protos/tar/{}", "0".repeat(64)), "");
    let run = place.run("bst-fsck", &[], "").exits(8);
    let mut words: Vec<_> = run.records().iter().map(|r| r["fsck"]["what"].as_str().unwrap_or("").to_owned()).collect();
    words.sort();
    assert_eq!(words, ["metadata", "metadata", "ref", "source", "source", "stranger"]);
    place.run("bst-fsck", &["--repair"], "").exits(0);
    place.run("bst-fsck", &[], "").exits(0);
}

#[test]
fn hostile_trees_are_damage_and_not_the_end() {
    let (place, stock) = stocked();
    let with_tree = |byte: u8, tree: Digest| {
        let build = Build { element: "evil.bst", strong: byte, weak: byte + 100, ..Build::default() };
        let result = bst_plumbing::values::result::BuildResult { success: true, ..Default::default() };
        let artifact = proto::Artifact { files: Some(tree.to_proto()), ..stock.artifact(&build, &result) };
        stock.store.artifacts().write(&name("evil.bst", byte), &artifact).expect("written");
    };
    let file = |name: &str, digest: Digest| proto::FileNode {
        name: name.into(),
        digest: Some(digest.to_proto()),
        ..Default::default()
    };
    let tree =
        |files: Vec<proto::FileNode>| stock.blob(&directory::encode(&proto::Directory { files, ..Default::default() }));
    let x = stock.blob(b"x");
    with_tree(10, tree(vec![file("..", x)]));
    with_tree(11, tree(vec![file("a", x), file("a", x)]));
    with_tree(12, tree(vec![file("a", Digest::new(*x.hash(), 1 << 40))]));
    with_tree(13, x);
    // A chain of ten thousand directories is odd, but whole.
    let mut below = Digest::EMPTY;
    let batch = stock.store.cas().batch().expect("a batch");
    for _ in 0..10_000 {
        let node = proto::DirectoryNode { name: "d".into(), digest: Some(below.to_proto()) };
        let message = proto::Directory { directories: vec![node], ..Default::default() };
        below = batch.put(&directory::encode(&message)).expect("a blob");
    }
    batch.finish().expect("stored");
    with_tree(14, below);
    for (byte, code) in [(10, 8), (11, 8), (12, 8), (13, 8), (14, 0)] {
        place.run("bst-cache-query", &[], &record("evil.bst", byte, byte + 100)).exits(code);
    }
    let run = place.run("bst-fsck", &[], "").exits(8);
    assert_eq!(run.records().len(), 4, "{}", run.out);
    place.run("bst-checkout", &["-C", "out", &name("evil.bst", 14).to_string()], "").exits(8);
    assert!(!place.path("out").exists());
}
