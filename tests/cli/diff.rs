use crate::stock::{Build, Stock, key, name};
use crate::support::Place;
use bst_plumbing::values::result::FailureClass;
use serde_json::{Value, json};

/// A record as bst-key writes it.
fn image(element: &str, byte: u8, depends: &[(&str, u8)]) -> Value {
    let depends: Vec<Value> = depends
        .iter()
        .map(|(element, byte)| json!({ "project": "p", "element": element, "key": key(*byte), "type": "all" }))
        .collect();
    json!({
        "v": 1, "project": "p", "element": element, "kind": "manual", "key": key(byte), "weak_key": key(byte),
        "depends": depends,
        "sources": [{ "kind": "tar", "url": "up:x.tar", "ref": "aaa", "unique": ["up:x.tar", "aaa"] }],
        "build": {
            "build_root": "/b", "environment": { "CFLAGS": "-O2", "JOBS": "4" }, "environment_nocache": ["JOBS"],
            "instructions": { "type": "stack" },
            "plugin_key": { "build-commands": ["make", "make check"] },
            "public": {}, "variables": { "opt": "one", "text": "a\nb\nc\n" },
        },
    })
}

fn ask(place: &Place, image: &Value) {
    place.run("bst-cache-query", &[], &format!("{image}\n"));
}

fn diff(place: &Place, arguments: &[&str]) -> String {
    place.run("bst-diff", arguments, "").exits(0).out
}

#[test]
fn each_input_that_changed_is_named_and_no_other() {
    let place = Place::new();
    ask(&place, &image("a.bst", 1, &[]));
    let changes: [(&str, fn(&mut Value), &str); 7] = [
        (
            "environment",
            |i| i["build"]["environment"]["CFLAGS"] = "-O3".into(),
            "a.bst: environment.CFLAGS: \"-O2\" -> \"-O3\"\n",
        ),
        ("jobs", |i| i["build"]["environment"]["JOBS"] = "8".into(), ""),
        (
            "command",
            |i| i["build"]["plugin_key"]["build-commands"][1] = "make test".into(),
            "a.bst: plugin_key.build-commands:\n  - make check\n  + make test\n",
        ),
        ("variable", |i| i["build"]["variables"]["opt"] = "two".into(), "a.bst: variables.opt: \"one\" -> \"two\"\n"),
        ("text", |i| i["build"]["variables"]["text"] = "a\nB\nc\n".into(), "a.bst: variables.text:\n  - b\n  + B\n"),
        (
            "ref",
            |i| {
                i["sources"][0]["ref"] = "bbb".into();
                i["sources"][0]["unique"][1] = "bbb".into();
            },
            "a.bst: sources[0].ref: \"aaa\" -> \"bbb\"\n",
        ),
        (
            "public",
            |i| i["build"]["public"] = json!({ "bst": { "x": "y" } }),
            "a.bst: public.bst: (none) -> {\"x\":\"y\"}\n",
        ),
    ];
    for (number, (what, change, expected)) in (10..).zip(changes) {
        let mut changed = image("a.bst", number, &[]);
        change(&mut changed);
        ask(&place, &changed);
        let run = diff(&place, &["--inputs", &key(1).to_string(), &key(number).to_string()]);
        assert_eq!(run, expected, "{what}");
    }
    let run = place.run("bst-diff", &["--json", "--inputs", &key(1).to_string(), &key(10).to_string()], "").exits(0);
    assert_eq!(run.records()[0]["diff"], json!({ "path": "environment.CFLAGS", "old": "-O2", "new": "-O3" }));
}

#[test]
fn a_dependency_that_changed_is_followed_to_the_reason() {
    let place = Place::new();
    let mut lib = image("lib.bst", 3, &[]);
    ask(&place, &lib);
    lib["build"]["variables"]["opt"] = "changed".into();
    lib["key"] = json!(key(4));
    ask(&place, &lib);
    ask(&place, &image("mid.bst", 5, &[("lib.bst", 3)]));
    ask(&place, &image("mid.bst", 6, &[("lib.bst", 4)]));
    ask(&place, &image("app.bst", 7, &[("mid.bst", 5), ("gone.bst", 9)]));
    ask(&place, &image("app.bst", 8, &[("mid.bst", 6), ("new.bst", 9)]));
    let run = diff(&place, &["--inputs", &key(7).to_string(), &key(8).to_string()]);
    let lines: Vec<_> = run.lines().collect();
    assert_eq!(lines[0], "lib.bst: variables.opt: \"one\" -> \"changed\"");
    assert!(lines[1].starts_with("mid.bst: depends lib.bst: "));
    let expected = ["depends gone.bst: ", "depends mid.bst: ", "depends new.bst: (none) -> "];
    assert!(expected.iter().all(|part| lines[2..].iter().any(|line| line.contains(part))), "{run}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn files_of_two_artifacts_and_of_two_trees() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    place.sh("mkdir -p 1/usr 2/usr && echo same >1/same && echo one >1/usr/text && echo x >1/tool && echo >1/old
              cp -r 1/. 2/ && echo three >2/usr/text && chmod 755 2/tool && rm 2/old && ln -s x 2/link && mkdir 2/empty").exits(0);
    for (byte, directory) in [(1, "1"), (2, "2")] {
        let files = place.path(directory);
        stock.commit(&Build {
            element: "a.bst",
            strong: byte,
            weak: byte + 100,
            files: Some(&files),
            ..Build::default()
        });
    }
    let expected = "A empty\nA link\nD old\nX tool\nM usr/text (4 -> 6 bytes)\n";
    assert_eq!(diff(&place, &["--files", &key(1).to_string(), &name("a.bst", 2).to_string()]), expected);
    // Nothing is known of the inputs: that is said, and the files are shown.
    let run = place.run("bst-diff", &[&key(1).to_string(), &key(2).to_string()], "").exits(0);
    assert!(run.out == expected && run.err.contains("does not know"), "{}", run.err);
    let tree = |byte: u8| {
        let run = place.run("bst-cat", &[&key(byte).to_string()], "").exits(0);
        run.out.lines().find_map(|line| line.strip_suffix(" files").map(str::to_owned)).expect("files")
    };
    assert_eq!(diff(&place, &[&tree(1), &tree(2)]), expected);
    assert_eq!(diff(&place, &[&tree(1), &tree(1)]), "");
    place.run("bst-diff", &["--inputs", &key(1).to_string(), &key(2).to_string()], "").exits(1);
    place.run("bst-diff", &[&key(1).to_string(), &key(9).to_string()], "").exits(1);
    place.run("bst-diff", &["--tree=buildroot", "--files", &key(1).to_string(), &key(2).to_string()], "").exits(1);
}

#[test]
fn a_failure_is_compared_with_the_last_success() {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    place.write("1/file", "1");
    place.write("2/file", "22");
    let (one, two) = (place.path("1"), place.path("2"));
    let success = |strong, age, files| Build {
        element: "a.bst",
        strong,
        weak: strong,
        age,
        files: Some(files),
        ..Build::default()
    };
    stock.commit(&success(1, 500, &two));
    stock.commit(&success(2, 100, &one));
    stock.commit(&Build { class: Some(FailureClass::Command), ..success(3, 10, &two) });
    ask(&place, &image("a.bst", 2, &[]));
    let mut changed = image("a.bst", 3, &[]);
    changed["build"]["variables"]["opt"] = "broken".into();
    ask(&place, &changed);
    let run = place.run("bst-diff", &[&key(3).to_string()], "").exits(0);
    assert_eq!(run.out, "a.bst: variables.opt: \"one\" -> \"broken\"\nM file (1 -> 2 bytes)\n");
    assert!(run.err.contains(&name("a.bst", 2).to_string()), "{}", run.err);
}
