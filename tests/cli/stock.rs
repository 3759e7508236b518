//! Artifacts for tests, stored as a build would store them.

use bst_plumbing::store::Store;
use bst_plumbing::store::commit::{Committed, Rules};
use bst_plumbing::store::import::Import;
use bst_plumbing::values::name::ArtifactName;
use bst_plumbing::values::result::{BuildResult, FailureClass};
use bst_plumbing::values::{Digest, Key, proto, time::Time};
use std::path::Path;

/// A store that tests fill.
pub struct Stock {
    pub store: Store,
}

/// A build that is committed.
#[derive(Clone, Default)]
pub struct Build<'a> {
    pub element: &'a str,
    pub strong: u8,
    pub weak: u8,
    pub class: Option<FailureClass>,
    pub files: Option<&'a Path>,
    pub host: &'a str,
    pub log: &'a str,
    /// How long ago, in seconds.
    pub age: u64,
    /// Runtime and build dependencies: project, element, strong key.
    pub needs: Vec<(&'a str, u8)>,
    pub replace: bool,
}

/// A key that repeats a byte.
pub fn key(byte: u8) -> Key {
    Key::new([byte; 32])
}

/// The name of an element of project `p` under a key that repeats a byte.
pub fn name(element: &str, byte: u8) -> ArtifactName {
    ArtifactName::new("p", element, key(byte)).expect("a name")
}

impl Stock {
    pub fn new(root: &Path) -> Stock {
        Stock { store: Store::new(root) }
    }

    /// Stores bytes.
    pub fn blob(&self, bytes: &[u8]) -> Digest {
        self.store.cas().put(bytes).expect("a blob")
    }

    /// Commits a build.
    pub fn commit(&self, build: &Build) -> Committed {
        let finished = Time::from_seconds(Time::now().seconds() - build.age);
        let result = BuildResult {
            success: build.class.is_none(),
            class: build.class,
            retryable: build.class.map(FailureClass::retryable),
            description: if build.class.is_none() { "succeeded".into() } else { "Command failed".into() },
            host: Some(build.host.to_owned()),
            builder: Some("bst-build 0.1.0".into()),
            finished: Some(finished),
            log: Some(self.blob(build.log.as_bytes())),
            ..BuildResult::default()
        };
        let artifact = self.artifact(build, &result);
        let commit = self.store.commit(&name(build.element, build.strong)).expect("a commit");
        let result = BuildResult { attempt: Some(commit.attempt()), ..result };
        let rules = Rules { replace: build.replace, ..Rules::default() };
        commit.finish(build.element, &artifact, &result, rules).expect("committed")
    }

    /// The message of a build's artifact, all of whose blobs are stored.
    pub fn artifact(&self, build: &Build, result: &BuildResult) -> proto::Artifact {
        let blob = |bytes: &[u8]| Some(self.blob(bytes).to_proto());
        let files = match build.files {
            Some(path) => Some(self.store.cas().import_tree(path, Import::default()).expect("a tree").to_proto()),
            None => build.class.is_none().then(|| self.blob(b"").to_proto()),
        };
        let dependency = |(element, strong): &(&str, u8)| proto::ArtifactDependency {
            project_name: "p".into(),
            element_name: (*element).into(),
            cache_key: key(*strong).to_string(),
            was_workspaced: false,
        };
        proto::Artifact {
            version: 2,
            build_success: result.success,
            build_error: result.description.clone(),
            strong_key: key(build.strong).to_string(),
            strict_key: key(build.strong).to_string(),
            weak_key: key(build.weak).to_string(),
            files,
            build_deps: build.needs.iter().map(dependency).collect(),
            public_data: blob(b"bst: {}\n"),
            low_diversity_meta: blob(b"environment: {}\n"),
            high_diversity_meta: blob(b"variables: {}\n"),
            logs: vec![proto::LogFile { name: "log".into(), digest: blob(build.log.as_bytes()) }],
            ..proto::Artifact::default()
        }
    }
}

/// A record that asks for a key.
pub fn record(element: &str, strong: u8, weak: u8) -> String {
    format!(
        "{{\"v\":1,\"project\":\"p\",\"element\":\"{element}\",\"key\":\"{}\",\"weak_key\":\"{}\"}}\n",
        key(strong),
        key(weak)
    )
}
