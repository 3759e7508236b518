use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

fn write(path: &Path, content: &str, mode: u32) {
    std::fs::write(path, content).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A tree whose digest BuildStream gave.
fn sample(place: &Path) -> PathBuf {
    let tree = place.join("tree");
    std::fs::create_dir_all(tree.join("sub/empty")).expect("directories");
    write(&tree.join("plain"), "hello\n", 0o644);
    write(&tree.join("run"), "#!/bin/sh\n", 0o755);
    write(&tree.join("group-x"), "x", 0o654);
    write(&tree.join("sub/.hidden"), "", 0o600);
    write(&tree.join("sub/Ünï"), "ö", 0o700);
    symlink("nowhere", tree.join("dangling")).expect("a link");
    symlink("/etc/passwd", tree.join("sub/absolute")).expect("a link");
    rustix::fs::mknodat(rustix::fs::CWD, tree.join("pipe"), rustix::fs::FileType::Fifo, 0o644.into(), 0)
        .expect("a pipe");
    tree
}

#[test]
fn trees_have_buildstreams_digest() {
    let place = tempfile::tempdir().expect("a directory");
    let tree = sample(place.path());
    let digests = Digests::new(None, 1);
    for (path, expected) in [
        ("", "3eacb199beea3a3c7c53873903fa2f4be302e5f8c0b89e5c7d9b7768e4d7fb32"),
        ("plain", "3b078ce38c227260621b90d1fb865ffe51c3b8f6acfdcf11558475ede63c697e"),
        ("run", "af81248717a6cf201a01e6d1d988682ee54d41917030f96d5a86195ff6b5f056"),
    ] {
        assert_eq!(digests.tree(&tree.join(path)).expect("a digest").hex(), expected, "{path}");
    }
}

#[test]
fn many_threads_and_a_memory_change_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    let tree = sample(place.path());
    for number in 0..600 {
        write(&tree.join(format!("n{number}")), &number.to_string(), 0o644);
    }
    let expected = Digests::new(None, 1).tree(&tree).expect("a digest");
    std::thread::sleep(Duration::from_millis(80));
    for _ in 0..2 {
        let digests = Digests::new(Some(place.path()), 4);
        assert_eq!(digests.tree(&tree).expect("a digest"), expected);
        digests.save();
    }
    // A change of content and nothing else, with its old time put back: the inode's own time still tells.
    let file = tree.join("n7");
    let time = file.metadata().and_then(|metadata| metadata.modified()).expect("a time");
    std::fs::write(&file, "X").expect("a file");
    std::fs::File::options().write(true).open(&file).and_then(|file| file.set_modified(time)).expect("a time");
    let changed = Digests::new(Some(place.path()), 4).tree(&tree).expect("a digest");
    assert_ne!(changed, expected);
    assert_eq!(changed, Digests::new(None, 1).tree(&tree).expect("a digest"));
}

#[test]
fn a_workspace_tells_times_apart() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("w/f");
    std::fs::create_dir(place.path().join("w")).expect("a directory");
    write(&file, "x", 0o644);
    let at = |nanoseconds: u64| {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_500_000_000, nanoseconds as u32);
        std::fs::File::options().write(true).open(&file).and_then(|file| file.set_modified(time)).expect("a time");
        Digests::new(None, 1).workspace(&place.path().join("w")).expect("a digest")
    };
    assert_eq!(at(123_456_000), at(123_456_789));
    assert_ne!(at(123_456_000), at(123_457_000));
}

/// The times of directories count too, except that of the workspace itself; those of links do not.
#[test]
fn workspaces_have_buildstreams_digest() {
    let place = tempfile::tempdir().expect("a directory");
    let tree = place.path().join("w");
    std::fs::create_dir_all(tree.join("sub/deep")).expect("directories");
    std::fs::create_dir(tree.join("empty")).expect("a directory");
    write(&tree.join("a"), "a", 0o644);
    write(&tree.join("sub/b"), "b", 0o755);
    write(&tree.join("sub/deep/c"), "", 0o644);
    symlink("a", tree.join("l")).expect("a link");
    symlink("b", tree.join("sub/m")).expect("a link");
    for (seconds, name) in ["a", "sub/b", "sub/deep/c", "l", "sub/m", "sub/deep", "sub", "empty", ""].iter().enumerate()
    {
        let time = filetime::FileTime::from_unix_time(1_600_000_000 + seconds as i64, 123_456_789);
        filetime::set_symlink_file_times(tree.join(name), time, time).expect("a time");
    }
    let digest = Digests::new(None, 1).workspace(&tree).expect("a digest");
    assert_eq!(digest.hex(), "bd374e54095d31735a1c53355033d94d61c42437e2d082d7855312288bf596d9");
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let digests = Digests::new(None, 1);
    assert!(digests.file(Path::new("/nonexistent/x")).is_err());
    assert!(digests.tree(Path::new("/nonexistent/x")).is_err());
}
