use super::*;
use crate::values::record::{Commands, Instructions, Sandbox};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The example of spec: keys 5, whose keys BuildStream gave.
fn split_rules() -> Value {
    json!({
        "debug": ["/usr/lib/debug", "/usr/lib/debug/**"],
        "devel": ["/usr/include", "/usr/include/**", "/usr/lib/lib*.a", "/usr/lib/lib*.la",
            "/usr/lib/pkgconfig/*.pc", "/usr/share/pkgconfig/*.pc", "/usr/share/aclocal/*.m4"],
        "doc": ["/usr/share/doc", "/usr/share/doc/**", "/usr/share/info", "/usr/share/info/**", "/usr/share/man",
            "/usr/share/man/**"],
        "locale": ["/usr/share/locale", "/usr/share/locale/**", "/usr/share/i18n", "/usr/share/i18n/**",
            "/usr/share/zoneinfo", "/usr/share/zoneinfo/**"],
        "runtime": ["/usr/bin", "/usr/bin/*", "/usr/sbin", "/usr/sbin/*", "/usr/libexec", "/usr/libexec/*",
            "/usr/lib/lib*.so*"],
    })
}

fn build(element: &str, plugin_key: Value) -> Build {
    Build {
        build_root: format!("/buildstream/worked/{element}"),
        environment: BTreeMap::new(),
        environment_nocache: Vec::new(),
        environment_order: Vec::new(),
        fatal_warnings: Vec::new(),
        instructions: Instructions::Stack,
        plugin_key,
        plugin_version: 0,
        public: json!({"bst": {"split-rules": split_rules()}}),
        runs_commands: false,
        sandbox: Sandbox { build_arch: "x86-64".into(), build_os: "linux".into(), ..Sandbox::default() },
        strict_rebuild: false,
        variables: BTreeMap::new(),
        workspaced: false,
    }
}

fn lib() -> Build {
    let mut lib = build(
        "lib.bst",
        json!({"build-commands": ["echo \"wörld\" > /out"], "configure-commands": [], "install-commands": [],
            "strip-commands": [""]}),
    );
    lib.instructions = Instructions::Commands(Commands::default());
    lib.runs_commands = true;
    lib.environment_nocache = vec!["JOBS".into()];
    for (name, value) in [
        ("HOME", "/tmp"),
        ("JOBS", "8"),
        ("LC_ALL", "C"),
        ("LOGNAME", "tomjon"),
        ("PATH", "/usr/bin:/bin:/usr/sbin:/sbin"),
        ("SHELL", "/bin/sh"),
        ("SOURCE_DATE_EPOCH", "1321009871"),
        ("TERM", "dumb"),
        ("TZ", "UTC"),
        ("USER", "tomjon"),
        ("USERNAME", "tomjon"),
    ] {
        lib.environment.insert(name.into(), value.into());
    }
    lib
}

fn edge(index: u32, when: DependencyType) -> Edge {
    Edge { index, when, strict: false }
}

struct Worked {
    builds: [Build; 3],
    sources: [Source; 1],
}

impl Worked {
    fn new() -> Worked {
        let mut app = build("app.bst", json!(1));
        app.public["bst"]["integration-commands"] = json!(["ldconfig"]);
        let local = Source {
            kind: "local".into(),
            unique: Some(json!("106b6bf6e953adcfda77f9ac275b7780added4fbe2f56b7558141a6af42c5f82")),
            ..Source::default()
        };
        Worked { builds: [build("base.bst", json!({"source": "/", "target": "/"})), lib(), app], sources: [local] }
    }

    fn nodes(&self) -> Vec<Node<'_>> {
        use DependencyType::{All, Build};
        let subject = |element, kind, number: usize, sources| {
            Some(Subject { project: "worked", element, kind, build: &self.builds[number], sources })
        };
        vec![
            Node { subject: subject("base.bst", "import", 0, &self.sources[..]), depends: vec![] },
            Node { subject: subject("lib.bst", "manual", 1, &[]), depends: vec![edge(0, Build)] },
            Node { subject: subject("app.bst", "stack", 2, &[]), depends: vec![edge(0, All), edge(1, All)] },
        ]
    }
}

fn text(key: Option<Key>) -> String {
    key.map(|key| key.to_string()).unwrap_or_default()
}

#[test]
fn the_worked_example_has_buildstreams_keys() {
    let worked = Worked::new();
    let keys = keys(&worked.nodes(), 1);
    let expected = [
        (
            "633cd4ae8aeb23092f6507ba555d7e3b7f6f6461f0405ff632148242e059aaa9",
            "0de5f9d99f995eea198694613cb80f54e55526d7f17764828351f402a7cf679c",
        ),
        (
            "69e7e625f183cd64b87c2df201bfbdc3f5b5e3ff182cafa7e597996ce36417fe",
            "2f4cadabcf6043379304ef3850c2e41f9cdb7149edfef629e95ecc1823fcc085",
        ),
        (
            "e701613f8a5558355e35123f42cf6a7973c8ce3117ec31b6cb92c3659087279d",
            "77816290934ce824557d302af3f2acb6f246c39c9348ce3b8972091f190a1ed4",
        ),
    ];
    for (keys, (weak, strict)) in keys.iter().zip(expected) {
        assert_eq!((text(keys.weak).as_str(), text(keys.strict).as_str()), (weak, strict));
    }
    assert_eq!(text(sources_key(&worked.sources)), "426cb7ad99e67e30834f1846d88b4737f8d88cb1dc1ca7a81b0e7f50ededf3c9");
}

#[test]
fn what_is_explained_is_what_was_hashed() {
    let worked = Worked::new();
    let mut nodes = worked.nodes();
    nodes[2].depends[0].strict = true;
    let keys = keys(&nodes, 1);
    for index in 0..3 {
        for (which, key) in [(Which::Weak, keys[index].weak), (Which::Strict, keys[index].strict)] {
            let explained = explain(&nodes, index, which, &keys).expect("a text");
            assert_eq!(Some(Key::new(Sha256::digest(&explained).into())), key, "{index} {which:?}");
        }
    }
}

#[test]
fn without_a_ref_there_is_no_key_but_a_weak_one_above() {
    let mut worked = Worked::new();
    worked.sources[0].unique = None;
    let mut nodes = worked.nodes();
    let keys_of = |nodes: &[Node]| keys(nodes, 1);
    assert_eq!(keys_of(&nodes)[0], Keys::default());
    assert!(keys_of(&nodes)[1].weak.is_some() && keys_of(&nodes)[1].strict.is_none());
    nodes[1].depends[0].strict = true;
    assert_eq!(keys_of(&nodes)[1], Keys::default());
}

#[test]
fn in_non_strict_mode_what_is_cached_stands_for_what_is_below() {
    let worked = Worked::new();
    let nodes = worked.nodes();
    let keys = keys(&nodes, 1);
    let strict: Vec<Option<Key>> = keys.iter().map(|keys| keys.strict).collect();
    assert_eq!(strong_keys(&nodes, &keys, |_| None), strict);
    let old = Key::new([7; 32]);
    let strong = strong_keys(&nodes, &keys, |index| (index == 0).then_some(old));
    assert_eq!(strong[0], Some(old));
    assert!(strong[1] != strict[1] && strong[1].is_some());
}

/// A graph without order or reason, the same each time.
fn random_graph(worked: &Worked, count: u32) -> Vec<Node<'_>> {
    let mut seed = 12345u32;
    let mut random = move |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    let mut nodes = Vec::new();
    for index in 0..count {
        let mut depends: Vec<Edge> = Vec::new();
        for _ in 0..random(6).min(index) {
            let when = [DependencyType::Build, DependencyType::Runtime, DependencyType::All][random(3) as usize];
            // Mostly the same few first, so that starts are shared.
            let index = if random(2) == 0 { random(index.min(5)) } else { random(index) };
            if !depends.iter().any(|edge| edge.index == index) {
                depends.push(Edge { index, when, strict: when.builds() && random(5) == 0 });
            }
        }
        depends.sort_by_key(|edge| edge.index);
        let build = &worked.builds[random(3) as usize];
        let subject = Subject { project: "worked", element: "x.bst", kind: "manual", build, sources: &[] };
        nodes.push(Node { subject: Some(subject), depends });
    }
    nodes
}

#[test]
fn shared_starts_and_threads_change_no_key() {
    let mut worked = Worked::new();
    worked.builds[2].strict_rebuild = true;
    let nodes = random_graph(&worked, 400);
    let one = keys(&nodes, 1);
    assert_eq!(keys(&nodes, 4), one);
    for index in 0..nodes.len() {
        for (which, key) in [(Which::Weak, one[index].weak), (Which::Strict, one[index].strict)] {
            let explained = explain(&nodes, index, which, &one).expect("a text");
            assert_eq!(Some(Key::new(Sha256::digest(&explained).into())), key, "{index} {which:?}");
        }
    }
}
