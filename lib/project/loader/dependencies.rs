//! What an element's file says that it depends on (spec: keys 3.2).

use super::Element;
use crate::project::mark::Mark;
use crate::project::node::{Mapping, Node, Scalar};
use crate::values::record::DependencyType;
use crate::values::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// A dependency as written.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The junctions that lead to its project.
    pub junction: Option<String>,
    pub name: String,
    pub when: DependencyType,
    pub strict: bool,
    pub configs: Vec<Mapping>,
    pub mark: Mark,
}

/// A dependency with the element that it is.
#[derive(Clone)]
pub struct Dependency {
    pub element: Arc<Element>,
    pub declaration: Declaration,
}

impl Declaration {
    /// As written: `NAME` or `JUNCTION:NAME`.
    pub fn path(&self) -> String {
        match &self.junction {
            Some(junction) => format!("{junction}:{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Takes up another mention of the same dependency. Place and name stay those of the first.
    pub(super) fn merge(&mut self, other: Declaration) {
        if self.when != other.when {
            self.when = DependencyType::All;
        }
        self.strict |= other.strict;
        self.configs.extend(other.configs);
    }
}

/// Reads the three lists; mentions of the same name are merged.
pub fn read(node: &Mapping) -> Result<Vec<Declaration>> {
    let mut found = Found::default();
    found.list(node, "build-depends", Some(DependencyType::Build))?;
    found.list(node, "runtime-depends", Some(DependencyType::Runtime))?;
    found.list(node, "depends", None)?;
    Ok(found.declarations)
}

#[derive(Default)]
struct Found {
    declarations: Vec<Declaration>,
    index: HashMap<(Option<String>, String), usize>,
}

impl Found {
    fn list(&mut self, node: &Mapping, key: &str, when: Option<DependencyType>) -> Result<()> {
        for item in node.list(key)?.map_or(&[][..], |list| &list.items[..]) {
            for (junction, name) in names(item)? {
                let declaration = declaration(item, junction, name, when)?;
                let key = (declaration.junction.clone(), declaration.name.clone());
                match self.index.get(&key) {
                    Some(&first) => self.declarations[first].merge(declaration),
                    None => {
                        self.index.insert(key, self.declarations.len());
                        self.declarations.push(declaration);
                    }
                }
            }
        }
        Ok(())
    }
}

type Name = (Option<String>, String);

/// The names in an entry, which may be several.
fn names(node: &Node) -> Result<Vec<Name>> {
    let mapping = match node {
        Node::Scalar(scalar) => return Ok(vec![split(scalar, None)?]),
        Node::Mapping(mapping) => mapping,
        Node::List(_) => return Err(node.expected("the name of an element, or a mapping with \"filename\"")),
    };
    let junction = mapping.text("junction")?;
    match mapping.require("filename")? {
        Node::Scalar(scalar) => Ok(vec![split(scalar, junction)?]),
        Node::List(list) => list.items.iter().map(|item| split(item.scalar()?, junction)).collect(),
        other => Err(other.expected("the name of an element, or a list of names")),
    }
}

fn split(scalar: &Scalar, junction: Option<&str>) -> Result<Name> {
    match (junction, scalar.text.rsplit_once(':')) {
        (Some(_), Some(_)) => Err(scalar.expected("a name without \":\", because \"junction\" is given beside it")),
        (None, Some((junction, name))) => Ok((Some(junction.to_owned()), name.to_owned())),
        (junction, None) => Ok((junction.map(str::to_owned), scalar.text.to_string())),
    }
}

fn declaration(
    node: &Node,
    junction: Option<String>,
    name: String,
    when: Option<DependencyType>,
) -> Result<Declaration> {
    let mark = node.mark();
    let Node::Mapping(mapping) = node else {
        let when = when.unwrap_or(DependencyType::All);
        return Ok(Declaration { junction, name, when, strict: false, configs: Vec::new(), mark });
    };
    let when = match when {
        Some(when) => {
            mapping.check_keys(&["filename", "junction", "strict", "config"])?;
            when
        }
        None => {
            mapping.check_keys(&["filename", "type", "junction", "strict", "config"])?;
            match mapping.scalar("type")? {
                None => DependencyType::All,
                Some(scalar) => match &*scalar.text {
                    "all" => DependencyType::All,
                    "build" => DependencyType::Build,
                    "runtime" => DependencyType::Runtime,
                    _ => return Err(scalar.expected("build, runtime or all")),
                },
            }
        }
    };
    let strict = mapping.bool("strict")?.unwrap_or(false);
    let config = mapping.mapping("config")?;
    if let (Some(config), DependencyType::Runtime) = (config, when) {
        let message = "found \"config\" on a runtime dependency; only build dependencies can have it";
        return Err(Error::load("invalid-data", message).at(config.mark.place()));
    }
    if let (Some(scalar), false) = (mapping.scalar("strict")?, strict) {
        let message = "found \"strict: False\"; leave it out, or write True";
        return Err(Error::load("invalid-data", message).at(scalar.mark.place()));
    }
    if strict && when == DependencyType::Runtime {
        let message = format!("the runtime dependency {name} is strict; only build dependencies can be");
        return Err(Error::load("invalid-data", message).at(mark.place()));
    }
    Ok(Declaration { junction, name, when, strict, configs: config.cloned().into_iter().collect(), mark })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{mark::File, yaml};

    fn declared(text: &str) -> Result<Vec<Declaration>> {
        read(&yaml::parse(text, File::named("e.bst")).expect("YAML"))
    }

    #[test]
    fn order_of_reading_and_merging() {
        let found = declared(
            "depends: [a.bst, {filename: [b.bst, c.bst], type: runtime}, \"j.bst:k.bst:d.bst\"]\n\
             runtime-depends: [e.bst]\nbuild-depends: [b.bst, {filename: d.bst, junction: \"j.bst:k.bst\", strict: True}]",
        )
        .expect("dependencies");
        let shown: Vec<_> = found.iter().map(|d| (d.path(), d.when, d.strict)).collect();
        let all = DependencyType::All;
        assert_eq!(
            shown,
            [
                ("b.bst".into(), all, false),
                ("j.bst:k.bst:d.bst".into(), all, true),
                ("e.bst".into(), DependencyType::Runtime, false),
                ("a.bst".into(), all, false),
                ("c.bst".into(), DependencyType::Runtime, false),
            ]
        );
    }

    #[test]
    fn mistakes_are_named_where_they_stand() {
        for (text, line, column) in [
            ("depends:", 1, 8),
            ("depends:\n- [a]", 2, 2),
            ("depends:\n- junction: x", 2, 2),
            ("depends:\n- filename: a.bst\n  type: pony", 3, 8),
            ("depends:\n- filename: \"b:a.bst\"\n  junction: x", 2, 12),
            ("depends:\n- filename: a.bst\n  strict: False", 3, 10),
            ("runtime-depends:\n- filename: a.bst\n  strict: True", 2, 2),
            ("runtime-depends:\n- filename: a.bst\n  config: {a: b}", 3, 10),
            ("build-depends:\n- filename: a.bst\n  type: all", 3, 8),
            ("depends:\n- filename: {a: b}", 2, 12),
        ] {
            let error = declared(text).expect_err(text);
            let place = error.place().expect("a place");
            assert_eq!((error.reason(), place.line, place.column), (Some("invalid-data"), line, column), "{text}");
        }
    }
}
