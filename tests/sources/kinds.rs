//! Sources of one element together, and kinds that change what others left.

use bst_plumbing::doing::source;
use bst_plumbing::store::{Store, import::Import};
use bst_plumbing::values::record::Source;
use bst_plumbing::values::{Code, Digest, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A project, a store, and a tree that is expected.
struct Lab {
    place: tempfile::TempDir,
    store: Store,
}

impl Lab {
    fn new() -> Lab {
        let place = tempfile::Builder::new().prefix("source lab ").tempdir().expect("a directory");
        let store = Store::new(place.path().join("store"));
        Lab { place, store }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.place.path().join(path)
    }

    /// Writes files below a directory; a name that ends with `/` is a directory.
    fn write(&self, directory: &str, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = self.path(directory).join(name);
            let above = if name.ends_with('/') { path.as_path() } else { path.parent().expect("a parent") };
            std::fs::create_dir_all(above).expect("directories");
            if !name.ends_with('/') {
                std::fs::write(path, content).expect("a file");
            }
        }
    }

    fn digest(&self, directory: &str) -> Digest {
        self.store.cas().import_tree(&self.path(directory), Import::default()).expect("a tree")
    }

    fn stage(&self, sources: &[Source]) -> Result<Digest> {
        source::stage(sources, &self.store)
    }

    /// A source whose unique key is its own text.
    fn source(&self, mut value: Value) -> Source {
        value["unique"] = json!(value.to_string());
        value["base"] = json!(self.place.path());
        serde_json::from_value(value).expect("a source")
    }

    fn local(&self, path: &str, directory: Option<&str>) -> Source {
        let mut value = json!({"kind": "local", "config": {"path": path}});
        if let Some(directory) = directory {
            value["directory"] = json!(directory);
        }
        self.source(value)
    }

    /// Keeps bytes as the download of a source.
    fn download(&self, kind: &str, place: &str, bytes: &[u8]) -> String {
        let hash = Digest::of(bytes).hex();
        let mirror = self.store.sources().mirror(kind, place).expect("a place");
        std::fs::create_dir_all(&mirror).expect("a directory");
        std::fs::write(mirror.join(&hash), bytes).expect("a download");
        hash
    }
}

#[test]
fn later_sources_go_over_earlier_ones() {
    let lab = Lab::new();
    lab.write("one", &[("a", "1"), ("d/x", "1"), ("empty/", ""), ("full/f", "1")]);
    lab.write("two", &[("a", "2"), ("d/y", "2"), ("empty", "2"), ("full", "2")]);
    lab.write("both", &[("a", "2"), ("d/x", "1"), ("d/y", "2"), ("empty", "2"), ("full/f", "1"), ("in/there/a", "1")]);
    lab.write("both", &[("in/there/d/x", "1"), ("in/there/empty/", ""), ("in/there/full/f", "1")]);
    let sources = [lab.local("one", None), lab.local("two", Some("")), lab.local("one", Some("/in/../in/./there"))];
    assert_eq!(lab.stage(&sources).expect("a tree"), lab.digest("both"));

    lab.write("three", &[("a/b", "3")]);
    let error = lab.stage(&[lab.local("one", None), lab.local("three", None)]).expect_err("a conflict");
    assert_eq!(error.code(), Code::Source);
    assert!(error.message().contains("/a"), "{error}");
    let error = lab.stage(&[lab.local("one", None), lab.local("two", Some("a/b"))]).expect_err("a conflict");
    assert_eq!(error.code(), Code::Source);
    // No directory leads out of the tree.
    let outside = lab.stage(&[lab.local("one", Some("../../.."))]).expect("a tree");
    assert_eq!(outside, lab.digest("one"));
}

#[test]
fn patches_change_what_is_there() {
    let lab = Lab::new();
    lab.write("one", &[("a", "1\n2\n3\n"), ("gone", "x\n"), ("run", "#!\n")]);
    lab.write(
        ".",
        &[
            (
                "first.patch",
                "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
            ),
            ("queue/1.patch", "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"),
            ("queue/2.patch", "--- a/a\n+++ b/a\n@@ -1,3 +1,4 @@\n 1\n two\n 3\n+4\n"),
            ("plain.patch", "--- a\n+++ a\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"),
        ],
    );
    let patch = |path: &str, level: Value, directory: &str| {
        lab.source(json!({"kind": "patch", "directory": directory, "config": {"path": path, "strip-level": level}}))
    };
    lab.write("patched", &[("a", "1\ntwo\n3\n"), ("run", "#!\n")]);
    let sources = [lab.local("one", None), patch("first.patch", json!(1), "")];
    assert_eq!(lab.stage(&sources).expect("a tree"), lab.digest("patched"));
    lab.write("queued", &[("a", "1\ntwo\n3\n4\n"), ("gone", "x\n"), ("run", "#!\n")]);
    let queue = lab.source(json!({"kind": "patch_queue", "config": {"path": "queue"}}));
    assert_eq!(lab.stage(&[lab.local("one", None), queue.clone()]).expect("a tree"), lab.digest("queued"));
    lab.write("below", &[("s/a", "1\ntwo\n3\n"), ("s/gone", "x\n"), ("s/run", "#!\n"), ("t/a", "1\n2\n3\n")]);
    lab.write("t", &[("a", "1\n2\n3\n")]);
    let sources = [lab.local("one", Some("s")), lab.local("t", Some("t")), patch("plain.patch", json!("0"), "s")];
    assert_eq!(lab.stage(&sources).expect("a tree"), lab.digest("below"));

    // What was staged is not written to.
    assert_eq!(lab.stage(&[lab.local("one", None)]).expect("a tree"), lab.digest("one"));
    for broken in [vec![lab.local("patched", None), queue], vec![patch("first.patch", json!(1), "")]] {
        let error = lab.stage(&broken).expect_err("an error");
        assert_eq!(error.code(), Code::Source, "{error}");
        let key = source::cache::element_key(&broken).expect("a key");
        assert_eq!(lab.store.sources().read_element(&key).expect("an answer"), None);
    }
}

#[test]
fn a_file_is_staged_under_its_name() {
    let lab = Lab::new();
    let hash = lab.download("remote", "u", b"content");
    lab.write("plain", &[("name", "content")]);
    lab.write("other", &[("d/run", "content")]);
    Command::new("chmod").arg("+x").arg(lab.path("other/d/run")).status().expect("chmod");
    let remote = |config: Value, directory: &str| {
        lab.source(json!({"kind": "remote", "url": "u", "ref": hash, "config": config, "directory": directory}))
    };
    let plain = remote(json!({"filename": "name"}), "");
    assert_eq!(lab.stage(&[plain]).expect("a tree"), lab.digest("plain"));
    let run = remote(json!({"filename": "run", "executable": "True"}), "d");
    assert_eq!(lab.stage(&[run]).expect("a tree"), lab.digest("other"));
    for bad in ["a/b", "..", ""] {
        let error = lab.stage(&[remote(json!({"filename": bad}), "")]).expect_err(bad);
        assert_eq!(error.code(), Code::Malformed, "{error}");
    }
}

#[test]
fn what_is_missing_or_damaged_is_said_and_made_again() {
    let lab = Lab::new();
    lab.write("one", &[("a", "1"), ("d/x", "2")]);
    let hash = lab.download("remote", "u", b"content");
    let remote = lab.source(json!({"kind": "remote", "url": "u", "ref": hash, "config": {"filename": "f"}}));
    let sources = [lab.local("one", None), remote];
    let digest = lab.stage(&sources).expect("a tree");
    assert!(source::missing(&sources, &lab.store).expect("a list").is_empty());

    // A tree of which a blob is gone is put together again.
    let blob = lab.store.cas().path(&Digest::of(b"2"));
    std::fs::remove_file(&blob).expect("removed");
    assert_eq!(lab.stage(&sources).expect("a tree"), digest);
    assert!(blob.is_file());

    // So is one whose message is no message.
    let key = source::cache::element_key(&sources).expect("a key");
    std::fs::write(lab.store.sources().element_path(&key), b"\xff\xff").expect("written");
    assert_eq!(lab.stage(&sources).expect("a tree"), digest);

    std::fs::remove_dir_all(lab.path("store/elementsources")).expect("removed");
    std::fs::remove_dir_all(lab.path("store/source_protos")).expect("removed");
    let download = lab.store.sources().mirror("remote", "u").expect("a place").join(&hash);
    std::fs::write(&download, "damaged").expect("written");
    let error = lab.stage(&sources).expect_err("damaged");
    assert_eq!(error.code(), Code::NotFound, "{error}");
    assert!(!download.exists());
    assert_eq!(source::missing(&sources, &lab.store).expect("a list").len(), 1);
    assert_eq!(lab.stage(&sources).expect_err("missing").code(), Code::NotFound);
}

#[test]
fn crates_are_laid_out_as_cargo_vendors_them() {
    let lab = Lab::new();
    lab.write("c-0.1.0", &[("Cargo.toml", "[package]\n"), ("src/lib.rs", "")]);
    let made = Command::new("tar").args(["-czf", "c.crate", "c-0.1.0"]).current_dir(lab.place.path()).status();
    assert!(made.expect("tar").success());
    let bytes = std::fs::read(lab.path("c.crate")).expect("a crate");
    let hash = lab.download("cargo", "a:", &bytes);
    let mirror = lab.store.sources().mirror("cargo", "a:").expect("a place");
    std::fs::create_dir_all(mirror.join("c/0.1.0")).expect("directories");
    std::fs::rename(mirror.join(&hash), mirror.join("c/0.1.0").join(&hash)).expect("moved");
    let source = lab.source(json!({"kind": "cargo", "url": "a:", "urls": ["https://mirror/", "https://own/"],
        "ref": [{"name": "c", "version": "0.1.0", "sha": hash}], "config": {"vendor-dir": "crates"}}));
    lab.write("expected", &[
        (".cargo/config", "[source.crates-io]\nregistry = \"https://own/\"\nreplace-with = \"vendored-sources\"\n[source.vendored-sources]\ndirectory = \"crates\"\n"),
        ("crates/c-0.1.0/.cargo-checksum.json", &format!("{{\"package\": \"{hash}\", \"files\": {{}}}}")),
        ("crates/c-0.1.0/Cargo.toml", "[package]\n"),
        ("crates/c-0.1.0/src/lib.rs", ""),
    ]);
    assert_eq!(lab.stage(&[source]).expect("a tree"), lab.digest("expected"));
}

fn git(place: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(place).args(["-c", "init.defaultBranch=master"]).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "n").env(format!("GIT_{who}_EMAIL"), "n@n");
        command.env(format!("GIT_{who}_DATE"), "1600000000 +0000");
    }
    let output = command.output().expect("git");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn commits_are_staged_as_they_would_be_checked_out() {
    let lab = Lab::new();
    lab.write("up", &[("a", "1\n"), ("sp ace/é", "2\n"), ("crlf.txt", "x\n"), ("run", "#!\n")]);
    Command::new("chmod").arg("+x").arg(lab.path("up/run")).status().expect("chmod");
    std::os::unix::fs::symlink("../outside", lab.path("up/link")).expect("a link");
    git(&lab.path("up"), &["init", "-q"]);
    git(&lab.path("up"), &["add", "-A"]);
    git(&lab.path("up"), &["commit", "-q", "-m", "one"]);
    let plain = git(&lab.path("up"), &["rev-parse", "HEAD"]);
    let expected = {
        git(&lab.path("up"), &["worktree", "add", "-q", "../expected", &plain]);
        std::fs::remove_file(lab.path("expected/.git")).expect("removed");
        lab.digest("expected")
    };
    lab.write("up", &[(".gitattributes", "crlf.txt text eol=crlf\n")]);
    git(&lab.path("up"), &["add", "-A"]);
    git(&lab.path("up"), &["commit", "-q", "-m", "two"]);
    let attributed = git(&lab.path("up"), &["rev-parse", "HEAD"]);
    let mirror = lab.store.sources().mirror("git", "r:up").expect("a place");
    std::fs::create_dir_all(mirror.parent().expect("a parent")).expect("directories");
    let up = lab.path("up").display().to_string();
    git(lab.place.path(), &["clone", "-q", "--bare", &up, &mirror.display().to_string()]);
    let source = |commit: &str| lab.source(json!({"kind": "git", "url": "r:up", "ref": commit}));
    assert_eq!(lab.stage(&[source(&plain)]).expect("a tree"), expected);
    let text = |content: &[u8]| lab.store.cas().has(&Digest::of(content));
    assert!(!text(b"x\r\n"));
    lab.stage(&[source(&attributed)]).expect("a tree");
    assert!(text(b"x\r\n"));

    let missing = source(&"0".repeat(40));
    assert_eq!(lab.stage(&[missing]).expect_err("missing").code(), Code::NotFound);
    assert_eq!(lab.stage(&[source("--upload-pack=evil")]).expect_err("no ref").code(), Code::Malformed);
}

#[test]
fn submodules_cannot_lead_out() {
    let lab = Lab::new();
    lab.write("up", &[("a", "1\n"), (".gitmodules", "[submodule \"x\"]\n\tpath = ../../evil\n\turl = file:///etc\n")]);
    git(&lab.path("up"), &["init", "-q"]);
    git(&lab.path("up"), &["add", "-A"]);
    git(&lab.path("up"), &["commit", "-q", "-m", "one"]);
    let commit = git(&lab.path("up"), &["rev-parse", "HEAD"]);
    let mirror = lab.store.sources().mirror("git", "r:up").expect("a place");
    std::fs::create_dir_all(mirror.parent().expect("a parent")).expect("directories");
    let up = lab.path("up").display().to_string();
    git(lab.place.path(), &["clone", "-q", "--bare", &up, &mirror.display().to_string()]);
    let source = lab.source(json!({"kind": "git", "url": "r:up", "ref": commit}));
    let error = lab.stage(&[source]).expect_err("a way out");
    assert!(error.message().contains("../../evil"), "{error}");
}
