use crate::stock::{Build, Stock, key, name, record};
use crate::support::Place;
use bst_plumbing::store::lease::Lease;
use bst_plumbing::values::Digest;

/// Three artifacts, the first used longest ago, each with 100,000 bytes of its own and some that all share.
fn stocked() -> (Place, Stock) {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    for byte in 1..=3_u8 {
        place.write(&format!("{byte}/own"), vec![byte; 100_000]);
        place.write(&format!("{byte}/shared"), vec![0; 50_000]);
        let files = place.path(&byte.to_string());
        stock.commit(&Build {
            element: &format!("e{byte}.bst"),
            strong: byte,
            weak: byte + 100,
            files: Some(&files),
            ..Build::default()
        });
    }
    stock.blob(&[9; 70_000]);
    age(&place);
    (place, stock)
}

/// Makes all old: the first artifact eight days, the second seven, the third six.
fn age(place: &Place) {
    place
        .sh("find store/cas store/artifacts -type f -exec touch -d '9 days ago' {} +
             for n in 1 2 3; do touch -d \"$((9 - n)) days ago\" store/artifacts/refs/p/e$n/*; done")
        .exits(0);
}

fn states(place: &Place) -> String {
    let run = place.run("bst-cache-query", &["--all", "--state=cached,damaged,failed"], "");
    let word = |r: &serde_json::Value| {
        format!("{}:{}", r["element"].as_str().unwrap_or(""), r["cache"]["state"].as_str().unwrap_or(""))
    };
    let mut words: Vec<_> = run.records().iter().map(word).collect();
    words.sort();
    words.join(" ")
}

#[test]
fn what_nothing_refers_to_goes_and_nothing_else() {
    let (place, stock) = stocked();
    let orphan = Digest::of(&[9; 70_000]);
    let run = place.run("bst-gc", &["-n"], "").exits(0);
    assert!(run.err.contains("would free 68.4 KiB in 1 blobs"), "{}", run.err);
    assert!(stock.store.cas().has(&orphan));
    place.run("bst-gc", &["--grace=10d"], "").exits(0);
    assert!(stock.store.cas().has(&orphan), "within the grace period");
    let run = place.run("bst-gc", &[], "").exits(0);
    assert!(run.err.contains("freed 68.4 KiB in 1 blobs") && run.out.is_empty(), "{}", run.err);
    assert!(!stock.store.cas().has(&orphan));
    assert_eq!(states(&place), "e1.bst:cached e2.bst:cached e3.bst:cached");
    place.run("bst-fsck", &[], "").exits(0);
}

#[test]
fn beyond_the_quota_what_was_used_least_recently_goes_as_a_whole() {
    let (place, stock) = stocked();
    let run = place.run("bst-gc", &["--quota=300K", "--low-watermark=100%"], "").exits(0);
    let why: Vec<_> = run.records().iter().map(|r| (r["element"].clone(), r["gc"]["why"].clone())).collect();
    assert!(why.contains(&("e1.bst".into(), "quota".into())), "{why:?}");
    assert_eq!(states(&place), "e2.bst:cached e3.bst:cached");
    assert!(!stock.store.artifacts().exists(&name("e1.bst", 101)), "its weak key is gone, too");
    place.run("bst-fsck", &[], "").exits(0);
    // A look-up is use.
    place.run("bst-cache-query", &[], &record("e2.bst", 2, 102)).exits(0);
    place.run("bst-gc", &["--quota=220K", "--low-watermark=100%", "--grace=1min"], "").exits(0);
    assert_eq!(states(&place), "e2.bst:cached");
    place.run("bst-fsck", &[], "").exits(0);
    let run = place.run("bst-gc", &["--quota=1K"], "").exits(1);
    assert!(run.err.contains("quota"), "{}", run.err);
    assert_eq!(states(&place), "e2.bst:cached", "it is in use");
}

#[test]
fn what_was_not_used_for_long_goes() {
    let (place, _) = stocked();
    place.run("bst-gc", &["--unused=156h"], "").exits(0);
    assert_eq!(states(&place), "e3.bst:cached");
    place.run("bst-fsck", &[], "").exits(0);
    place.run("bst-gc", &["--unused=1week"], "").exits(0);
    for wrong in ["--unused=x", "--quota=x", "--low-watermark=120%", "--grace=1"] {
        place.run("bst-gc", &[wrong], "").exits(2);
    }
}

#[test]
fn refs_that_lead_to_nothing_go_whoever_left_them() {
    let (place, stock) = stocked();
    std::fs::remove_file(stock.store.cas().path(&Digest::of(&[2; 100_000]))).expect("gone");
    std::fs::write(stock.store.artifacts().path(&name("e3.bst", 3)), "").expect("cut");
    std::fs::remove_file(stock.store.artifacts().path(&name("e3.bst", 103))).expect("gone");
    age(&place);
    assert_eq!(states(&place), "e1.bst:cached e2.bst:damaged e3.bst:damaged");
    let run = place.run("bst-gc", &[], "").exits(0);
    assert!(run.records().iter().all(|record| record["gc"]["why"] == "dangling"), "{}", run.out);
    assert_eq!(states(&place), "e1.bst:cached");
    place.run("bst-fsck", &[], "").exits(0);
}

#[test]
fn what_running_programs_use_stays() {
    let (place, stock) = stocked();
    let artifact = stock.store.artifacts().read(&name("e1.bst", 1)).expect("readable").expect("there");
    let tree = Digest::from_proto(&artifact.files.expect("files")).expect("a digest");
    let orphan = Digest::of(&[9; 70_000]);
    let lease = Lease::take(&stock.store).expect("a lease");
    lease.protect(&tree).expect("protected");
    lease.protect(&orphan).expect("protected");
    place.run("bst-rm", &[&key(1).to_string()], "").exits(0);
    place.run("bst-gc", &["--quota=1"], "").exits(1);
    assert!(stock.store.cas().has(&orphan) && stock.store.cas().has(&Digest::of(&[1; 100_000])));
    assert!(!stock.store.cas().has(&Digest::of(&[3; 100_000])));
    drop(lease);
    place.run("bst-gc", &["--quota=1"], "").exits(0);
    assert!(!stock.store.cas().has(&orphan) && !stock.store.cas().has(&Digest::of(&[1; 100_000])));
}

#[test]
fn a_dead_program_holds_nothing() {
    let (place, stock) = stocked();
    let orphan = Digest::of(&[9; 70_000]);
    place.write("store/plumbing/leases/lease-dead", format!("{orphan}\n"));
    place.run("bst-gc", &[], "").exits(0);
    assert!(!stock.store.cas().has(&orphan));
    assert!(!place.path("store/plumbing/leases/lease-dead").exists());
}

#[test]
fn staged_roots_and_forgotten_work_go_unless_they_are_in_use() {
    let place = Place::new();
    let root = place.store().join("plumbing/roots/boot/abc-1");
    let work = place.store().join("plumbing/work/b1");
    let file = place.write("store/plumbing/files/boot/ab/cd", "x");
    for directory in [&root, &work] {
        std::fs::create_dir_all(directory.join("sub")).expect("directories");
    }
    std::fs::hard_link(&file, root.join("sub/file")).expect("a link");
    place.run("bst-gc", &[], "").exits(0);
    assert!(root.exists() && work.exists() && file.exists(), "they are new");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(30 * 24 * 3600);
    let open = |path: &std::path::Path| std::fs::File::open(path).expect("a directory");
    for directory in [&root, &work] {
        open(directory).set_modified(old).expect("a date");
    }
    let held = open(&work);
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockShared).expect("a lock");
    place.run("bst-gc", &[], "").exits(0);
    assert!(!root.exists() && !file.exists() && work.exists(), "what is locked is in use");
    drop(held);
    place.run("bst-gc", &[], "").exits(0);
    assert!(!work.exists());
}
