//! A YAML document as BuildStream sees it: texts, lists and mappings, each with its place.
//!
//! Every scalar is a text; what it means is asked for by the typed readers. Mappings keep the order of the
//! file; order never enters a key, because keys are sorted there.

use crate::values::{Error, Place, Result};
use std::sync::Arc;

/// The place of a node.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The file as BuildStream shows it.
    pub file: Arc<str>,
    /// From 1; 0 for what no file wrote.
    pub line: u32,
    /// From 0.
    pub column: u32,
}

impl Mark {
    /// The place of what the program itself made.
    pub fn synthetic() -> Mark {
        Mark { file: Arc::from(""), line: 0, column: 0 }
    }

    /// For an error.
    pub fn place(&self) -> Place {
        Place { file: self.file.to_string(), line: self.line, column: self.column }
    }
}

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
    pub items: Vec<Node>,
    pub mark: Mark,
}

/// A mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub entries: Vec<(Arc<str>, Node)>,
    pub mark: Mark,
}

impl Node {
    /// Where it stands.
    pub fn mark(&self) -> &Mark {
        match self {
            Node::Scalar(scalar) => &scalar.mark,
            Node::List(list) => &list.mark,
            Node::Mapping(mapping) => &mapping.mark,
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

    fn expected(&self, what: &str) -> Error {
        let found = match self {
            Node::Scalar(scalar) => format!("the text \"{}\"", scalar.text.escape_default()),
            Node::List(_) => "a list".to_owned(),
            Node::Mapping(_) => "a mapping".to_owned(),
        };
        Error::load("invalid-data", format!("expected {what}, found {found}")).at(self.mark().place())
    }
}

impl Scalar {
    /// Exactly `True true 1` or `False false 0`.
    pub fn bool(&self) -> Result<bool> {
        match &*self.text {
            "True" | "true" | "1" => Ok(true),
            "False" | "false" | "0" => Ok(false),
            _ => Err(self.expected("True or False")),
        }
    }

    /// A whole number.
    pub fn int(&self) -> Result<i64> {
        self.text.parse().map_err(|_| self.expected("a whole number"))
    }

    fn expected(&self, what: &str) -> Error {
        Error::load("invalid-data", format!("expected {what}, found \"{}\"", self.text.escape_default()))
            .at(self.mark.place())
    }
}

impl Mapping {
    /// A value.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| &**name == key).map(|(_, node)| node)
    }

    /// A value that must be there.
    pub fn require(&self, key: &str) -> Result<&Node> {
        self.get(key).ok_or_else(|| {
            Error::load("invalid-data", format!("expected a value for \"{key}\", found none")).at(self.mark.place())
        })
    }

    /// A text, if it is there.
    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        self.get(key).map(|node| node.scalar().map(|scalar| &*scalar.text)).transpose()
    }

    /// A boolean, if it is there.
    pub fn bool(&self, key: &str) -> Result<Option<bool>> {
        self.get(key).map(|node| node.scalar()?.bool()).transpose()
    }

    /// A list of texts, if it is there.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&str>>> {
        let Some(node) = self.get(key) else { return Ok(None) };
        node.list()?.items.iter().map(|item| item.scalar().map(|scalar| &*scalar.text)).collect::<Result<_>>().map(Some)
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
                format!("expected one of the keys {}, found \"{}\"", valid.join(", "), key.escape_default()),
            )
            .at(node.mark().place())),
            None => Ok(()),
        }
    }
}
