//! A YAML document as BuildStream sees it: texts, lists and mappings, each with its place.
//!
//! Every scalar is a text; what it means is asked for by the typed readers. Mappings keep the order of the
//! file; order never enters a key, because keys are sorted there. Lists and mappings are shared until they
//! are changed, so a clone costs next to nothing.

pub use super::mark::Mark;

use crate::values::{Error, Result};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A node of a document.
#[derive(Clone, Debug)]
pub enum Node {
    Scalar(Scalar),
    List(List),
    Mapping(Mapping),
}

/// A text, stripped of white space at its ends.
#[derive(Clone, Debug)]
pub struct Scalar {
    pub text: Arc<str>,
    pub mark: Mark,
}

/// A list.
#[derive(Clone, Debug)]
pub struct List {
    pub items: Arc<Vec<Node>>,
    pub mark: Mark,
}

/// A mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub entries: Arc<Vec<(Arc<str>, Node)>>,
    pub mark: Mark,
}

impl Node {
    /// A text that no file wrote.
    pub fn text(text: impl Into<Arc<str>>) -> Node {
        Node::Scalar(Scalar::new(text, Mark::synthetic()))
    }

    /// Where it stands.
    pub fn mark(&self) -> Mark {
        match self {
            Node::Scalar(scalar) => scalar.mark,
            Node::List(list) => list.mark,
            Node::Mapping(mapping) => mapping.mark,
        }
    }

    /// As a text.
    pub fn scalar(&self) -> Result<&Scalar> {
        match self {
            Node::Scalar(scalar) => Ok(scalar),
            _ => Err(self.expected("a text")),
        }
    }

    /// As a list.
    pub fn list(&self) -> Result<&List> {
        match self {
            Node::List(list) => Ok(list),
            _ => Err(self.expected("a list")),
        }
    }

    /// As a mapping.
    pub fn mapping(&self) -> Result<&Mapping> {
        match self {
            Node::Mapping(mapping) => Ok(mapping),
            _ => Err(self.expected("a mapping")),
        }
    }

    /// As JSON, every scalar a text.
    pub fn to_json(&self) -> Value {
        match self {
            Node::Scalar(scalar) => Value::String(scalar.text.to_string()),
            Node::List(list) => Value::Array(list.items.iter().map(Node::to_json).collect()),
            Node::Mapping(mapping) => Value::Object(mapping.to_json()),
        }
    }

    /// The error that this is not what was expected.
    pub fn expected(&self, what: &str) -> Error {
        let found = match self {
            Node::Scalar(scalar) => format!("the text \"{}\"", excerpt(&scalar.text)),
            Node::List(_) => "a list".to_owned(),
            Node::Mapping(_) => "a mapping".to_owned(),
        };
        Error::load("invalid-data", format!("expected {what}, found {found}")).at(self.mark().place())
    }
}

/// The start of a text, fit for one line of a message.
pub fn excerpt(text: &str) -> String {
    let mut excerpt: String = text.chars().take(60).flat_map(char::escape_default).collect();
    if text.chars().nth(60).is_some() {
        excerpt.push_str("...");
    }
    excerpt
}

impl Scalar {
    /// A text at a place.
    pub fn new(text: impl Into<Arc<str>>, mark: Mark) -> Scalar {
        Scalar { text: text.into(), mark }
    }

    /// Exactly `True true 1` or `False false 0`.
    pub fn bool(&self) -> Result<bool> {
        match &*self.text {
            "True" | "true" | "1" => Ok(true),
            "False" | "false" | "0" => Ok(false),
            _ => Err(self.expected("True or False")),
        }
    }

    /// A whole number, written as Python reads one: a sign, and digits with `_` between them.
    pub fn int(&self) -> Result<i64> {
        let digits = self.text.strip_prefix(['+', '-']).unwrap_or(&self.text);
        let well_formed = digits.split('_').all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
        let parsed = self.text.replace('_', "").parse();
        parsed.ok().filter(|_| well_formed).ok_or_else(|| self.expected("a whole number"))
    }

    /// The error that this is not the text that was expected.
    pub fn expected(&self, what: &str) -> Error {
        Error::load("invalid-data", format!("expected {what}, found \"{}\"", excerpt(&self.text))).at(self.mark.place())
    }
}

impl List {
    /// A list at a place.
    pub fn new(items: Vec<Node>, mark: Mark) -> List {
        List { items: Arc::new(items), mark }
    }

    /// The items, to be changed.
    pub fn items_mut(&mut self) -> &mut Vec<Node> {
        Arc::make_mut(&mut self.items)
    }

    /// The items as texts.
    pub fn texts(&self) -> Result<Vec<&str>> {
        self.items.iter().map(|item| item.scalar().map(|scalar| &*scalar.text)).collect()
    }
}

impl Mapping {
    /// A mapping at a place.
    pub fn new(entries: Vec<(Arc<str>, Node)>, mark: Mark) -> Mapping {
        Mapping { entries: Arc::new(entries), mark }
    }

    /// An empty mapping that no file wrote.
    pub fn empty() -> Mapping {
        Mapping::new(Vec::new(), Mark::synthetic())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys and values, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Node)> {
        self.entries.iter().map(|(key, node)| (key, node))
    }

    /// The entries, to be changed.
    pub fn entries_mut(&mut self) -> &mut Vec<(Arc<str>, Node)> {
        Arc::make_mut(&mut self.entries)
    }

    /// As JSON, every scalar a text.
    pub fn to_json(&self) -> Map<String, Value> {
        self.iter().map(|(key, node)| (key.to_string(), node.to_json())).collect()
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| &**name == key).map(|(_, node)| node)
    }

    /// A value, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let index = self.position(key)?;
        self.entries_mut().get_mut(index).map(|(_, node)| node)
    }

    /// Sets a value; a new key goes to the end.
    pub fn set(&mut self, key: &str, value: Node) {
        match self.get_mut(key) {
            Some(node) => *node = value,
            None => self.entries_mut().push((Arc::from(key), value)),
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let index = self.position(key)?;
        Some(self.entries_mut().remove(index).1)
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|(name, _)| &**name == key)
    }

    /// A value that must be there.
    pub fn require(&self, key: &str) -> Result<&Node> {
        self.get(key).ok_or_else(|| {
            Error::load("invalid-data", format!("expected a value for \"{key}\", found none")).at(self.mark.place())
        })
    }

    /// A text with its place, if it is there.
    pub fn scalar(&self, key: &str) -> Result<Option<&Scalar>> {
        self.get(key).map(Node::scalar).transpose()
    }

    /// A text, if it is there.
    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        Ok(self.scalar(key)?.map(|scalar| &*scalar.text))
    }

    /// A text that must be there.
    pub fn require_text(&self, key: &str) -> Result<&str> {
        Ok(&self.require(key)?.scalar()?.text)
    }

    /// A boolean, if it is there.
    pub fn bool(&self, key: &str) -> Result<Option<bool>> {
        self.scalar(key)?.map(Scalar::bool).transpose()
    }

    /// A list, if it is there.
    pub fn list(&self, key: &str) -> Result<Option<&List>> {
        self.get(key).map(Node::list).transpose()
    }

    /// A list of texts, if it is there.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&str>>> {
        self.list(key)?.map(List::texts).transpose()
    }

    /// A mapping, if it is there.
    pub fn mapping(&self, key: &str) -> Result<Option<&Mapping>> {
        self.get(key).map(Node::mapping).transpose()
    }

    /// Refuses keys that are not in `valid`.
    pub fn check_keys(&self, valid: &[&str]) -> Result<()> {
        match self.entries.iter().find(|(key, _)| !valid.contains(&&**key)) {
            Some((key, node)) => Err(Error::load(
                "invalid-data",
                format!("expected one of the keys {}, found \"{}\"", valid.join(", "), excerpt(key)),
            )
            .at(node.mark().place())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> Scalar {
        Scalar::new(text, Mark::synthetic())
    }

    #[test]
    fn booleans_and_numbers_are_read_as_buildstream_reads_them() {
        for (text, value) in [("True", true), ("true", true), ("1", true), ("False", false), ("0", false)] {
            assert_eq!(scalar(text).bool().ok(), Some(value));
        }
        for bad in ["TRUE", "yes", "", "01"] {
            assert!(scalar(bad).bool().is_err(), "{bad}");
        }
        for (text, value) in [("7", 7), ("-1_0", -10), ("+3", 3), ("007", 7)] {
            assert_eq!(scalar(text).int().ok(), Some(value));
        }
        for bad in ["", "1.0", "_1", "1__2", "0x1", "+", "99999999999999999999"] {
            assert!(scalar(bad).int().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_clone_does_not_see_later_changes() {
        let mut mapping = Mapping::empty();
        mapping.set("a", Node::text("1"));
        let before = mapping.clone();
        mapping.set("a", Node::text("2"));
        mapping.set("b", Node::text("3"));
        assert_eq!(before.text("a").ok().flatten(), Some("1"));
        assert!(before.get("b").is_none());
        assert_eq!(
            mapping.remove("a").map(|node| node.scalar().map(|s| s.text.to_string()).ok()),
            Some(Some("2".into()))
        );
    }
}
