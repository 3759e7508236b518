//! bst-shell: in the root of a failed build.

use crate::support::Place;
use crate::support::records::Records;

#[test]
fn a_shell_sees_what_the_failed_build_left_and_changes_nothing() {
    let place = Place::new();
    let mut records = Records::new(&place);
    let commands = [("build", "echo object >obj.o; echo part >/buildstream-install/part"), ("install", "kill -9 $$")];
    records.manual("bad.bst", &commands, &["base.bst"]);
    records.build(&place, "base.bst");
    let built = records.build(&place, "bad.bst");
    assert!(built["artifact"].get("ref").is_none(), "killed by a signal: it answers for no key");
    let name = format!("test/bad/{}", built["key"].as_str().expect("a key"));
    let script = "pwd; cat obj.o /buildstream-install/part; echo $HOME; rm -r /bin/ls /buildstream; exit 9";
    for _ in 0..2 {
        let run = place.run("bst-shell", &[&name, "--", "sh", "-c", script], "").exits(9);
        assert_eq!(run.out, "/buildstream/test/bad.bst\nobject\npart\n/tmp\n");
        assert!(run.err.contains("a failed build of 20") && run.err.contains("kill -9 $$"), "{}", run.err);
    }
    let run = place.run("bst-shell", &["--", "sh", "-c", "cat obj.o"], &format!("{built}\n")).exits(0);
    assert_eq!(run.out, "object\n");
    assert_eq!(std::fs::read_dir(place.store().join("plumbing/work")).expect("the directory").count(), 0);
}

#[test]
fn without_a_build_root_there_is_no_shell() {
    let place = Place::new();
    let mut records = Records::new(&place);
    records.manual("bad.bst", &[("build", "false")], &["base.bst"]);
    records.build(&place, "base.bst");
    records.build_with(&place, "bad.bst", &[], &["--cache-buildtrees=never"]);
    let record = format!("{}\n", records.record("bad.bst"));
    let run = place.run("bst-shell", &["--", "true"], &record).exits(1);
    assert!(run.err.contains("stored without its build root"), "{}", run.err);
    let run = place.run("bst-shell", &[&format!("test/x/{}", "0".repeat(64)), "--", "true"], "").exits(1);
    assert!(run.err.contains("there is no build"), "{}", run.err);
    place.run("bst-shell", &[], "").exits(2);
}

#[test]
fn a_runtime_shell_has_all_that_the_artifact_needs_and_no_failure() {
    let place = Place::new();
    let mut records = Records::new(&place);
    place.write("project/tool/etc/tool", "tool\n");
    records.import(&place, "cli.bst", "project/tool", &["base.bst"]);
    records.script("bad.bst", &["echo part >/buildstream-install/part; false"], &["base.bst"]);
    for element in ["base.bst", "cli.bst", "bad.bst"] {
        records.build(&place, element);
    }
    let lines = |last: &str| format!("{}\n{}\n", records.record("base.bst"), records.record(last));
    let run = place.run("bst-shell", &["--runtime", "--", "cat", "/etc/tool"], &lines("cli.bst")).exits(0);
    assert_eq!(run.out, "tool\n");
    place.run("bst-shell", &["--runtime", "--", "cat", "/part"], &lines("bad.bst")).exits(4);
    let run = place.run("bst-shell", &["--runtime", "--allow-failed", "--", "cat", "/part"], &lines("bad.bst"));
    assert_eq!((run.out.as_str(), run.code), ("part\n", 0));
}
