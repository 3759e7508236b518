//! Trees there and back, in a store of their own.

use super::Store;
use super::checkout::Checkout;
use super::import::Import;
use super::tree::{self, Node, Tree};
use crate::values::{Digest, directory, proto};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

struct Place {
    dir: tempfile::TempDir,
    store: Store,
}

fn place() -> Place {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::new(dir.path().join("store"));
    Place { dir, store }
}

fn sample(root: &Path) {
    std::fs::create_dir_all(root.join("usr/empty")).expect("directories");
    std::fs::write(root.join("usr/run"), "#!/bin/sh\n").expect("a file");
    std::fs::set_permissions(root.join("usr/run"), PermissionsExt::from_mode(0o4700)).expect("a mode");
    std::fs::write(root.join("usr/big"), vec![7; 1 << 20]).expect("a file");
    std::fs::write(root.join("none"), "").expect("a file");
    std::fs::write(root.join("secret"), "x").expect("a file");
    std::fs::set_permissions(root.join("secret"), PermissionsExt::from_mode(0o0)).expect("a mode");
    std::fs::hard_link(root.join("usr/big"), root.join("again")).expect("a link");
    symlink("/nowhere", root.join("usr/link")).expect("a link");
    rustix::fs::mknodat(rustix::fs::CWD, root.join("fifo"), rustix::fs::FileType::Fifo, 0o644.into(), 0)
        .expect("a fifo");
}

#[test]
fn a_tree_goes_in_and_comes_out() {
    let place = place();
    let (source, cas) = (place.dir.path().join("source"), place.store.cas());
    sample(&source);
    let digest = cas.import_tree(&source, Import::default()).expect("an import");
    assert_eq!(cas.import_tree(&source, Import { take: true, ..Import::default() }).expect("again"), digest);
    for (number, how) in [
        Checkout { mtime: Some(7), verify: true, ..Checkout::default() },
        Checkout { link: true, ..Checkout::default() },
    ]
    .into_iter()
    .enumerate()
    {
        let target = place.dir.path().join(format!("out{number}"));
        cas.checkout(&digest, &target, how).expect("a checkout");
        assert_eq!(std::fs::read(target.join("again")).expect("a file"), vec![7; 1 << 20]);
        assert_eq!(std::fs::read_link(target.join("usr/link")).expect("a link"), Path::new("/nowhere"));
        assert!(!target.join("fifo").exists() && target.join("usr/empty").is_dir());
        let run = std::fs::metadata(target.join("usr/run")).expect("a file");
        assert_eq!((run.mode() & 0o7777, run.nlink()), (0o755, 1));
        assert_eq!(std::fs::metadata(target.join("again")).expect("a file").nlink() > 1, how.link);
        // Linked or copied, it is the same tree again.
        assert_eq!(cas.import_tree(&target, Import::default()).expect("an import"), digest);
    }
}

#[test]
fn what_is_taken_moves_unless_somebody_writes_to_it() {
    let place = place();
    let (source, cas) = (place.dir.path().join("source"), place.store.cas());
    std::fs::create_dir(&source).expect("a directory");
    std::fs::write(source.join("closed"), "closed").expect("a file");
    std::fs::write(source.join("open"), "open").expect("a file");
    let held = std::fs::File::options().append(true).open(source.join("open")).expect("a file");
    cas.import_tree(&source, Import { take: true, ..Import::default() }).expect("an import");
    assert!(!source.join("closed").exists(), "it moved");
    assert!(source.join("open").exists(), "it was copied");
    drop(held);
    let object = cas.path(&Digest::of(b"closed"));
    assert_eq!(std::fs::metadata(object).expect("an object").mode() & 0o7777, 0o444);
}

#[test]
fn names_that_are_no_text_are_an_error_that_names_them() {
    let place = place();
    let source = place.dir.path().join("source");
    std::fs::create_dir(&source).expect("a directory");
    std::fs::write(source.join(std::ffi::OsStr::from_bytes(b"a\xff")), "").expect("a file");
    let error = place.store.cas().import_tree(&source, Import::default()).expect_err("no tree");
    assert!(error.message().contains("a\\xff") && error.message().contains("UTF-8"), "{error}");
}

#[test]
fn times_become_properties_where_asked_for() {
    let place = place();
    let (source, cas) = (place.dir.path().join("source"), place.store.cas());
    std::fs::create_dir_all(source.join("d")).expect("a directory");
    std::fs::write(source.join("d/f"), "f").expect("a file");
    let digest = cas.import_tree(&source, Import { mtimes: true, ..Import::default() }).expect("an import");
    let Node::Directory(inner) = tree::find(&cas, &digest, "d").expect("found") else { panic!("a directory") };
    let inner = tree::read_directory(&cas, &inner).expect("a message");
    assert!(inner.node_properties.is_some() && inner.files[0].node_properties.is_some());
    assert_eq!(tree::read_directory(&cas, &digest).expect("a message").node_properties, None);
}

fn chain(cas: &super::cas::Cas, depth: usize, width: usize) -> Digest {
    let batch = cas.batch().expect("a batch");
    let mut below = Digest::EMPTY;
    for _ in 0..depth {
        let node = |index| proto::DirectoryNode { name: format!("d{index}"), digest: Some(below.to_proto()) };
        let message = proto::Directory { directories: (0..width).map(node).collect(), ..Default::default() };
        below = batch.put(&directory::encode(&message)).expect("a blob");
    }
    batch.finish().expect("stored");
    below
}

#[test]
fn trees_that_no_disk_can_hold_are_refused_before_anything_is_written() {
    let place = place();
    let cas = place.store.cas();
    for (depth, width) in [(10_000, 1), (40, 2)] {
        let root = chain(&cas, depth, width);
        let target = place.dir.path().join(format!("deep{depth}"));
        let error = cas.checkout(&root, &target, Checkout::default()).expect_err("refused");
        assert_eq!(error.code(), crate::values::Code::Damaged);
        assert!(!target.exists());
        assert_eq!(Tree::read(&cas, &root).expect("it can be read").directories.len(), depth + 1);
    }
}

#[test]
fn nothing_is_written_over_a_link() {
    let place = place();
    let (source, cas) = (place.dir.path().join("source"), place.store.cas());
    std::fs::create_dir_all(source.join("d")).expect("a directory");
    std::fs::write(source.join("d/f"), "f").expect("a file");
    let digest = cas.import_tree(&source, Import::default()).expect("an import");
    let (outside, target) = (place.dir.path().join("outside"), place.dir.path().join("target"));
    std::fs::create_dir_all(&outside).expect("a directory");
    std::fs::create_dir_all(&target).expect("a directory");
    symlink(&outside, target.join("d")).expect("a link");
    cas.checkout(&digest, &target, Checkout::default()).expect_err("something is there");
    cas.checkout(&digest, &target, Checkout { replace: true, ..Checkout::default() }).expect("the link is replaced");
    assert!(std::fs::read_dir(&outside).expect("a directory").next().is_none());
    assert!(target.join("d/f").exists());
}

#[test]
fn a_blob_that_is_not_what_it_says_is_not_stored() {
    let place = place();
    let cas = place.store.cas();
    let digest = Digest::of(b"right");
    for wrong in [&b"wrong"[..], b"righ", b"right and more"] {
        cas.put_known(&digest, wrong).expect_err("refused");
        assert!(!cas.has(&digest));
    }
    cas.put_known(&digest, &b"right"[..]).expect("stored");
    assert_eq!(cas.read(&digest).expect("a blob"), b"right");
}
