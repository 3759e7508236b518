//! bst-build and bst-commit-artifact: what the sandbox shows, what a build leaves, what is stored.

use crate::support::records::{Records, blob, local};
use crate::support::{Place, Run};

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
    assert_eq!(place.run("bst-commit-artifact", &[], &run.out).exits(1).out, run.out, "it is passed on");
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

#[test]
fn limits_hold_for_everything_in_the_sandbox() {
    let place = Place::new();
    let mut records = Records::new(&place);
    records.build(&place, "base.bst");
    let hog = "x=x; while true; do x=$x$x; done";
    records.manual("hog.bst", &[("build", hog)], &["base.bst"]);
    let built = records.build_with(&place, "hog.bst", &["--memory=64M", "--timeout=60s"], &[]);
    let result = &built["result"];
    assert_eq!(result["success"], false);
    if has_control_groups() {
        assert_eq!(result["class"], "resource", "{result}");
        assert!(result["detail"].as_str().expect("a text").contains("memory"), "{result}");
        let bomb = "bomb() { bomb | bomb & }; bomb; sleep 1; echo SURVIVED; false";
        records.manual("bomb.bst", &[("build", bomb)], &["base.bst"]);
        let built = records.build_with(&place, "bomb.bst", &["--processes=50", "--timeout=60s"], &[]);
        assert_eq!(built["result"]["class"], "resource", "{built}");
    }
}

/// Whether groups can be made here: a container may forbid it.
fn has_control_groups() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    is_root
        && ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/memory"]
            .iter()
            .any(|path| std::path::Path::new(path).exists())
}

#[test]
fn a_full_disk_is_no_fault_of_the_build() {
    let place = Place::new();
    let mut records = Records::new(&place);
    let command = "dd if=/dev/zero of=big bs=1024k count=100; exit 1";
    records.manual("big.bst", &[("build", command)], &["base.bst"]);
    for element in ["base.bst", "big.bst"] {
        place.write(&format!("{element}.json"), records.record(element).to_string());
    }
    std::fs::create_dir_all(place.store()).expect("a directory");
    let run = place.sh("unshare -Urm sh -c 'mount -t tmpfs -o size=20m none \"$BST_STORE\" && \
                        bst-build <base.bst.json | bst-commit-artifact >/dev/null && bst-build <big.bst.json'");
    assert_eq!(run.code, 3, "{run:?}");
    let result = &run.records()[0]["result"];
    assert_eq!(result["class"], "resource", "{result}");
    assert_eq!(result["command"], command, "{result}");
    assert!(result["detail"].as_str().expect("a text").contains("space left"), "{result}");
}

#[test]
fn rules_of_the_user_give_classes() {
    let place = Place::new();
    let mut records = Records::new(&place);
    records.build(&place, "base.bst");
    let rules = "# the weather\nresource exit=9 log=never there\ntemporary element=net*.bst log=connection (reset|refused)\n\
                 signal exit=4,5\n";
    let rules = place.write("rules", rules);
    let option = format!("--classify={}", rules.display());
    for (element, command, class) in [
        ("net1.bst", "echo 'x: connection reset by peer'; exit 9", "temporary"),
        ("other.bst", "echo 'x: connection reset by peer'; exit 9", "command"),
        ("net2.bst", "exit 5", "signal"),
        ("net3.bst", "exit 6", "command"),
    ] {
        records.manual(element, &[("build", command)], &["base.bst"]);
        let built = records.build_with(&place, element, &[&option], &[]);
        assert_eq!(built["result"]["class"], class, "{element}: {built}");
    }
    for wrong in ["weather", "command exit=x", "command what=1", "command log=("] {
        let rules = place.write("wrong", format!("\n{wrong}\n"));
        let run = place.run("bst-build", &[&format!("--classify={}", rules.display())], "").exits(2);
        assert!(run.err.contains("wrong:2:"), "{}", run.err);
    }
}

#[test]
fn compose_takes_what_the_split_rules_select() {
    let place = Place::new();
    let mut records = Records::new(&place);
    for path in ["usr/bin/tool", "usr/include/tool.h", "usr/share/doc/tool", "etc/orphan"] {
        place.write(&format!("project/lib/{path}"), path);
    }
    let library = records.import(&place, "lib.bst", "project/lib", &["base.bst"]);
    library["build"]["public"] = serde_json::json!({"bst": {
        "split-rules": {"runtime": ["/usr/bin/*"], "devel": ["/usr/include/**"], "doc": ["/usr/share/doc/**"]},
        "integration-commands": ["echo new >/etc/new; rm /usr/bin/tool"],
    }});
    let compose = |integrate: bool, include: &[&str], exclude: &[&str], orphans: bool| {
        serde_json::json!({"type": "compose", "integrate": integrate, "include": include, "exclude": exclude,
                           "include_orphans": orphans})
    };
    for element in ["base.bst", "lib.bst"] {
        records.build(&place, element);
    }
    for (element, instructions, expected) in [
        ("devel.bst", compose(false, &["devel"], &[], false), "usr usr/include usr/include/tool.h"),
        (
            "integrated.bst",
            compose(true, &["devel", "runtime"], &[], false),
            "dev etc etc/new proc tmp usr usr/include usr/include/tool.h",
        ),
    ] {
        records.add(element, instructions, &["lib.bst"]);
        let built = records.build(&place, element);
        assert_eq!(built["result"]["success"], true, "{built}");
        let out = place.path(&format!("out {element}"));
        let digest = built["artifact"]["files"].as_str().expect("a digest");
        assert_eq!(tree(&place, digest).join(" "), expected, "{}", out.display());
    }
    records.add("all.bst", compose(false, &[], &["doc"], true), &["lib.bst"]);
    let built = records.build(&place, "all.bst");
    let all = tree(&place, built["artifact"]["files"].as_str().expect("a digest"));
    assert!(all.contains(&"etc/orphan".to_owned()) && all.contains(&"bin/sh".to_owned()), "{all:?}");
    assert!(all.contains(&"usr/share/doc".to_owned()) && !all.contains(&"usr/share/doc/tool".to_owned()), "{all:?}");
}

#[test]
fn filter_takes_a_part_and_passes_integration_on() {
    let place = Place::new();
    let mut records = Records::new(&place);
    for path in ["usr/bin/tool", "usr/include/tool.h"] {
        place.write(&format!("project/lib/{path}"), path);
    }
    let library = records.import(&place, "lib.bst", "project/lib", &[]);
    library["build"]["public"] = serde_json::json!({"bst": {
        "split-rules": {"runtime": ["/usr/bin/*"], "devel": ["/usr/include/**"]},
        "integration-commands": ["first"],
    }});
    records.build(&place, "lib.bst");
    let filter = |include: &str| serde_json::json!({"type": "filter", "include": [include], "pass_integration": true});
    let record = records.add("part.bst", filter("runtime"), &["lib.bst"]);
    record["build"]["public"]["bst"]["integration-commands"] = serde_json::json!(["second"]);
    let built = records.build(&place, "part.bst");
    let digest = built["artifact"]["files"].as_str().expect("a digest");
    assert_eq!(tree(&place, digest).join(" "), "usr usr/bin usr/bin/tool");
    records.add(
        "user.bst",
        serde_json::json!({"type": "compose", "integrate": true, "include_orphans": true}),
        &["part.bst"],
    );
    let used = records.build(&place, "user.bst");
    assert_eq!(used["result"]["class"], "missing-shell", "the commands are there: {used}");
    records.add("wrong.bst", filter("nothing"), &["lib.bst"]);
    let wrong = records.run(&place, "wrong.bst", &[]).exits(7);
    assert_eq!(wrong.records()[0]["result"]["class"], "staging");
}

/// Every path of a tree of the store.
fn tree(place: &Place, digest: &str) -> Vec<String> {
    use bst_plumbing::doing::staging::tree::Directory;
    let cas = bst_plumbing::store::Store::new(place.store()).cas();
    let digest = digest.parse().expect("a digest");
    Directory::load(&cas, &digest, 0).and_then(|mut tree| tree.paths(&cas)).expect("a tree")
}

#[test]
fn dependencies_that_do_not_fit_together_are_refused() {
    let place = Place::new();
    let mut records = Records::new(&place);
    place.write("project/one/etc/file", "one\n");
    place.write("project/two/etc/file", "two\n");
    std::fs::create_dir_all(place.path("project/three")).expect("a directory");
    std::os::unix::fs::symlink("elsewhere", place.path("project/three/etc")).expect("a link");
    records.import(&place, "one.bst", "project/one", &["base.bst"]);
    records.import(&place, "two.bst", "project/two", &["one.bst"]);
    records.import(&place, "three.bst", "project/three", &[]);
    records.manual("app.bst", &[("build", "cat /etc/file")], &["two.bst"]);
    records.manual("clash.bst", &[("build", "true")], &["three.bst", "two.bst"]);
    for element in ["base.bst", "one.bst", "two.bst", "three.bst"] {
        records.build(&place, element);
    }
    let built = records.build(&place, "app.bst");
    let text = log(&place, &built);
    assert!(text.contains("WARNING") && text.contains("[overlaps]") && text.contains("\ntwo\n"), "{text}");
    records.manual("app.bst", &[("build", "true")], &["two.bst"])["build"]["fatal_warnings"] =
        serde_json::json!(["overlaps"]);
    let run = records.run(&place, "app.bst", &[]).exits(7);
    assert_eq!(run.records()[0]["result"]["class"], "staging");
    let run = records.run(&place, "clash.bst", &[]).exits(7);
    let result = &run.records()[0]["result"];
    assert_eq!(result["description"], "Destination is a symlink, not a directory: /etc");
    let committed = place.run("bst-commit-artifact", &[], &run.out).exits(0).records().remove(0);
    assert!(committed["artifact"].get("ref").is_none() && committed["artifact"].get("log").is_some(), "{committed}");
}

#[test]
fn a_signal_ends_the_build_and_leaves_nothing() {
    use rustix::process::{Pid, Signal, kill_process};
    let place = Place::new();
    let mut records = Records::new(&place);
    let command = "echo started >/buildstream-install/x; sleep 3417 & sleep 3417";
    records.manual("slow.bst", &[("build", command)], &["base.bst"]);
    records.build(&place, "base.bst");
    let input = place.write("record", records.record("slow.bst").to_string());
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut build = place.command("bst-build");
        build.stdin(std::fs::File::open(&input).expect("the record")).stdout(std::process::Stdio::piped());
        let build = build.spawn().expect("bst-build");
        let since = std::time::Instant::now();
        while place.sh("ls \"$BST_STORE\"/plumbing/work/*/changes/buildstream-install/x").code != 0 {
            assert!(since.elapsed().as_secs() < 60, "the build does not start");
        }
        let pid = Pid::from_raw(i32::try_from(build.id()).expect("a number")).expect("a process");
        kill_process(pid, signal).expect("a signal");
        let run = Run::from(build.wait_with_output().expect("output")).exits(status);
        let committed = place.run("bst-commit-artifact", &[], &run.out).exits(0).records().remove(0);
        assert_eq!(committed["result"]["class"], "cancelled", "{committed}");
        let artifact = &committed["artifact"];
        assert!(artifact.get("ref").is_none() && artifact.get("files").is_none(), "{committed}");
    }
    let left = std::fs::read_dir(place.store().join("plumbing/work")).expect("the directory").count();
    assert_eq!(left, 0, "no directory is left");
    let sleeping = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(Result::ok)
        .any(|process| std::fs::read(process.path().join("cmdline")).is_ok_and(|words| words == b"sleep\x003417\0"));
    assert!(!sleeping, "no process is left");
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("mounts");
    assert!(!mounts.contains("plumbing/work"), "no mount is left");
}

#[test]
fn kinds_that_put_files_together_themselves() {
    let place = Place::new();
    let mut records = Records::new(&place);
    place.write("project/lib/usr/bin/tool", "tool\n");
    let library = records.import(&place, "lib.bst", "project/lib", &[]);
    library["build"]["public"] = serde_json::json!({"bst": {"integration-commands": ["ldconfig", "echo 2"]}});
    records.build(&place, "lib.bst");
    records.add(
        "collect.bst",
        serde_json::json!({"type": "collect-integration", "script": "/usr/integrate"}),
        &["lib.bst"],
    );
    let built = records.build(&place, "collect.bst");
    let name = format!("test/collect/{}", built["key"].as_str().expect("a key"));
    let run = place.run("bst-shell", &["--runtime", &name, "--", "true"], "");
    assert_ne!(run.code, 0, "there is no shell in it");
    let files = built["artifact"]["files"].as_str().expect("a digest");
    assert_eq!(tree(&place, files).join(" "), "usr usr/integrate");
    let snap = serde_json::json!({"type": "snap-image", "directory": "/usr", "metadata": "name: x\n", "include_orphans": true});
    records.add("snap.bst", snap, &["lib.bst"]);
    let built = records.build(&place, "snap.bst");
    let files = built["artifact"]["files"].as_str().expect("a digest");
    assert_eq!(tree(&place, files).join(" "), "bin bin/tool meta meta/snap.yaml");
    let check = serde_json::json!({"type": "check-forbidden", "found": [["a.bst", "b.bst"]]});
    records.add("check.bst", check, &["lib.bst"]);
    let built = records.build(&place, "check.bst");
    assert_eq!(built["result"]["success"], false);
    assert_eq!(built["result"]["detail"], "a.bst -> b.bst");
}
