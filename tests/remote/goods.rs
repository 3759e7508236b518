//! Artifacts to push, and the programs in a place.

use crate::server::TestServer;
use crate::stock::{self, Build, Stock};
use crate::support::{Place, Run};
use bst_plumbing::store::commit::Rules;
use bst_plumbing::store::import::Import;
use bst_plumbing::store::metadata;
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::result::{BuildResult, FailureClass};
use bst_plumbing::values::{Digest, proto, time::Time};
use std::path::{Path, PathBuf};

/// Bytes that do not compress and are the same each time.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

/// A tree with small files, empty ones, a large one, links, and directories in directories.
pub fn tree(place: &Place, name: &str) -> PathBuf {
    for number in 0..40 {
        place.write(&format!("{name}/usr/share/{number}/file"), format!("file {number} of {name}\n"));
    }
    place.write(&format!("{name}/usr/lib/large"), noise(3_000_000, 7));
    place.write(&format!("{name}/empty"), "");
    std::os::unix::fs::symlink("../usr/lib/large", place.path(&format!("{name}/usr/link"))).expect("a link");
    std::fs::create_dir_all(place.path(&format!("{name}/var/empty"))).expect("a directory");
    place.path(name)
}

/// Commits an artifact of element `element` under keys that repeat a byte; a failure has a build root, and
/// its result travels inside.
pub fn commit(place: &Place, element: &str, byte: u8, fails: bool) -> ArtifactName {
    commit_with(place, element, byte, fails, &tree(place, &format!("tree of {element}")))
}

/// The same with a given tree.
pub fn commit_with(place: &Place, element: &str, byte: u8, fails: bool, tree: &Path) -> ArtifactName {
    let stock = Stock::new(&place.store());
    let class = fails.then_some(FailureClass::Command);
    let files = (!fails).then_some(tree);
    let log = format!("+ make {element}\n");
    let build =
        Build { element, strong: byte, weak: byte + 100, class, files, host: "ci", log: &log, ..Build::default() };
    let result = BuildResult {
        success: !fails,
        class,
        retryable: class.map(FailureClass::retryable),
        description: if fails { "Command failed".into() } else { "succeeded".into() },
        command: fails.then(|| "make".into()),
        exit: fails.then_some(7),
        host: Some("ci".into()),
        builder: Some("bst-build 0.1.0".into()),
        attempt: Some(1),
        finished: Some(Time::now()),
        log: Some(Digest::of(log.as_bytes())),
        ..BuildResult::default()
    };
    let mut artifact = stock.artifact(&build, &result);
    let line = metadata::result_line(&result).expect("a line");
    artifact.high_diversity_meta = Some(stock.blob(format!("variables: {{}}\n{line}").as_bytes()).to_proto());
    if fails {
        let root = stock.store.cas().import_tree(tree, Import::default()).expect("a tree").to_proto();
        artifact.buildtree = Some(root.clone());
        artifact.buildroot = Some(root);
        artifact.sources = Some(Digest::EMPTY.to_proto());
        artifact.buildsandbox =
            Some(proto::SandboxState { working_directory: "/buildstream".into(), ..proto::SandboxState::default() });
    }
    let name = stock::name(element, byte);
    let commit = stock.store.commit(&name).expect("a commit");
    commit.finish(element, &artifact, &result, Rules { replace: true, ..Rules::default() }).expect("committed");
    name
}

/// Runs a program with servers on its command line.
pub fn run(place: &Place, program: &str, servers: &[&TestServer], words: &[&str], input: &str) -> Run {
    let flags: Vec<String> = servers.iter().map(|server| format!("--artifact-remote={}", server.url())).collect();
    let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
    all.extend(words);
    place.run(program, &all, input)
}

/// The bytes of every ref of a store, and of every blob, by path.
pub fn content(store: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for part in ["artifacts/refs", "cas/objects", "artifacts/results"] {
        for entry in walkdir::WalkDir::new(store.join(part)).into_iter().flatten() {
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(store).expect("below the store").to_owned();
                found.push((path, std::fs::read(entry.path()).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

/// The refs of a store.
pub fn refs(store: &Path) -> Vec<PathBuf> {
    content(store).into_iter().map(|(path, _)| path).filter(|path| path.starts_with("artifacts/refs")).collect()
}
