//! Odd and hostile archives: `tests/golden/sources/archives.jsonl` has what BuildStream 2.8.1 makes of them.

use bst_plumbing::doing::source;
use bst_plumbing::store::Store;
use bst_plumbing::values::record::Source;
use bst_plumbing::values::{Code, Digest};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the outcome is another one on purpose: the tree's name, or nothing for an error.
const OTHERWISE: [(&str, &str, Option<&str>); 4] = [
    // BuildStream reads zstd only with a Python that does.
    ("plain.tar.zst", "*", Some("b1d110ba900d5f1dd5c8b9ed713c51fe9e41c03919a8de60309964207c2c6286/1173")),
    ("plain.tar.zst", "", Some("51334b63892d83bf1a60df77726763341699cddfcde6945414625f946a82696e/80")),
    // The tar archive is whole, but its compression is not.
    ("cut.tar.xz", "*", None),
    ("cut.tar.xz", "", None),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/sources").join(name)
}

/// A source, with its download in the store.
fn source(store: &Store, archives: &Path, name: &str, base: &str) -> Source {
    let bytes = std::fs::read(archives.join(name)).expect("an archive");
    let hash = Digest::of(&bytes).hex();
    let kind = if name.ends_with(".zip") { "zip" } else { "tar" };
    let url = format!("a:{name}");
    let mirror = store.sources().mirror(kind, &url).expect("a place");
    std::fs::create_dir_all(&mirror).expect("a directory");
    std::fs::write(mirror.join(&hash), bytes).expect("a download");
    let value = json!({
        "config": {"base-dir": base}, "kind": kind, "ref": hash, "unique": [url, hash, base], "url": url, "urls": [],
    });
    serde_json::from_value(value).expect("a source")
}

#[test]
fn every_archive_has_buildstreams_outcome() {
    let place = tempfile::tempdir().expect("a directory");
    let archives = place.path().join("archives");
    std::fs::create_dir(&archives).expect("a directory");
    let unpacked = Command::new("tar").arg("-xJf").arg(golden("archives.tar.xz")).current_dir(&archives).status();
    assert!(unpacked.expect("tar").success());
    let store = Store::new(place.path().join("store"));
    let expected = std::fs::read_to_string(golden("archives.jsonl")).expect("outcomes");
    let mut wrong = Vec::new();
    for line in expected.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let name = case["archive"].as_str().expect("a name");
        let base = if case["base"] == "none" { "" } else { "*" };
        let found = source::stage(&[source(&store, &archives, name, base)], &store);
        let otherwise = OTHERWISE.iter().find(|case| (case.0, case.1) == (name, base)).map(|case| case.2);
        let right = match (&found, otherwise.unwrap_or(case["tree"].as_str())) {
            (Ok(digest), Some(tree)) => digest.to_string() == tree,
            (Err(error), None) => error.code() == Code::Source,
            _ => false,
        };
        if !right {
            wrong.push(format!("{name} {base:?}: expected {}, found {found:?}", case["tree"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
