//! Changes values in a YAML file and leaves every other byte as it is: comments, layout, line ends.

mod outline;
mod render;

use crate::values::{Error, Result};
use outline::{Kind, Node};
use serde_json::Value;

/// Keys of a mapping, and what they shall be.
pub type Values<'a> = [(&'a str, Value)];

/// Sets values of the mapping that starts at a place. What is there already is replaced where it stands;
/// what is new comes after the mapping's last entry.
pub fn set_at(text: &str, line: u32, column: u32, values: &Values) -> Result<String> {
    let root = outline::parse(text)?;
    let place = (line as usize, column as usize);
    let found = root.as_ref().and_then(|root| root.mapping_at(place)).map(|node| node.start);
    let start = found.ok_or_else(|| Error::usage(format!("no mapping starts at line {line}, column {column}")))?;
    let mut text = text.to_owned();
    for (key, value) in values {
        let root = outline::parse(&text)?;
        let mapping = root.as_ref().and_then(|root| root.mapping_from(start));
        let mapping =
            mapping.ok_or_else(|| Error::usage(format!("the mapping at line {line} cannot be written to")))?;
        text = set(&text, mapping, key, value);
    }
    Ok(text)
}

/// Sets values of a source in the text of a project.refs, which may be empty.
pub fn set_refs(text: &str, project: &str, element: &str, index: usize, values: &Values) -> Result<String> {
    let mut text = text.to_owned();
    for (key, value) in values {
        text = set_ref(&text, project, element, index, key, value)?;
    }
    Ok(text)
}

fn set_ref(text: &str, project: &str, element: &str, index: usize, key: &str, value: &Value) -> Result<String> {
    let entry = serde_json::json!({ key: value });
    let mut list = vec![serde_json::json!({}); index];
    list.push(entry.clone());
    let Some(root) = outline::parse(text)? else {
        let document = serde_json::json!({"projects": {project: {element: list}}});
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { newline(text) };
        return Ok(format!("{text}{end}{}{}", render::block(&document, 0, newline(text)), newline(text)));
    };
    let steps =
        [("projects", serde_json::json!({project: {element: list}})), (project, serde_json::json!({element: list}))];
    let mut node = &root;
    for (name, otherwise) in &steps {
        match node.entry(name) {
            Some(below) if below.is_mapping() => node = below,
            _ => return Ok(set(text, node, name, otherwise)),
        }
    }
    let Some(sources) = node.entry(element) else { return Ok(set(text, node, element, &Value::Array(list))) };
    match &sources.kind {
        Kind::Sequence { items } => match items.get(index) {
            Some(item) if item.is_mapping() => Ok(set(text, item, key, value)),
            Some(item) => Ok(splice(text, item, &render::flow(&entry), false)),
            None => Ok(append(text, sources, &list[items.len()..])),
        },
        _ => Ok(set(text, node, element, &Value::Array(list))),
    }
}

/// Sets an entry of a mapping.
fn set(text: &str, mapping: &Node, key: &str, value: &Value) -> String {
    if let Some(old) = mapping.entry(key) {
        if mapping.is_flow || old.is_flow {
            return splice(text, old, &render::flow(value), false);
        }
        if old.is_collection() && render::is_block(value) {
            // In the place and with the indentation of the old one.
            return splice(text, old, &render::block(value, old.column, newline(text)), true);
        }
        if let (Kind::Scalar { is_block: true, .. }, Value::String(new)) = (&old.kind, value) {
            // Between the lines of a block of text.
            let between = format!("{}{}", newline(text), " ".repeat(old.column));
            return splice(text, old, &new.lines().collect::<Vec<_>>().join(&between), true);
        }
        return splice(text, old, &after_colon(text, mapping, old, value), false);
    }
    let end = mapping.last_end();
    let (before, after) = split(text, end);
    if mapping.is_flow {
        let comma = if mapping.is_empty() { "" } else { ", " };
        return format!("{before}{comma}{}: {}{after}", render::scalar(key), render::flow(value));
    }
    let line = format!(
        "{}{}:{}",
        " ".repeat(mapping.column),
        render::scalar(key),
        render::value(value, mapping.column, newline(text))
    );
    format!("{before}{}{line}{after}", newline(text))
}

/// What takes the place of a value that is a scalar, or becomes one.
fn after_colon(text: &str, mapping: &Node, old: &Node, value: &Value) -> String {
    let (before, _) = split(text, old.start);
    let new = render::value(value, mapping.column, newline(text));
    if let (Some(word), Some(quote)) = (new.strip_prefix(' '), old.quote()) {
        if !word.starts_with('"') && !word.contains(quote) {
            return format!("{quote}{word}{quote}");
        }
    }
    match new.strip_prefix(' ') {
        Some(word) if !before.ends_with(':') => word.to_owned(),
        Some(_) => new,
        // A block begins on its own line, whatever stood before it.
        None => new,
    }
}

/// Puts items behind the last one of a sequence.
fn append(text: &str, sequence: &Node, items: &[Value]) -> String {
    let (before, after) = split(text, sequence.last_end());
    if sequence.is_flow {
        let words: Vec<String> = items.iter().map(render::flow).collect();
        let comma = if sequence.is_empty() { "" } else { ", " };
        return format!("{before}{comma}{}{after}", words.join(", "));
    }
    let block = render::block(&Value::Array(items.to_vec()), sequence.column, newline(text));
    format!("{before}{}{}{block}{after}", newline(text), " ".repeat(sequence.column))
}

/// Puts `new` in the place of a node; `in_block`: it begins where a block began.
fn splice(text: &str, node: &Node, new: &str, in_block: bool) -> String {
    let (before, rest) = split(text, node.start);
    let (_, after) = split(rest, node.end() - node.start);
    if new.starts_with(['\n', '\r']) {
        // A block value leaves no blanks behind the colon.
        return format!("{}{new}{after}", before.trim_end_matches([' ', '\t']));
    }
    if !in_block && node.is_collection() && !node.is_flow && before.trim_end().ends_with(':') {
        // And what comes in the place of a block stands behind the colon.
        return format!("{} {new}{after}", before.trim_end());
    }
    format!("{before}{new}{after}")
}

/// Splits at a number of characters.
fn split(text: &str, at: usize) -> (&str, &str) {
    let byte = text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    text.split_at(byte)
}

/// How the lines of a file end.
fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str, line: u32, column: u32, key: &str, value: Value) -> String {
        set_at(text, line, column, &[(key, value)]).unwrap()
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let text = "kind: import # a\n\nsources:\n# two\n- kind: tar\n  ref:   old   # why\n  url: 'x'\n- kind: tar\n  ref: \"other\"\n\n\n";
        let new = at(text, 5, 2, "ref", json!("new"));
        assert_eq!(new, text.replace("old", "new"));
        let new = at(text, 8, 2, "ref", json!("new"));
        assert_eq!(new, text.replace("\"other\"", "\"new\""));
        assert!(set_at(text, 2, 2, &[("ref", json!("x"))]).is_err());
    }

    #[test]
    fn a_new_value_comes_last() {
        let text = "sources:\n- kind: git\n  url: a:b   # end\n\n# next\n- {kind: tar, url: x}\n- kind: z\n";
        let new = at(text, 2, 2, "ref", json!("v1: x"));
        assert_eq!(new, text.replace("a:b   # end", "a:b\n  ref: \"v1: x\"   # end"));
        assert_eq!(at(text, 6, 2, "ref", json!("r")), text.replace("url: x}", "url: x, ref: r}"));
        assert_eq!(at(text, 7, 2, "ref", json!("r")), text.to_string().replace("kind: z\n", "kind: z\n  ref: r\n"));
        assert_eq!(at("- kind: z", 1, 2, "ref", json!("r")), "- kind: z\n  ref: r");
        assert_eq!(at("- kind: z\r\n", 1, 2, "ref", json!("r")), "- kind: z\r\n  ref: r\r\n");
        assert_eq!(at("a:\n  ref:\n  b: é\n", 2, 2, "ref", json!("r")), "a:\n  ref: r\n  b: é\n");
    }

    #[test]
    fn lists_and_mappings_keep_their_place() {
        let text = "- kind: cargo\n  ref:\n  - name: a\n    version: 1\n  # last\n  url: x\n";
        let crates = json!([{"name": "b", "version": "2"}, {"name": "c", "version": "3"}]);
        let new = at(text, 1, 2, "ref", crates.clone());
        let expected =
            "- kind: cargo\n  ref:\n  - name: b\n    version: 2\n  - name: c\n    version: 3\n  # last\n  url: x\n";
        assert_eq!(new, expected);
        let new = at("- kind: cargo\n  ref: old\n", 1, 2, "ref", crates);
        assert_eq!(new, "- kind: cargo\n  ref:\n  - name: b\n    version: 2\n  - name: c\n    version: 3\n");
        let new = at("- kind: pypi\n", 1, 2, "ref", json!({"sha256sum": "a", "suffix": "b/c"}));
        assert_eq!(new, "- kind: pypi\n  ref:\n    sha256sum: a\n    suffix: b/c\n");
        assert_eq!(at(&new, 1, 2, "ref", json!({"suffix": "d"})), "- kind: pypi\n  ref:\n    suffix: d\n");
        assert_eq!(at(&new, 1, 2, "ref", json!("d")), "- kind: pypi\n  ref: d\n");
        let literal = "- kind: pip\n  ref: |\n    a==1\n    b==2\n\n  url: x\n";
        let new = at(literal, 1, 2, "ref", json!("a==2\nc==3"));
        assert_eq!(new, "- kind: pip\n  ref: |\n    a==2\n    c==3\n\n  url: x\n");
    }

    #[test]
    fn refs_are_added_to_a_file_of_refs() {
        let one = set_refs("", "p", "a.bst", 0, &[("ref", json!("1"))]).unwrap();
        assert_eq!(one, "projects:\n  p:\n    a.bst:\n    - ref: 1\n");
        let two = set_refs(&one, "p", "a.bst", 2, &[("ref", json!("2"))]).unwrap();
        assert_eq!(two, "projects:\n  p:\n    a.bst:\n    - ref: 1\n    - {}\n    - ref: 2\n");
        let three = set_refs(&two, "p", "b.bst", 0, &[("ref", json!("3"))]).unwrap();
        assert_eq!(three, format!("{two}    b.bst:\n    - ref: 3\n"));
        let four = set_refs(&three, "q", "b.bst", 0, &[("ref", json!("4"))]).unwrap();
        assert_eq!(four, format!("{three}  q:\n    b.bst:\n    - ref: 4\n"));
        let five = set_refs(&four, "p", "a.bst", 1, &[("ref", json!("5"))]).unwrap();
        assert_eq!(five, four.replace("- {}", "- {ref: 5}"));
        let comment = set_refs("# mine\n", "p", "a.bst", 0, &[("ref", json!("1"))]).unwrap();
        assert_eq!(comment, format!("# mine\n{one}"));
    }
}
