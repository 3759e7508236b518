//! Files of elements.

use super::{Dependency, Session, at, dependencies, lock};
use crate::project::conf::Project;
use crate::project::include::{self, How};
use crate::project::mark::Mark;
use crate::project::node::{Mapping, Scalar};
use crate::project::resolve;
use crate::project::{conditional, node::excerpt};
use crate::values::{Error, Result};
use std::path::{Component, Path};
use std::sync::{Arc, OnceLock};

/// An element as its file says, conditionals and includes done.
pub struct Element {
    /// Its number in the session.
    pub id: usize,
    pub project: Arc<Project>,
    /// In its project.
    pub name: String,
    /// With the junctions that lead to it.
    pub full_name: String,
    pub kind: Arc<str>,
    pub node: Mapping,
    /// What a link leads to.
    pub target: Option<Scalar>,
    /// What its file says that it depends on.
    declared: OnceLock<Result<Vec<super::Declaration>>>,
    /// What it depends on, once that is loaded; in the order of the file.
    pub(super) dependencies: OnceLock<Vec<Dependency>>,
}

/// The keys of an element's file.
const KEYS: [&str; 12] = [
    "kind",
    "depends",
    "sources",
    "sandbox",
    "variables",
    "environment",
    "environment-nocache",
    "config",
    "public",
    "description",
    "build-depends",
    "runtime-depends",
];

impl Element {
    /// Whether it is loaded before its project is complete.
    pub fn is_first_pass(&self) -> bool {
        is_first_pass(&self.kind)
    }

    /// The start of its file.
    pub fn mark(&self) -> Mark {
        self.node.mark
    }

    /// What its file says that it depends on, in BuildStream's order of reading.
    pub(super) fn declared(&self) -> Result<&[super::Declaration]> {
        let declared = self.declared.get_or_init(|| dependencies::read(&self.node));
        declared.as_ref().map(|list| &list[..]).map_err(Clone::clone)
    }

    /// What it depends on, merged; empty before that is loaded.
    pub fn dependencies(&self) -> &[Dependency] {
        self.dependencies.get().map_or(&[], |list| list)
    }
}

fn is_first_pass(kind: &str) -> bool {
    matches!(kind, "junction" | "link")
}

impl Project {
    /// Loads the file of an element without what it depends on. `mark`: what asks for it. With `early`, an
    /// element that is no junction or link gives nothing.
    pub(super) fn file(
        self: &Arc<Project>,
        name: &str,
        mark: Option<Mark>,
        early: bool,
    ) -> Result<Option<Arc<Element>>> {
        if let Some(element) = self.tables().elements.get(name) {
            return Ok(Some(element.clone()));
        }
        check_name(name).map_err(|error| at(error, mark))?;
        let mut node = self.session.files.take(self, name).map_err(|error| self.missing(error, name, mark))?;
        let kind = node.require("kind")?.scalar()?.text.clone();
        if is_first_pass(&kind) {
            conditional::process(&mut node, &self.first.options, &[])?;
        } else if early {
            return Ok(None);
        } else {
            self.full()?;
            include::process(&mut node, self, How { only_local: false, conditionals: true })?;
        }
        node.check_keys(&KEYS)?;
        node.text("description")?;
        let element = self.enter(name, kind, node)?;
        if let Some(target) = &element.target {
            self.add_link(name, &target.text);
        }
        Ok(Some(element))
    }

    fn enter(self: &Arc<Project>, name: &str, kind: Arc<str>, node: Mapping) -> Result<Arc<Element>> {
        let full_name = match &self.junction {
            Some(junction) => format!("{}:{name}", junction.full_name),
            None => name.to_owned(),
        };
        let mut element = Element {
            id: 0,
            project: self.clone(),
            name: name.to_owned(),
            full_name,
            kind,
            node,
            target: None,
            declared: OnceLock::new(),
            dependencies: OnceLock::new(),
        };
        if &*element.kind == "link" {
            element.target = Some(resolve::link_target(&element)?);
            if let Some(first) = element.declared()?.first() {
                let message =
                    format!("the link {} depends on something; a link has nothing but a target", element.name);
                return Err(Error::load("link-forbidden-dependencies", message).at(first.mark.place()));
            }
        }
        let element = Session::add(&self.session, element);
        self.tables().elements.insert(name.to_owned(), element.clone());
        Ok(element)
    }

    /// The error of an element whose file is not there.
    fn missing(&self, error: Error, name: &str, mark: Option<Mark>) -> Error {
        match error.reason() {
            Some("missing-file") => {}
            Some("proj-path-invalid") => return at(error, mark),
            _ => return error,
        }
        let place = match &self.junction {
            Some(junction) => format!("the project of the junction {}", junction.full_name),
            None => self.element_path.display().to_string(),
        };
        let mut message = format!("there is no element {} in {place}", excerpt(name));
        let below = self.element_path.strip_prefix(&self.directory).ok().and_then(Path::to_str).unwrap_or_default();
        let short = name.strip_prefix(below).map(|rest| rest.trim_start_matches('/'));
        if let Some(short) = short.filter(|short| !below.is_empty() && self.element_path.join(short).exists()) {
            message += &format!("; did you mean {short}?");
        }
        at(Error::load("missing-file", message), mark)
    }

    fn add_link(self: &Arc<Project>, link: &str, target: &str) {
        self.tables().links.add(link, target);
        let (mut project, mut link, mut target) = (self.clone(), link.to_owned(), target.to_owned());
        while let Some(junction) = &project.junction {
            link = format!("{}:{link}", junction.name);
            target = format!("{}:{target}", junction.name);
            let parent = junction.project.clone();
            parent.tables().links.add(&link, &target);
            project = parent;
        }
    }
}

impl Session {
    fn add(session: &Arc<Session>, mut element: Element) -> Arc<Element> {
        let mut elements = lock(&session.elements);
        element.id = elements.len();
        let element = Arc::new(element);
        elements.push(element.clone());
        element
    }
}

/// Refuses what cannot be the name of an element.
fn check_name(name: &str) -> Result<()> {
    if !name.ends_with(".bst") {
        let message = format!("expected the name of an element, which ends in .bst, found \"{}\"", excerpt(name));
        return Err(Error::load("bad-element-suffix", message));
    }
    if !name.bytes().all(|byte| matches!(byte, 32..=126) && !b"<>\"|?*".contains(&byte)) {
        let message = format!("the name \"{}\" has characters that the name of an element cannot have", excerpt(name));
        return Err(Error::load("bad-characters-in-name", message));
    }
    Ok(())
}

/// The name as os.path.normpath of Python makes it: without `.`, `..` that can be resolved, and double `/`.
pub(super) fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut absolute = "";
    for component in Path::new(name).components() {
        match component {
            Component::RootDir => absolute = "/",
            Component::ParentDir => match parts.last() {
                Some(&last) if last != ".." => _ = parts.pop(),
                None if !absolute.is_empty() => {}
                _ => parts.push(".."),
            },
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    match format!("{absolute}{}", parts.join("/")) {
        empty if empty.is_empty() => ".".to_owned(),
        normal => normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_normal_as_in_python() {
        for (name, expected) in [
            ("a.bst", "a.bst"),
            ("./a.bst", "a.bst"),
            ("x/../a.bst", "a.bst"),
            ("x//y/./a.bst", "x/y/a.bst"),
            ("../a.bst", "../a.bst"),
            ("/../a.bst", "/a.bst"),
            ("", "."),
        ] {
            assert_eq!(normal(name), expected, "{name}");
        }
    }

    #[test]
    fn names_that_no_element_has() {
        assert!(check_name("sub/a b.bst").is_ok());
        for bad in ["a", "a.bs", "a<b.bst", "a\u{7f}.bst", "ä.bst", "a\n.bst"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
