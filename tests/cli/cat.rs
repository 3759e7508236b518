use crate::stock::{Build, Stock, key, name};
use crate::support::Place;
use bst_plumbing::values::{directory, proto};

#[test]
fn a_blob_that_is_not_there_is_a_no() {
    let place = Place::new();
    let digest = format!("{}/1", "a".repeat(64));
    let run = place.run("bst-cat", &[&digest], "").exits(1);
    assert!(run.err.contains("has no blob"), "{}", run.err);
}

#[test]
fn wrong_options_are_named() {
    let place = Place::new();
    let run = place.run("bst-cat", &["--wrong", "x"], "").exits(2);
    assert!(run.err.starts_with("bst-cat: ") && run.err.contains("--wrong"), "{}", run.err);
    assert_eq!(run.out, "");
}

#[test]
fn files_and_directories_are_found_by_path() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    place.write("files/usr/bin/tool", "#!/bin/sh\n");
    place.write("files/usr/share/a b", "text\n");
    place.sh("chmod 755 files/usr/bin/tool; ln -s tool files/usr/bin/link; mkdir files/empty").exits(0);
    let files = place.path("files");
    stock.commit(&Build {
        element: "a.bst",
        strong: 1,
        weak: 2,
        files: Some(&files),
        log: "log\n",
        ..Build::default()
    });
    let at = |part: &str| format!("{}:{part}", name("a.bst", 1));
    let cat = |arguments: &[&str]| place.run("bst-cat", arguments, "").exits(0).out;
    assert_eq!(cat(&[&at("files/usr/share/a b")]), "text\n");
    assert_eq!(cat(&[&at("log")]), "log\n");
    assert_eq!(cat(&[&format!("{}:files/usr/bin/link", key(1))]), "tool\n");
    assert_eq!(cat(&["-l", &at("files/usr/bin")]), "lrwxrwxrwx          - link -> tool\n-rwxr-xr-x         10 tool\n");
    assert_eq!(cat(&["-l", &at("files")]), "drwxr-xr-x          - empty\ndrwxr-xr-x          - usr\n");
    let recursive = cat(&["-R", &at("files/usr")]);
    let names: Vec<_> = recursive.lines().map(|line| line.split_once("- ").map_or(line, |(_, name)| name)).collect();
    assert_eq!(names[..3], ["bin", "share", "bin/link -> tool"]);
    let root = cat(&[&at("")[..at("").len() - 1]]);
    let root = root.lines().find_map(|line| line.strip_suffix(" files")).expect("files").to_owned();
    assert_eq!(cat(&[&format!("{root}:usr/share/a b")]), "text\n");
    assert!(cat(&["-ld", &root]).contains(&format!("{}/0 empty", bst_plumbing::values::Digest::EMPTY.hex())));
    for (wrong, code) in
        [("files/usr", 2), ("files/nothing", 1), ("files/usr/bin/link/x", 1), ("buildtree", 1), ("x", 2)]
    {
        place.run("bst-cat", &[&at(wrong)], "").exits(code);
    }
}

#[test]
fn hostile_trees_are_named_and_do_nothing() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    let file = |name: &str| proto::FileNode {
        name: name.into(),
        digest: Some(stock.blob(b"x").to_proto()),
        is_executable: false,
        node_properties: None,
    };
    for names in [vec![".."], vec!["."], vec![""], vec!["a/b"], vec!["/etc/passwd"], vec!["a", "a"], vec!["a\0b"]] {
        let message = proto::Directory { files: names.iter().map(|name| file(name)).collect(), ..Default::default() };
        let digest = stock.blob(&directory::encode(&message));
        let run = place.run("bst-cat", &["-l", &digest.to_string()], "").exits(8);
        assert_eq!(run.out, "");
    }
    let message = proto::Directory { files: vec![file("line\nend\u{1b}[2J")], ..Default::default() };
    let digest = stock.blob(&directory::encode(&message));
    let run = place.run("bst-cat", &["-l", &digest.to_string()], "").exits(0);
    assert_eq!(run.out, "-rw-r--r--          1 line\\nend\\u{1b}[2J\n");
    let lie = format!("{}/2", bst_plumbing::values::Digest::of(b"x").hex());
    place.run("bst-cat", &[&lie], "").exits(8);
}

#[test]
fn a_million_entries_are_a_million_lines() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    let digest = stock.blob(b"x").to_proto();
    let file =
        |number| proto::FileNode { name: format!("{number:07}"), digest: Some(digest.clone()), ..Default::default() };
    let message = proto::Directory { files: (0..1_000_000).map(file).collect(), ..Default::default() };
    let tree = stock.blob(&directory::encode(&message));
    let run = place.sh(&format!("bst-cat -l {tree} | wc -l")).exits(0);
    assert_eq!(run.out.trim(), "1000000");
}
