//! The reference of records: page, schema and what the programs emit.

use crate::page::{self, Page, root};
use serde_json::Value;
use std::collections::BTreeSet;

/// The schema, which the types make (`lib/values/schema.rs`).
pub fn schema() -> Value {
    let text = std::fs::read_to_string(root().join("man/bst-record.schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
}

/// The lists of the page and the definitions of the schema that they describe. What is not here is described in
/// the text of the entry that leads to it.
const LISTS: [(&str, &str); 18] = [
    ("depends", "Dependency"),
    ("stage", "Staged"),
    ("sources", "Source"),
    ("sources origin", "Origin"),
    ("build", "Build"),
    ("build sandbox", "Sandbox"),
    ("commands", "Commands"),
    ("selection", "Split"),
    ("cache", "Cache"),
    ("result", "BuildResult"),
    ("work", "Work"),
    ("artifact", "ArtifactField"),
    ("schedule", "Schedule"),
    ("schedule decisions", "Decision"),
    ("policy", "PolicyField"),
    ("track", "Tracked"),
    ("pull and push", "Transfer"),
    ("error", "ErrorRecord"),
];

/// Described in the text of other entries.
const IN_TEXT: [&str; 13] = [
    "Blocker",
    "CheckForbidden",
    "CollectIntegration",
    "CollectManifest",
    "Command",
    "FlatpakImage",
    "Layout",
    "RemoteApisSocket",
    "SandboxState",
    "ServerTransfer",
    "SnapImage",
    "Spdx",
    "TarElement",
];

fn names(properties: &Value) -> BTreeSet<&str> {
    properties.as_object().expect("properties").keys().map(String::as_str).collect()
}

fn tags(page: &Page, title: &str) -> Vec<String> {
    page.entries(title).into_iter().map(|(tag, _)| tag).collect()
}

#[test]
fn the_page_lists_what_the_schema_lists() {
    let schema = schema();
    let page = page::find("bst-record.5").expect("bst-record.5");
    let mut lists = vec![("record", names(&schema["properties"]))];
    lists.extend(LISTS.iter().map(|(title, name)| (*title, names(&schema["$defs"][name]["properties"]))));
    for (title, expected) in lists {
        let found = tags(&page, title);
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected, "the list \"{title}\" of bst-record.5 (left) and the schema (right)");
    }
}

#[test]
fn what_the_page_tells_in_its_text_is_complete_too() {
    let schema = schema();
    let page = page::find("bst-record.5").expect("bst-record.5");
    let text = page.text.replace("\\-", "-");
    let definitions = schema["$defs"].as_object().expect("definitions");
    for (name, definition) in definitions {
        let listed = LISTS.iter().any(|(_, listed)| listed == name);
        if let Some(properties) = definition.get("properties").filter(|_| !listed) {
            assert!(IN_TEXT.contains(&name.as_str()), "bst-record.5 has no list for {name}");
            for property in names(properties) {
                assert!(text.contains(&format!("\\fB{property}\\fR")), "bst-record.5: no word on {property} of {name}");
            }
        }
        for word in words(definition) {
            let marked = [format!("\\fB{word}\\fR"), format!("\n.B {word}\n")];
            assert!(marked.iter().any(|marked| text.contains(marked)), "bst-record.5: no word on \"{word}\" of {name}");
        }
    }
}

/// The words of an enumeration.
fn words(definition: &Value) -> Vec<String> {
    let choices = definition.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let constants = choices.iter().flat_map(|choice| [choice.get("const"), choice.pointer("/properties/type/const")]);
    let listed = definition.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
    let nested =
        choices.iter().flat_map(|choice| choice.get("enum").and_then(Value::as_array).cloned().unwrap_or_default());
    let all = constants.flatten().cloned().chain(listed).chain(nested);
    all.filter_map(|word| word.as_str().map(str::to_owned)).collect()
}
