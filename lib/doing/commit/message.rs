//! The Artifact message and the YAML blobs that it names (spec: artifacts 2).

use super::trees::Stored;
use crate::store::{Store, metadata};
use crate::values::name::local_name;
use crate::values::record::{Build, Staged, Work};
use crate::values::result::BuildResult;
use crate::values::{Digest, Error, Key, Result, name::ArtifactName, proto, yaml};
use serde_json::{Value, json};

/// BuildStream's number for artifacts of its version 2.
const VERSION: i32 = 2;

/// The message with what is known before anything was built: keys and dependencies.
pub fn basic(stage: &[Staged], key: Key, weak: Key, store: &Store) -> Result<proto::Artifact> {
    let dependency = |staged: &Staged| -> Result<proto::ArtifactDependency> {
        let name = ArtifactName::new(&staged.project, &staged.element, staged.key)?;
        let there = store.artifacts().read(&name).ok().flatten();
        Ok(proto::ArtifactDependency {
            project_name: staged.project.clone(),
            element_name: local_name(&staged.element).to_owned(),
            cache_key: there.as_ref().map_or_else(|| staged.key.to_string(), |there| there.strong_key.clone()),
            was_workspaced: there.is_some_and(|there| there.was_workspaced),
        })
    };
    Ok(proto::Artifact {
        version: VERSION,
        strong_key: key.to_string(),
        strict_key: key.to_string(),
        weak_key: weak.to_string(),
        build_deps: stage.iter().map(dependency).collect::<Result<_>>()?,
        ..proto::Artifact::default()
    })
}

/// The outcome in BuildStream's words.
pub fn add_result(message: &mut proto::Artifact, result: &BuildResult) {
    message.build_success = result.success;
    message.build_error = match result.success {
        true => "succeeded".to_owned(),
        false => result.description.clone(),
    };
    message.build_error_details = result.detail.clone().unwrap_or_default();
}

/// The trees, and the state of the sandbox that a shell in the build root needs.
pub fn add_trees(message: &mut proto::Artifact, stored: &Stored, work: &Work, all: bool) {
    let to_proto = |digest: &Option<Digest>| digest.map(Digest::to_proto);
    message.files = to_proto(&stored.files);
    message.buildtree = to_proto(&stored.buildtree);
    message.buildroot = to_proto(&stored.buildroot);
    message.sources = to_proto(&stored.sources);
    if !all || stored.buildroot.is_none() {
        return;
    }
    let state = work.sandbox.clone().unwrap_or_default();
    message.buildsandbox = Some(proto::SandboxState {
        environment: state
            .environment
            .into_iter()
            .map(|(name, value)| proto::EnvironmentVariable { name, value })
            .collect(),
        working_directory: if state.cwd.is_empty() { "/".to_owned() } else { state.cwd },
        subsandbox_digests: state.subsandboxes.into_iter().map(Digest::to_proto).collect(),
        marked_directories: state.writable,
    });
}

/// The YAML blobs. The result travels in the one that differs for each element anyway.
pub fn add_metadata(
    message: &mut proto::Artifact,
    build: Option<&Build>,
    work: &Work,
    result: &BuildResult,
    store: &Store,
) -> Result<()> {
    let batch = store.cas().batch()?;
    let failed = |error| Error::malformed(format!("the record's \"build\" cannot be written: {error}"));
    let put = |text: String| batch.put(text.as_bytes()).map(|digest| Some(digest.to_proto()));
    let public = work.public.clone().or_else(|| build.map(|build| build.public.clone()));
    // Digests of trees that were staged apart are in the environment of the sandbox only.
    let of_sandbox =
        work.sandbox.as_ref().map(|state| &state.environment).filter(|environment| !environment.is_empty());
    let environment = of_sandbox.or(build.map(|build| &build.environment));
    let environment = environment.map_or_else(|| json!({}), |environment| json!(environment));
    let sandbox = build.map(|build| serde_json::to_value(&build.sandbox)).transpose().map_err(failed)?;
    let variables = build.map(|build| json!(build.variables)).unwrap_or_else(|| json!({}));
    message.public_data = put(yaml::emit(&public.filter(Value::is_object).unwrap_or_else(|| json!({}))))?;
    let sandbox = sandbox.unwrap_or_else(|| json!({}));
    message.low_diversity_meta = put(yaml::emit(&json!({"environment": environment, "sandbox-config": sandbox})))?;
    let variables = yaml::emit(&json!({"variables": variables}));
    message.high_diversity_meta = put(variables + &metadata::result_line(result)?)?;
    batch.finish()
}
