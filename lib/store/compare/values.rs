//! What differs between two JSON values.

use super::lines::{Item, align};
use serde_json::{Map, Value};

/// How a value changed.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    Added(Value),
    Removed(Value),
    Changed(Value, Value),
    /// Items of a list, or lines of a text: those that went and those that came, in order.
    Items(Vec<(bool, String)>),
}

/// Every difference, with its path.
pub fn differences(path: &str, old: &Value, new: &Value, found: &mut Vec<(String, Change)>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(old), Value::Object(new)) => objects(path, old, new, found),
        (Value::Array(old), Value::Array(new)) if is_plain(old) && is_plain(new) => {
            let old: Vec<String> = old.iter().map(text).collect();
            let new: Vec<String> = new.iter().map(text).collect();
            found.push((path.to_owned(), items(&old, &new)));
        }
        (Value::Array(old), Value::Array(new)) => {
            for index in 0..old.len().max(new.len()) {
                pair(&format!("{path}[{index}]"), old.get(index), new.get(index), found);
            }
        }
        (Value::String(old), Value::String(new)) if old.contains('\n') && new.contains('\n') => {
            let split = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
            found.push((path.to_owned(), items(&split(old), &split(new))));
        }
        _ => found.push((path.to_owned(), Change::Changed(old.clone(), new.clone()))),
    }
}

/// The differences of two objects, by name.
pub fn objects(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<(String, Change)>) {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        pair(&path, old.get(name), new.get(name), found);
    }
}

/// The differences of two values of which one may not be there.
pub fn pair(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<(String, Change)>) {
    match (old, new) {
        (Some(old), Some(new)) => differences(path, old, new, found),
        (Some(old), None) => found.push((path.to_owned(), Change::Removed(old.clone()))),
        (None, Some(new)) => found.push((path.to_owned(), Change::Added(new.clone()))),
        (None, None) => {}
    }
}

fn is_plain(list: &[Value]) -> bool {
    list.iter().all(|value| !value.is_object() && !value.is_array())
}

fn items(old: &[String], new: &[String]) -> Change {
    let aligned = align(old, new).into_iter();
    Change::Items(
        aligned
            .filter_map(|item| match item {
                Item::Both => None,
                Item::Old(item) => Some((false, item.clone())),
                Item::New(item) => Some((true, item.clone())),
            })
            .collect(),
    )
}

/// A value as text: a text without its quotes.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
