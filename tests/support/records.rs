//! Records made by hand, for tests of what comes after bst-key.

use super::{Place, Run};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A project of records, in the order in which they were made.
#[derive(Default)]
pub struct Records {
    records: BTreeMap<String, Value>,
}

/// A key for a name: tests only need different ones.
pub fn key(text: &str) -> String {
    bst_plumbing::values::Digest::of(text.as_bytes()).hex()
}

impl Records {
    /// A project with `base.bst`, which has a shell and the tools of busybox.
    pub fn new(place: &Place) -> Records {
        let tools = ["sh", "ls", "cat", "echo", "mkdir", "cp", "mv", "rm", "id", "touch", "env", "stat", "ln", "sleep"];
        let more = ["hostname", "grep", "head", "dd", "chmod", "mount", "kill", "ps", "seq", "tr", "test", "mknod"];
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| std::fs::metadata(path).is_ok());
        let busybox = busybox.expect("busybox, which the tests need: apt-get install busybox-static");
        let bytes = std::fs::read(busybox).expect("busybox");
        place.write("project/base/bin/busybox", bytes);
        use std::os::unix::fs::PermissionsExt;
        let bin = place.path("project/base/bin");
        std::fs::set_permissions(bin.join("busybox"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
        for tool in tools.into_iter().chain(more) {
            std::os::unix::fs::symlink("busybox", bin.join(tool)).expect("a link");
        }
        let mut records = Records::default();
        records.import(place, "base.bst", "project/base", &[]);
        records
    }

    /// Adds an element that imports a directory of the place.
    pub fn import(&mut self, place: &Place, element: &str, path: &str, depends: &[&str]) -> &mut Value {
        let instructions = json!({"type": "import", "source": "/", "target": "/"});
        let source = local(place, path);
        let record = self.add(element, instructions, depends);
        record["sources"] = json!([source]);
        record
    }

    /// Adds an element with commands, each with its phase, as the build kinds have them.
    pub fn manual(&mut self, element: &str, commands: &[(&str, &str)], depends: &[&str]) -> &mut Value {
        let root = format!("/buildstream/test/{element}");
        let commands: Vec<Value> =
            commands.iter().map(|(phase, command)| json!({"command": command, "phase": phase})).collect();
        let instructions = json!({
            "type": "commands",
            "collect": "/buildstream-install",
            "commands": commands,
            "cwd": root,
            "root_read_only": true,
            "sources": root,
            "writable": [root, "/buildstream-install"],
        });
        self.add(element, instructions, depends)
    }

    /// Adds a script.
    pub fn script(&mut self, element: &str, commands: &[&str], depends: &[&str]) -> &mut Value {
        let commands: Vec<Value> =
            commands.iter().map(|command| json!({"command": command, "phase": "commands"})).collect();
        let instructions = json!({
            "type": "commands",
            "collect": "/buildstream-install",
            "collect_on_failure": true,
            "commands": commands,
            "cwd": "/",
            "writable": ["/buildstream-install"],
        });
        self.add(element, instructions, depends)
    }

    /// Adds an element; it depends on others for building and running.
    pub fn add(&mut self, element: &str, instructions: Value, depends: &[&str]) -> &mut Value {
        let depends: Vec<Value> = depends
            .iter()
            .map(|name| json!({"project": "test", "element": name, "key": key(name), "type": "all"}))
            .collect();
        let record = json!({
            "v": 1,
            "project": "test",
            "element": element,
            "kind": instructions["type"],
            "key": key(element),
            "weak_key": key(&format!("weak {element}")),
            "depends": depends,
            "sources": [],
            "build": {
                "build_root": format!("/buildstream/test/{element}"),
                "environment": {"HOME": "/tmp", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
                "instructions": instructions,
                "plugin_key": {},
                "public": {"bst": {}},
                "sandbox": {"build-arch": "x86-64", "build-os": "linux"},
                "variables": {"install-root": "/buildstream-install"},
            },
        });
        self.records.insert(element.to_owned(), record);
        self.records.get_mut(element).expect("just added")
    }

    /// The record of an element with all that its build stages.
    pub fn record(&self, element: &str) -> Value {
        let mut record = self.records[element].clone();
        let mut order = Vec::new();
        for name in dependencies(&record) {
            self.visit(&name, &mut order);
        }
        let staged = order.iter().map(|name| {
            let runtime = dependencies(&self.records[name]);
            let position = |wanted: &String| order.iter().position(|name| name == wanted);
            let runtime: Vec<usize> = runtime.iter().filter_map(position).collect();
            json!({"project": "test", "element": name, "key": key(name), "runtime": runtime})
        });
        record["stage"] = staged.collect();
        record
    }

    fn visit(&self, element: &str, order: &mut Vec<String>) {
        if order.iter().any(|name| name == element) {
            return;
        }
        for name in dependencies(&self.records[element]) {
            self.visit(&name, order);
        }
        order.push(element.to_owned());
    }

    /// Builds and commits one element; what came out.
    pub fn build(&self, place: &Place, element: &str) -> Value {
        self.build_with(place, element, &[], &[])
    }

    /// The same with options for both programs.
    pub fn build_with(&self, place: &Place, element: &str, build: &[&str], commit: &[&str]) -> Value {
        let built = place.run("bst-build", build, &format!("{}\n", self.record(element)));
        assert!(built.err.is_empty(), "{}", built.err);
        let mut committed = place.run("bst-commit-artifact", commit, &built.out).exits(0).records();
        assert_eq!(committed.len(), 1);
        let record = committed.remove(0);
        assert!(record.get("work").is_none() && record.get("error").is_none(), "{record}");
        record
    }

    /// Runs bst-build alone.
    pub fn run(&self, place: &Place, element: &str, options: &[&str]) -> Run {
        place.run("bst-build", options, &format!("{}\n", self.record(element)))
    }
}

/// A source that is a directory of the place.
pub fn local(place: &Place, path: &str) -> Value {
    json!({
        "kind": "local",
        "base": place.path(""),
        "config": {"path": path},
        "unique": key(&format!("{}{path}", place.path("").display())),
    })
}

/// A blob of the store as text.
pub fn blob(place: &Place, digest: &Value) -> String {
    let digest = digest.as_str().expect("a digest");
    place.run("bst-cat", &[digest], "").exits(0).out
}

fn dependencies(record: &Value) -> Vec<String> {
    let list = record["depends"].as_array().expect("a list").iter();
    list.map(|item| item["element"].as_str().expect("a name").to_owned()).collect()
}
