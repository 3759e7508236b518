use crate::stock::{Build, Stock, key, name, record};
use crate::support::Place;
use bst_plumbing::values::result::FailureClass;
use std::os::unix::fs::MetadataExt;

/// `app.bst` needs `lib.bst` to run, which needs `data.bst`; it was built with `cli.bst`.
fn stocked() -> (Place, String) {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    for (element, byte, file) in [("app.bst", 1, "usr/bin/app"), ("lib.bst", 2, "usr/lib/so"), ("data.bst", 3, "data")]
    {
        place.write(&format!("{element}/{file}"), element);
        place.write(&format!("{element}/shared"), element);
        let files = place.path(element);
        let needs = if byte == 1 { vec![("cli.bst", 4)] } else { Vec::new() };
        stock.commit(&Build {
            element,
            strong: byte,
            weak: byte + 100,
            files: Some(&files),
            needs,
            ..Build::default()
        });
    }
    place.write("cli.bst/tool", "tool");
    place.sh("chmod 755 app.bst/usr/bin/app").exits(0);
    let files = place.path("cli.bst");
    stock.commit(&Build { element: "cli.bst", strong: 4, weak: 104, files: Some(&files), ..Build::default() });
    let files = place.path("app.bst");
    stock.commit(&Build {
        element: "app.bst",
        strong: 1,
        weak: 101,
        files: Some(&files),
        needs: vec![("cli.bst", 4)],
        ..Build::default()
    });
    let depend = |element: &str, byte: u8, when: &str| {
        format!("{{\"project\":\"p\",\"element\":\"{element}\",\"key\":\"{}\",\"type\":\"{when}\"}}", key(byte))
    };
    let with = |record: String, more: &str| record.replace("{\"v\":1", &format!("{{\"v\":1,{more}"));
    let lib = format!("\"depends\":[{}]", depend("data.bst", 3, "runtime"));
    let app = format!("\"depends\":[{},{}],\"stage\":[]", depend("lib.bst", 2, "all"), depend("cli.bst", 4, "build"));
    let records = record("data.bst", 3, 103)
        + &record("cli.bst", 4, 104)
        + &with(record("lib.bst", 2, 102), &lib)
        + &with(record("app.bst", 1, 101), &app);
    (place, records)
}

fn list(place: &Place, directory: &str) -> String {
    place.sh(&format!("cd {directory} && find . ! -type d | sort | tr '\\n' ' '")).exits(0).out
}

#[test]
fn a_target_comes_with_what_it_needs_to_run() {
    let (place, records) = stocked();
    for (deps, files) in [
        ("run", "./data ./shared ./usr/bin/app ./usr/lib/so "),
        ("none", "./shared ./usr/bin/app "),
        ("build", "./data ./shared ./tool ./usr/lib/so "),
        ("all", "./data ./shared ./tool ./usr/bin/app ./usr/lib/so "),
    ] {
        place.run("bst-checkout", &["-d", deps, "-C", deps], &records).exits(0);
        assert_eq!(list(&place, deps), files, "{deps}");
    }
    assert_eq!(std::fs::read_to_string(place.path("run/shared")).expect("a file"), "app.bst", "the last one wins");
    let app = std::fs::metadata(place.path("run/usr/bin/app")).expect("a file");
    assert_eq!(app.mode() & 0o7777, 0o755);
    let run = place
        .run(
            "bst-checkout",
            &["-C", "x"],
            &record("lib.bst", 2, 102).replace(
                "{\"v\":1",
                "{\"v\":1,\"depends\":[{\"project\":\"p\",\"element\":\"data.bst\",\"type\":\"all\"}]",
            ),
        )
        .exits(2);
    assert!(run.err.contains("data.bst"), "{}", run.err);
}

#[test]
fn names_do_without_a_project() {
    let (place, _) = stocked();
    let app = name("app.bst", 1).to_string();
    place.run("bst-checkout", &["-C", "one", &app], "").exits(0);
    assert_eq!(list(&place, "one"), "./shared ./usr/bin/app ");
    place.run("bst-checkout", &["-C", "two", "--deps=all", &app], "").exits(0);
    assert_eq!(list(&place, "two"), "./shared ./tool ./usr/bin/app ");
    place.run("bst-checkout", &["-C", "three", "--deps=run", &app], "").exits(2);
    place.run("bst-checkout", &["-C", "four", "--path=usr/bin", &app], "").exits(0);
    assert_eq!(list(&place, "four"), "./app ");
    place.run("bst-checkout", &["-C", "five", "--path=shared", &app], "").exits(2);
    place.run("bst-checkout", &["-C", "six", &key(9).to_string()], "").exits(1);
    place.run("bst-checkout", &[&app], "").exits(2);
    place.run("bst-checkout", &["-C", "seven"], "").exits(2);
}

#[test]
fn a_directory_that_is_not_empty_is_left_alone_unless_forced() {
    let (place, _) = stocked();
    let app = name("app.bst", 1).to_string();
    place.write("out/mine", "mine");
    place.write("out/shared", "mine");
    place.run("bst-checkout", &["-C", "out", &app], "").exits(2);
    assert_eq!(list(&place, "out"), "./mine ./shared ");
    place.run("bst-checkout", &["-C", "out", "--force", &app], "").exits(0);
    assert_eq!(list(&place, "out"), "./mine ./shared ./usr/bin/app ");
    assert_eq!(std::fs::read_to_string(place.path("out/shared")).expect("a file"), "app.bst");
}

#[test]
fn a_tar_is_the_same_each_time_and_unpacks_to_the_same() {
    let (place, records) = stocked();
    place.run("bst-checkout", &["--tar=a.tar"], &records).exits(0);
    place.write("records", &records);
    place.sh("bst-checkout --tar - <records >b.tar && cmp a.tar b.tar && mkdir t && tar -xf a.tar -C t").exits(0);
    place.run("bst-checkout", &["-C", "d"], &records).exits(0);
    place.sh("diff -r t d && test -x t/usr/bin/app && test ! -x t/shared").exits(0);
    assert_eq!(std::fs::metadata(place.path("t/shared")).expect("a file").mtime(), 1_321_009_871);
}

#[test]
fn failures_are_refused_wherever_they_are() {
    let (place, records) = stocked();
    let stock = Stock::new(&place.store());
    let partial = place.path("data.bst");
    stock.commit(&Build {
        element: "lib.bst",
        strong: 2,
        weak: 102,
        files: Some(&partial),
        class: Some(FailureClass::Command),
        replace: true,
        ..Build::default()
    });
    for (arguments, input) in [(vec!["-C", "x"], records.as_str()), (vec!["-C", "x", &*key(2).to_string()], "")] {
        let run = place.run("bst-checkout", &arguments, input).exits(4);
        assert!(run.err.contains("p/lib/") && run.err.contains("--allow-failed"), "{}", run.err);
        assert!(!place.path("x").exists());
    }
    let run = place.run("bst-checkout", &["-C", "y", "--allow-failed"], &records).exits(0);
    assert!(run.err.contains("what a failed build left"), "{}", run.err);
    assert_eq!(list(&place, "y"), "./data ./shared ./usr/bin/app ");
    place.run("bst-checkout", &["-C", "z", "--allow-failed", "--tree=buildtree", &key(2).to_string()], "").exits(1);
}

#[test]
fn damaged_blobs_are_refused() {
    let (place, _) = stocked();
    let stock = Stock::new(&place.store());
    let object = stock.store.cas().path(&bst_plumbing::values::Digest::of(b"app.bst"));
    place.sh(&format!("chmod 644 '{0}'; printf app.bsx >'{0}'", object.display())).exits(0);
    let app = name("app.bst", 1).to_string();
    let run = place.run("bst-checkout", &["-C", "a", &app], "").exits(8);
    assert!(run.err.contains("bst-fsck"), "{}", run.err);
    place.run("bst-checkout", &["-C", "b", "--hardlinks", &app], "").exits(8);
    place.run("bst-checkout", &["-C", "c", "--no-verify", &app], "").exits(0);
    place.sh(&format!("printf short >'{}'", object.display())).exits(0);
    place.run("bst-checkout", &["-C", "d", "--no-verify", &app], "").exits(8);
    place.run("bst-checkout", &["--tar=e", &app], "").exits(8);
}

#[test]
fn hard_links_share_what_is_not_executable() {
    let (place, _) = stocked();
    place.run("bst-checkout", &["-C", "h", "--hardlinks", &name("app.bst", 1).to_string()], "").exits(0);
    assert!(std::fs::metadata(place.path("h/shared")).expect("a file").nlink() > 1);
    assert_eq!(std::fs::metadata(place.path("h/usr/bin/app")).expect("a file").nlink(), 1);
}
