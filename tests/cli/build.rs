//! bst-build and bst-commit-artifact: what the sandbox shows, what a build leaves, what is stored.

use crate::support::Place;
use crate::support::records::{Records, blob, local};

/// The log of a committed build.
fn log(place: &Place, record: &serde_json::Value) -> String {
    blob(place, &record["artifact"]["log"])
}

#[test]
fn a_build_sees_its_sources_and_leaves_files() {
    let place = Place::new();
    let mut records = Records::new(&place);
    place.write("project/src/hello.c", "hello\n");
    let command = "stat -c '%a %u %g %Y %n' . hello.c /bin/busybox; id -u; id -g; hostname; pwd; env; umask; ls -d /*";
    records.manual("app.bst", &[("build", command), ("install", "cp hello.c /buildstream-install/")], &["base.bst"])
        ["sources"] = serde_json::json!([local(&place, "project/src")]);
    records.build(&place, "base.bst");
    let built = records.build(&place, "app.bst");
    assert_eq!(built["result"]["success"], true, "{built}");
    let log = log(&place, &built);
    for expected in [
        "755 0 0 1321009871 .\n644 0 0 1321009871 hello.c\n755 0 0 1321009871 /bin/busybox\n",
        "\n0\n0\nbuildbox\n/buildstream/test/app.bst\n",
        "PWD=/buildstream/test/app.bst\n",
        "\n0022\n/bin\n/buildstream\n/buildstream-install\n/dev\n/proc\n/tmp\n",
    ] {
        assert!(log.contains(expected), "{expected} is missing in:\n{log}");
    }
    let listing = place.run("bst-cat", &["-l", built["artifact"]["files"].as_str().expect("a digest")], "").exits(0);
    assert!(listing.out.contains("hello.c"), "{}", listing.out);
}

#[test]
fn a_failure_says_what_failed_and_keeps_everything() {
    let place = Place::new();
    let mut records = Records::new(&place);
    let commands = [("build", "echo object > obj.o"), ("install", "echo part > /buildstream-install/part; exit 7")];
    records.manual("bad.bst", &commands, &["base.bst"]);
    records.build(&place, "base.bst");
    let run = records.run(&place, "bad.bst", &[]).exits(3);
    assert_eq!(run.err, "");
    let built = place.run("bst-commit-artifact", &[], &run.out).exits(0).records().remove(0);
    let result = &built["result"];
    assert_eq!(result["success"], false);
    assert_eq!(result["class"], "command");
    assert_eq!(result["retryable"], false);
    assert_eq!(result["phase"], "install");
    assert_eq!(result["exit"], 7);
    assert_eq!(result["command"], commands[1].1);
    assert_eq!(result["attempt"], 1);
    assert!(result["log_tail"].as_str().expect("a text").contains("failed with exitcode 7"));
    let artifact = &built["artifact"];
    assert!(artifact.get("files").is_none(), "build kinds collect nothing from a failure: {artifact}");
    let list = |digest: &serde_json::Value| place.run("bst-cat", &["-l", digest.as_str().expect("one")], "").out;
    assert!(list(&artifact["buildtree"]).contains("obj.o"));
    assert!(artifact.get("buildroot").is_some());
    assert_eq!(artifact["sources"], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/0");
    let work = place.store().join("plumbing/work");
    assert_eq!(std::fs::read_dir(work).expect("the directory").count(), 0, "nothing is left");
}

#[test]
fn only_marked_directories_can_be_written_to() {
    let place = Place::new();
    let mut records = Records::new(&place);
    let command = "for f in /x /buildstream/x /buildstream/test/x /bin/busybox; do echo y >$f && echo WRITTEN; done; \
                   echo a >a; echo b >/tmp/b; echo c >/dev/shm/c; rmdir /buildstream-install && echo REMOVED; true";
    records.manual("app.bst", &[("build", command)], &["base.bst"]);
    records.build(&place, "base.bst");
    let built = records.build(&place, "app.bst");
    assert_eq!(built["result"]["success"], true, "{built}");
    let log = log(&place, &built);
    assert_eq!(log.matches("Read-only file system").count(), 5, "{log}");
    assert!(!log.contains("\nWRITTEN") && !log.contains("\nREMOVED"), "{log}");
}

#[test]
fn what_is_staged_cannot_be_changed_through_a_script() {
    let place = Place::new();
    let mut records = Records::new(&place);
    place.write("project/base/etc/data", "good\n");
    let attack = "echo evil >>/etc/data; ln /etc/data /etc/data2; echo evil >>/etc/data2; chmod 777 /bin/busybox; \
                  chmod 000 /etc/data; mv /bin/cp /bin/cp2; rm /bin/ln; mkdir /bin/ln";
    records.script("evil.bst", &[attack, "ls -l /bin; cat /etc/data2 || true"], &["base.bst"]);
    records.script(
        "good.bst",
        &["ls -laR /bin /etc >/buildstream-install/list; cat /etc/* >>/buildstream-install/list"],
        &["base.bst"],
    );
    records.build(&place, "base.bst");
    let before = records.build(&place, "good.bst")["artifact"]["files"].clone();
    let evil = records.build(&place, "evil.bst");
    assert_eq!(evil["result"]["success"], true, "{evil}");
    assert_eq!(records.build(&place, "good.bst")["artifact"]["files"], before);
}

#[test]
fn a_script_collects_what_is_there_of_a_failure() {
    let place = Place::new();
    let mut records = Records::new(&place);
    records.script("bad.bst", &["echo part >/buildstream-install/part", "false"], &["base.bst"]);
    records.script("gone.bst", &["rm -r /buildstream-install"], &["base.bst"]);
    records.build(&place, "base.bst");
    let bad = records.build(&place, "bad.bst");
    assert_eq!(bad["result"]["class"], "command");
    assert!(bad["artifact"].get("files").is_some() && bad["artifact"].get("buildtree").is_none(), "{bad}");
    for attempt in 1..=2 {
        let gone = records.build(&place, "gone.bst");
        assert_eq!(gone["result"]["class"], "collect", "{gone}");
        assert_eq!(gone["result"]["attempt"], attempt);
        assert!(gone["artifact"].get("files").is_none());
    }
}

#[test]
fn a_dependency_that_is_missing_or_failed_is_refused() {
    let place = Place::new();
    let mut records = Records::new(&place);
    records.manual("bad.bst", &[("build", "false")], &["base.bst"]);
    records.manual("app.bst", &[("build", "true")], &["bad.bst"]);
    let run = records.run(&place, "bad.bst", &[]).exits(1);
    assert_eq!(run.records()[0]["error"]["code"], "not-found");
    records.build(&place, "base.bst");
    records.build(&place, "bad.bst");
    let run = records.run(&place, "app.bst", &[]).exits(4);
    assert_eq!(run.records()[0]["error"]["code"], "failed-artifact");
    assert!(run.err.contains("bad.bst"), "{}", run.err);
}

#[test]
fn the_time_can_be_limited() {
    let place = Place::new();
    let mut records = Records::new(&place);
    records.manual("slow.bst", &[("build", "echo started; sleep 1000 & sleep 1000")], &["base.bst"]);
    records.build(&place, "base.bst");
    let built = records.build_with(&place, "slow.bst", &["--timeout=1s"], &[]);
    assert_eq!(built["result"]["class"], "timeout");
    assert_eq!(built["result"]["retryable"], true);
    assert_eq!(built["result"]["command"], "echo started; sleep 1000 & sleep 1000");
    assert!(built["artifact"].get("ref").is_none(), "it answers for no key: {built}");
    assert!(built["artifact"].get("buildroot").is_some(), "but it can be entered: {built}");
}

#[test]
fn the_status_of_a_command_is_a_class() {
    let place = Place::new();
    let mut records = Records::new(&place);
    records.build(&place, "base.bst");
    for (command, class, exit, signal) in [
        ("exit 75", "temporary", Some(75), None),
        ("kill -9 $$", "signal", None, Some(9)),
        ("exit 139", "signal", None, Some(11)),
        ("exit 129", "command", Some(129), None),
    ] {
        records.manual("x.bst", &[("build", command)], &["base.bst"]);
        let result = records.build(&place, "x.bst")["result"].clone();
        assert_eq!(result["class"], class, "{result}");
        assert_eq!(result["exit"].as_i64(), exit, "{result}");
        assert_eq!(result["signal"].as_i64(), signal, "{result}");
    }
}

#[test]
fn a_root_without_shell_is_a_failure_of_its_own() {
    let place = Place::new();
    let mut records = Records::new(&place);
    place.write("project/empty/file", "");
    records.import(&place, "empty.bst", "project/empty", &[]);
    records.manual("app.bst", &[("build", "true")], &["empty.bst"]);
    records.build(&place, "empty.bst");
    let built = records.build(&place, "app.bst");
    assert_eq!(built["result"]["class"], "missing-shell");
    assert_eq!(built["result"]["description"], "Staged artifacts do not provide command 'sh'");
    assert!(built["artifact"].get("ref").is_some());
}

#[test]
fn integration_commands_change_the_root_for_the_build() {
    let place = Place::new();
    let mut records = Records::new(&place);
    place.write("project/lib/etc/old", "old\n");
    let library = records.import(&place, "lib.bst", "project/lib", &["base.bst"]);
    library["build"]["public"] = serde_json::json!({"bst": {"integration-commands": [
        "echo new >/etc/new; chmod 600 /etc/new; mknod /etc/fifo p; rm /etc/old",
    ]}});
    records.manual("app.bst", &[("build", "stat -c '%a %Y %n' /etc/*")], &["lib.bst"]);
    records.build(&place, "base.bst");
    records.build(&place, "lib.bst");
    let built = records.build(&place, "app.bst");
    let log = log(&place, &built);
    assert!(log.contains("\n644 1321009871 /etc/new\n[") || log.contains("\n644 1321009871 /etc/new\n"), "{log}");
    assert!(!log.contains("/etc/fifo\n[") && !log.contains("Y /etc/old"), "{log}");
}

#[test]
fn a_script_of_the_users_own_can_be_committed() {
    let place = Place::new();
    let files = place.write("work/out/usr/bin/tool", "#!/bin/sh\n");
    let log = place.write("work/log", b"no UTF-8: \xff\n");
    let record = serde_json::json!({
        "project": "own", "element": "tool.bst", "key": "a".repeat(64),
        "result": {"success": true},
        "work": {"dir": place.path("work"), "files": place.path("work/out"), "log": log},
    });
    let run = place.run("bst-commit-artifact", &[], &format!("{record}\n")).exits(0);
    let committed = run.records().remove(0);
    assert_eq!(committed["artifact"]["ref"], format!("own/tool/{}", "a".repeat(64)));
    assert!(!files.exists() && !place.path("work").exists(), "the work is gone");
    let query = place.run("bst-cache-query", &[&format!("own/tool/{}", "a".repeat(64))], "");
    assert_eq!(query.records()[0]["cache"]["state"], "cached", "{query:?}");
}

#[test]
fn names_that_are_no_utf8_are_refused_and_the_rest_is_kept() {
    let place = Place::new();
    let mut records = Records::new(&place);
    let command = "touch /buildstream-install/good \"/buildstream-install/$(printf 'b\\377d')\"";
    records.manual("app.bst", &[("install", command)], &["base.bst"]);
    records.build(&place, "base.bst");
    let built = records.build(&place, "app.bst");
    assert_eq!(built["result"]["class"], "collect", "{built}");
    assert!(built["result"]["detail"].as_str().expect("a text").contains("b\\xffd"), "{built}");
}
