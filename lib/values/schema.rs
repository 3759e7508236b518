//! The JSON Schema of records, `man/bst-record.schema.json`, is made from the types by the test below:
//! `BLESS=1 cargo test --lib schema` writes it anew.

use super::error::ErrorRecord;
use super::name::ArtifactName;
use super::record::{ArtifactField, Build, Cache, Dependency, PolicyField, Schedule, Source, Staged, Tracked, Work};
use super::result::BuildResult;
use super::time::Time;
use super::transfer::Transfer;
use super::{Digest, Key};
use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema, transform::RecursiveTransform,
};
use serde_json::Value;
use std::borrow::Cow;

/// A record of bst-plumbing, which is one line of JSON. Fields that are not known here are passed on.
#[derive(JsonSchema)]
#[schemars(title = "bst-record")]
#[allow(dead_code)]
struct Record {
    /// What the store holds.
    artifact: Option<ArtifactField>,
    /// All that building needs.
    build: Option<Build>,
    /// What the store has for the key.
    cache: Option<Cache>,
    /// Direct dependencies, in staging order.
    depends: Option<Vec<Dependency>>,
    /// The full name, with the junctions before it: `junction.bst:element.bst`. `*` in the record of a project that
    /// cannot be loaded.
    element: Option<String>,
    /// Why a program could not treat this record.
    error: Option<ErrorRecord>,
    /// The strict cache key. Absent where a source has no ref, or with `error`.
    key: Option<Key>,
    /// The kind of the element.
    kind: Option<String>,
    /// What holds for this record instead of what the command line says. Only users write it.
    policy: Option<PolicyField>,
    /// The name of the element's project.
    project: Option<String>,
    /// What bst-pull did.
    pull: Option<Transfer>,
    /// What bst-push did.
    push: Option<Transfer>,
    /// One build: the same as in the store's metadata file.
    result: Option<BuildResult>,
    /// What bst-schedule did.
    schedule: Option<Schedule>,
    /// What fetching and staging the sources needs, in staging order.
    sources: Option<Vec<Source>>,
    /// Everything that the build stages, in staging order. Only targets carry it, and what bst-schedule hands out.
    stage: Option<Vec<Staged>>,
    /// What refs the sources should have now.
    track: Option<Vec<Tracked>>,
    /// The version of the record format. It changes only when something is removed.
    v: Option<u32>,
    /// The weak cache key.
    weak_key: Option<Key>,
    /// What a build left to be committed.
    work: Option<Work>,
}

fn text(pattern: &str, description: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern, "description": description })
}

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text("^[0-9a-f]{64}/[0-9]+$", "SHA-256 and size of a blob: `<sha256>/<size>`.")
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text("^[0-9a-f]{64}$", "A cache key.")
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", "A second of UTC.")
    }
}

impl JsonSchema for ArtifactName {
    fn schema_name() -> Cow<'static, str> {
        "ArtifactName".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text("^[^/]+/[^/]+/[0-9a-f]{64}$", "`PROJECT/ELEMENT/KEY`.")
    }
}

/// Absent means not known: null is never written, so it is no value either. Numbers keep to JSON's own types.
fn simplify(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("format");
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
    object.retain(|name, value| !(name == "default" && value.is_null()));
    if let Some(Value::String(description)) = object.get_mut("description") {
        *description = description.replace("\n\n", "\u{0}").replace('\n', " ").replace('\u{0}', "\n\n");
    }
}

#[test]
fn the_schema_is_that_of_the_types() {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(simplify));
    let schema = settings.into_generator().into_root_schema_for::<Record>();
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("man/bst-record.schema.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).expect("the schema");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == written, "{} is not that of the types: BLESS=1 cargo test --lib schema", path.display());
}
