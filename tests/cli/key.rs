use crate::support::{Place, Run};
use serde_json::Value;
use std::collections::BTreeMap;

/// The worked example of the specification (keys 5), whose keys the real BuildStream gave.
fn worked(place: &Place) {
    place.write("p/project.conf", "name: worked\nmin-version: 2.0\nelement-path: elements\n");
    place.write("p/files/hello.txt", "hello\n");
    place.write("p/elements/base.bst", "kind: import\nsources:\n- kind: local\n  path: files\n");
    place.write(
        "p/elements/lib.bst",
        "kind: manual\nvariables: {who: \"wörld\"}\nbuild-depends: [base.bst]\nconfig:\n  build-commands:\n  - |\n    \
         echo \"%{who}\" > /out\nenvironment: {JOBS: \"%{max-jobs}\"}\nenvironment-nocache: [JOBS]\n",
    );
    place.write(
        "p/elements/app.bst",
        "kind: stack\ndepends: [lib.bst, base.bst]\npublic: {bst: {integration-commands: [ldconfig]}}\n",
    );
}

const BASE: [&str; 2] = [
    "633cd4ae8aeb23092f6507ba555d7e3b7f6f6461f0405ff632148242e059aaa9",
    "0de5f9d99f995eea198694613cb80f54e55526d7f17764828351f402a7cf679c",
];
const LIB: [&str; 2] = [
    "69e7e625f183cd64b87c2df201bfbdc3f5b5e3ff182cafa7e597996ce36417fe",
    "2f4cadabcf6043379304ef3850c2e41f9cdb7149edfef629e95ecc1823fcc085",
];
const APP: [&str; 2] = [
    "e701613f8a5558355e35123f42cf6a7973c8ce3117ec31b6cb92c3659087279d",
    "77816290934ce824557d302af3f2acb6f246c39c9348ce3b8972091f190a1ed4",
];

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_default()
}

fn names(run: &Run) -> Vec<String> {
    run.records().iter().map(|record| text(record, "element").to_owned()).collect()
}

/// By element: weak and strict key.
fn keys(run: &Run) -> BTreeMap<String, [String; 2]> {
    let keys = |record: &Value| [text(record, "weak_key").to_owned(), text(record, "key").to_owned()];
    run.records().iter().map(|record| (text(record, "element").to_owned(), keys(record))).collect()
}

fn errors(run: &Run) -> BTreeMap<String, String> {
    let shown = |error: &Value| {
        format!("{} {}:{}:{}", text(error, "reason"), text(error, "file"), error["line"], error["column"])
    };
    let records = run.records();
    let broken = records.iter().filter(|record| record["error"].is_object());
    broken.map(|record| (text(record, "element").to_owned(), shown(&record["error"]))).collect()
}

#[test]
fn the_worked_example_has_buildstreams_keys_and_order() {
    let place = Place::new();
    worked(&place);
    let run = place.run("bst-key", &["-C", "p", "app.bst"], "").exits(0);
    if cfg!(target_arch = "x86_64") {
        let keys = keys(&run);
        assert_eq!(keys["base.bst"], BASE);
        assert_eq!(keys["lib.bst"], LIB);
        assert_eq!(keys["app.bst"], APP);
    }
    assert_eq!(names(&run), ["base.bst", "lib.bst", "app.bst"]);
    let records = run.records();
    let depends: Vec<_> =
        records[2]["depends"].as_array().expect("a list").iter().map(|d| text(d, "element")).collect();
    assert_eq!(depends, ["base.bst", "lib.bst"], "sorted, not as written");
    assert_eq!(records[2]["stage"].as_array().map(Vec::len), Some(2), "a named target carries what it stages");
    assert!(records[1].get("stage").is_none());
}

#[test]
fn explain_writes_what_was_hashed() {
    let place = Place::new();
    worked(&place);
    for (flags, field) in [(&["--explain"][..], "key"), (&["--explain", "--weak"], "weak_key")] {
        let records = place.run("bst-key", &["-C", "p", "app.bst"], "").exits(0).records();
        let arguments = [&["-C", "p", "app.bst"], flags].concat();
        let run = place.run("bst-key", &arguments, "").exits(0);
        for (line, record) in run.out.lines().zip(&records) {
            assert_eq!(sha256(line), text(record, field));
        }
        assert_eq!(run.out.lines().count(), 3);
    }
}

fn sha256(text: &str) -> String {
    bst_plumbing::values::Digest::of(text.as_bytes()).hex()
}

#[test]
fn scopes_and_default_targets() {
    let place = Place::new();
    worked(&place);
    let of = |arguments: &[&str]| names(&place.run("bst-key", &[&["-C", "p"], arguments].concat(), "").exits(0));
    assert_eq!(of(&["--deps=none", "app.bst"]), ["app.bst"]);
    assert_eq!(of(&["--deps=build", "lib.bst"]), ["base.bst"]);
    assert_eq!(of(&["--deps=run", "lib.bst"]), ["lib.bst"]);
    assert_eq!(of(&[]), ["base.bst", "lib.bst", "app.bst"]);
    place.write(
        "p/project.conf",
        "name: w\nmin-version: 2.0\nelement-path: elements\ndefaults: {targets: [base.bst]}\n",
    );
    assert_eq!(of(&[]), ["base.bst"]);
    assert_eq!(of(&["--all"]).len(), 3);
}

#[test]
fn a_project_is_found_upward_and_a_target_may_be_named_oddly() {
    let place = Place::new();
    worked(&place);
    let run = place.run("bst-key", &["-C", "p/elements", "./x/../base.bst", "base.bst"], "").exits(0);
    assert_eq!(names(&run), ["base.bst"]);
}

#[test]
fn what_is_broken_has_a_record_and_disturbs_nothing_else() {
    let place = Place::new();
    worked(&place);
    place.write("p/elements/broken.bst", "kind: manual\nvariables: {a: \"%{nothing}\"}\n");
    place.write("p/elements/above.bst", "kind: stack\ndepends: [base.bst, broken.bst]\n");
    place.write("p/elements/lost.bst", "kind: stack\ndepends:\n- none.bst\n");
    place.write("p/elements/one.bst", "kind: stack\ndepends: [two.bst]\n");
    place.write("p/elements/two.bst", "kind: stack\ndepends: [one.bst]\n");
    let run = place.run("bst-key", &["-C", "p", "--all"], "").exits(2);
    let errors = errors(&run);
    assert_eq!(errors["broken.bst"], "unresolved-variable broken.bst:2:15");
    assert_eq!(errors["above.bst"], errors["broken.bst"]);
    assert_eq!(errors["lost.bst"], "missing-file lost.bst:3:2");
    assert!(errors["one.bst"].starts_with("circular-dependency"), "{errors:?}");
    assert_eq!(errors.len(), 5);
    assert_eq!(keys(&run)["app.bst"][1].len(), 64);
}

#[test]
fn a_project_that_cannot_be_loaded_is_one_record() {
    let place = Place::new();
    place.write("p/project.conf", "name: w\nmin-version: 2.0\npony: x\n");
    let run = place.run("bst-key", &["-C", "p", "--all"], "").exits(2);
    assert_eq!(errors(&run)["*"], "invalid-data project.conf:3:6");
    assert!(run.err.contains("project.conf:3:6"), "{}", run.err);
    let run = place.run("bst-key", &["-C", "home"], "").exits(2);
    assert!(errors(&run)["*"].starts_with("missing-project-conf"), "{}", run.out);
}

#[test]
fn a_source_without_ref_has_no_key_and_says_so() {
    let place = Place::new();
    worked(&place);
    place.write("p/elements/noref.bst", "kind: import\nsources:\n- kind: tar\n  url: https://example.com/x.tar\n");
    place.write("p/elements/above.bst", "kind: stack\ndepends: [noref.bst]\n");
    let run = place.run("bst-key", &["-C", "p", "above.bst"], "").exits(2);
    for record in run.records() {
        assert_eq!(record["error"]["code"], "no-ref");
        assert!(record.get("key").is_none());
        assert!(text(&record["error"], "message").contains("noref.bst"), "{record}");
    }
}

#[test]
fn options_from_every_source() {
    let place = Place::new();
    place.write(
        "p/project.conf",
        "name: opt\nmin-version: 2.0\noptions:\n  pony:\n    type: enum\n    description: x\n    values: [a, b, c]\n    \
         default: a\n    variable: pony\n",
    );
    place.write("p/x.bst", "kind: manual\nconfig: {build-commands: [\"%{pony}\"]}\n");
    let command = |arguments: &[&str]| {
        let run = place.run("bst-key", &[&["-C", "p", "x.bst"], arguments].concat(), "").exits(0);
        text(&run.records()[0]["build"]["plugin_key"]["build-commands"], "0").to_owned()
            + run.records()[0]["build"]["plugin_key"]["build-commands"][0].as_str().unwrap_or_default()
    };
    assert_eq!(command(&[]), "a");
    place.write("home/.config/buildstream.conf", "projects: {opt: {options: {pony: b}}}\n");
    assert_eq!(command(&[]), "b");
    assert_eq!(command(&["-o", "pony", "c"]), "c");
    place.write("other.conf", "{}\n");
    assert_eq!(command(&["--config", "other.conf"]), "a");
    let run = place.run("bst-key", &["-C", "p", "-o", "pony", "d"], "").exits(2);
    assert!(run.err.contains("a, b, c"), "{}", run.err);
}

#[test]
fn the_cachedir_of_the_user_is_the_store() {
    let place = Place::new();
    worked(&place);
    place.write("home/.config/buildstream.conf", format!("cachedir: \"{}\"\n", place.path("cache").display()));
    let record = place.run("bst-key", &["-C", "p", "base.bst"], "").exits(0).out;
    place.write(&format!("cache/artifacts/refs/worked/base/{}", BASE[1]), "garbage");
    let mut query = place.command("bst-cache-query");
    Run::of(query.env_remove("BST_STORE"), &record).exits(8);
    let mut command = place.command("bst-key");
    command.args(["-C", "p", "app.bst"]).env_remove("BST_STORE");
    place.write("home/.config/buildstream.conf", "cachedir: relative\n");
    let run = Run::of(&mut command, "").exits(2);
    assert!(run.err.contains("absolute"), "{}", run.err);
}

#[test]
fn max_jobs_enters_keys_where_it_is_used() {
    let place = Place::new();
    place.write("p/project.conf", "name: w\nmin-version: 2.0\n");
    place.write("p/x.bst", "kind: manual\nconfig: {build-commands: [\"make -j%{max-jobs}\"]}\n");
    let of =
        |jobs: &str| place.run("bst-key", &["-C", "p", "--max-jobs", jobs, "x.bst"], "").exits(0).records().remove(0);
    assert_eq!(of("3")["build"]["plugin_key"]["build-commands"][0], "make -j3");
    assert_ne!(of("3")["key"], of("4")["key"]);
}

#[test]
fn records_are_keyed_again_without_a_project() {
    let place = Place::new();
    worked(&place);
    let run = place.run("bst-key", &["-C", "p", "app.bst"], "").exits(0);
    std::fs::remove_dir_all(place.path("p")).expect("no project");
    let again = place.run("bst-key", &["--stdin"], &run.out).exits(0);
    assert_eq!(again.out, run.out, "what did not change stays as it is");
    assert_eq!(place.run("bst-key", &["--stdin", "--changed"], &run.out).exits(0).out, "");

    let changed = run.out.replace("world", "w").replace("wörld", "w");
    let again = place.run("bst-key", &["--stdin", "--changed"], &changed).exits(0);
    assert_eq!(names(&again), ["lib.bst", "app.bst"], "the change, and what is above it");
    let records = again.records();
    assert_eq!(records[1]["depends"][1]["key"], records[0]["key"]);
    assert_eq!(records[1]["stage"][1]["key"], records[0]["key"]);
    let explained = place.run("bst-key", &["--stdin", "--explain"], &changed).exits(0);
    assert_eq!(sha256(explained.out.lines().nth(1).expect("a line")), text(&records[0], "key"));
}

#[test]
fn records_that_cannot_be_keyed_say_why() {
    let place = Place::new();
    worked(&place);
    let run = place.run("bst-key", &["-C", "p", "app.bst"], "").exits(0);
    let without_base: String = run.out.lines().skip(1).map(|line| format!("{line}\n")).collect();
    let again = place.run("bst-key", &["--stdin"], &(without_base + "no record\n")).exits(2);
    for record in again.records() {
        assert!(
            text(&record["error"], "message").contains("base.bst") || text(&record, "element") == "app.bst",
            "{record}"
        );
        assert!(record.get("key").is_none());
    }
    assert!(again.err.contains("no record"), "{}", again.err);
}

#[test]
fn what_a_change_would_rebuild() {
    let place = Place::new();
    worked(&place);
    place.write("p/elements/other.bst", "kind: import\nsources:\n- kind: local\n  path: files\n");
    let of =
        |arguments: &[&str]| names(&place.run("bst-key", &[&["-C", "p", "--all"], arguments].concat(), "").exits(0));
    assert_eq!(of(&["--what-if", "lib.bst"]), ["lib.bst", "app.bst"]);
    assert_eq!(of(&["--what-if", "lib.bst", "--what-if=other.bst"]), ["lib.bst", "app.bst", "other.bst"]);
    assert_eq!(of(&["--what-if", "base.bst", "--no-strict"]), ["base.bst"]);
    place.run("bst-key", &["-C", "p", "--what-if", "none.bst"], "").exits(2);
}

#[test]
fn junctions_in_junctions_with_options_overrides_and_includes() {
    let place = Place::new();
    let conf = |name: &str| format!("name: {name}\nmin-version: 2.0\n");
    place.write("p/project.conf", conf("top") + "(@): [\"sub.bst:shared.yml\"]\n");
    place.write(
        "p/sub.bst",
        "kind: junction\nsources: [{kind: local, path: sub}]\nconfig:\n  options: {pony: True}\n  overrides:\n    \
         subsub.bst: mine.bst\n",
    );
    place.write("p/mine.bst", "kind: junction\nsources: [{kind: local, path: mine}]\n");
    place.write("p/x.bst", "kind: stack\ndepends: [\"sub.bst:y.bst\", \"sub.bst:subsub.bst:z.bst\", link.bst]\n");
    place.write("p/link.bst", "kind: link\nconfig: {target: \"sub.bst:y.bst\"}\n");
    let option = "options: {pony: {type: bool, description: x, default: False}}\n";
    place.write("p/sub/project.conf", conf("sub") + option);
    place.write("p/sub/shared.yml", "variables: {place: \"%{project-name}\"}\n");
    place.write("p/sub/subsub.bst", "kind: junction\nsources: [{kind: local, path: none}]\n");
    place.write(
        "p/sub/y.bst",
        "kind: manual\ndepends: [\"subsub.bst:z.bst\"]\n(?): [pony: {config: {build-commands: [pony]}}]\n",
    );
    place.write("p/mine/project.conf", conf("mine"));
    place.write("p/mine/z.bst", "kind: manual\n");
    let run = place.run("bst-key", &["-C", "p", "x.bst"], "").exits(0);
    assert_eq!(names(&run), ["mine.bst:z.bst", "sub.bst:y.bst", "x.bst"]);
    let records = run.records();
    assert_eq!(records[1]["build"]["plugin_key"]["build-commands"][0], "pony");
    assert_eq!(records[2]["depends"].as_array().map(Vec::len), Some(2), "a link is what it leads to");
    assert_eq!(records[2]["build"]["variables"]["place"], "sub", "included files have their own project's variables");
}

#[test]
fn a_junction_of_several_local_sources_is_put_together() {
    let place = Place::new();
    place.write("p/project.conf", "name: top\nmin-version: 2.0\n");
    place.write("p/conf/project.conf", "name: sub\nmin-version: 2.0\nelement-path: e\n");
    place.write("p/elements/y.bst", "kind: manual\n");
    place.write(
        "p/j.bst",
        "kind: junction\nsources:\n- {kind: local, path: conf}\n- {kind: local, path: elements, directory: e}\n",
    );
    place.write("p/x.bst", "kind: stack\ndepends: [\"j.bst:y.bst\"]\n");
    let first = place.run("bst-key", &["-C", "p", "x.bst"], "").exits(0);
    assert_eq!(names(&first), ["j.bst:y.bst", "x.bst"]);
    assert!(place.path("p/.bst/staged-junctions/j.bst").is_dir());
    assert_eq!(place.run("bst-key", &["-C", "p", "x.bst"], "").exits(0).out, first.out);
    place.write("p/j.bst", "kind: junction\nsources: [{kind: tar, url: \"https://example.com/x\", ref: \"11\"}]\n");
    let run = place.run("bst-key", &["-C", "p", "x.bst"], "").exits(2);
    assert!(run.err.contains("bst-fetch"), "{}", run.err);
}

#[test]
fn refs_are_kept_in_project_refs() {
    let place = Place::new();
    place.write("p/project.conf", "name: top\nmin-version: 2.0\nref-storage: project.refs\n");
    let source = "kind: import\nsources: [{kind: tar, url: \"https://example.com/x\", ref: inline}]\n";
    place.write("p/x.bst", source);
    let run = place.run("bst-key", &["-C", "p", "x.bst"], "").exits(2);
    assert_eq!(run.records()[0]["error"]["code"], "no-ref", "an inline ref is not used");
    place.write("p/project.refs", "projects: {top: {x.bst: [{ref: \"1234\"}]}}\n");
    let run = place.run("bst-key", &["-C", "p", "x.bst"], "").exits(0);
    let source = &run.records()[0]["sources"][0];
    assert_eq!(source["ref"], "1234");
    assert_eq!(source["origin"]["storage"], "project.refs");
}

#[test]
fn mirrors_come_in_buildstreams_order_before_the_alias() {
    let place = Place::new();
    place.write(
        "p/project.conf",
        "name: top\nmin-version: 2.0\naliases: {a: \"https://own/%{project-name}/\"}\nmirrors:\n\
         - {name: one, aliases: {a: [\"https://one/\"]}}\n- {name: two, aliases: {a: [\"https://two/\", \"https://two2/\"]}}\n",
    );
    place.write("p/x.bst", "kind: import\nsources: [{kind: tar, url: \"a:f.tar\", ref: \"11\"}]\n");
    let urls = || place.run("bst-key", &["-C", "p", "x.bst"], "").exits(0).records()[0]["sources"][0]["urls"].clone();
    let own = "https://own/top/f.tar";
    assert_eq!(urls(), serde_json::json!(["https://one/f.tar", "https://two/f.tar", "https://two2/f.tar", own]));
    place.write("home/.config/buildstream.conf", "projects: {top: {default-mirror: two}}\n");
    assert_eq!(urls(), serde_json::json!(["https://two/f.tar", "https://two2/f.tar", "https://one/f.tar", own]));
    place.write("home/.config/buildstream.conf", "fetch: {source: aliases}\n");
    assert_eq!(urls(), serde_json::json!([own]));
}

#[test]
fn an_open_workspace_stands_for_the_sources() {
    let place = Place::new();
    worked(&place);
    place.write("w/file", "x");
    let workspaces =
        format!("format-version: 4\nworkspaces:\n  base.bst:\n    path: \"{}\"\n", place.path("w").display());
    place.write("p/.bst2/workspaces.yml", workspaces);
    let run = place.run("bst-key", &["-C", "p", "base.bst"], "").exits(0);
    let record = &run.records()[0];
    assert_eq!((text(&record["sources"][0], "kind"), &record["build"]["workspaced"]), ("workspace", &true.into()));
    let marker = format!(
        "format-version: 1\nprojects:\n- {{project-path: \"{}\", element-name: base.bst}}\n",
        place.path("p").display()
    );
    place.write("w/.bstproject.yaml", marker);
    assert_eq!(names(&place.run("bst-key", &["-C", "w"], "").exits(0)), ["base.bst"]);
}

#[test]
fn hostile_projects_end_in_errors() {
    let place = Place::new();
    let conf = "name: w\nmin-version: 2.0\n";
    place.write("p/project.conf", conf);
    let bomb: String = (0..40).map(|n| format!("  v{n}: \"%{{v{0}}}%{{v{0}}}\"\n", n + 1)).collect();
    let deep = "[".repeat(5000);
    place.write("inc.yml", "x: y\n");
    for (name, content) in [
        ("bomb.bst", format!("kind: manual\nvariables:\n{bomb}  v40: xxxxxxxx\n")),
        ("deep.bst", format!("kind: manual\nconfig: {{a: {deep}}}\n")),
        ("itself.bst", "kind: manual\n(@): elements.yml\n".to_owned()),
        ("nul.bst", "kind: manual\nx: \"a\\0b\"\n\0".to_owned()),
        ("outside.bst", "kind: manual\n(@): ../inc.yml\n".to_owned()),
        ("absolute.bst", "kind: manual\n(@): /etc/passwd\n".to_owned()),
        ("above.bst", "kind: stack\ndepends: [\"../../x.bst\"]\n".to_owned()),
        ("root.bst", "kind: stack\ndepends: [\"/etc/x.bst\"]\n".to_owned()),
        ("local.bst", "kind: import\nsources: [{kind: local, path: \"../inc.yml\"}]\n".to_owned()),
        ("loop.bst", "kind: link\nconfig: {target: loop.bst}\n".to_owned()),
        ("newline.bst", "kind: stack\ndepends: [\"a\\nb.bst\"]\n".to_owned()),
    ] {
        place.write(&format!("p/{name}"), content);
    }
    place.write("p/elements.yml", "(@): elements.yml\n");
    let run = place.run("bst-key", &["-C", "p", "--all"], "").exits(2);
    let errors = errors(&run);
    assert_eq!(errors.len(), 11, "{}", run.out);
    for name in ["outside.bst", "absolute.bst", "above.bst", "root.bst"] {
        assert!(errors[name].starts_with("proj-path-invalid"), "{name}: {}", errors[name]);
    }
    let long = "x".repeat(300);
    let run =
        place.run("bst-key", &["-C", "p", &format!("{long}.bst"), "a\u{1}.bst", "no-suffix", "", "a:b:c.bst"], "");
    assert_eq!(run.exits(2).records().len(), 5);
}
