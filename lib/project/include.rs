//! Includes `(@)` (spec: keys 1.4).

use super::compose::compose_under;
use super::conditional::{self, Options};
use super::node::{List, Mapping, Mark, Node, Scalar};
use super::root::Root;
use crate::values::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const INCLUDE: &str = "(@)";

/// How deep includes may be nested.
const DEEPEST: usize = 100;

/// How many files may be included into one: a few files that include each other twice would otherwise
/// never end.
const MOST: usize = 20_000;

/// A project, as far as includes go.
pub trait Scope {
    /// Where its files are.
    fn root(&self) -> &Root;
    /// The name under which errors show one of its files.
    fn display(&self, name: &str) -> String;
    /// The values of its options.
    fn options(&self) -> Result<Options>;
    /// The project that a junction leads to, completely loaded, and the file there with the variables of
    /// that project expanded.
    fn cross(&self, junction: &Scalar, file: &str, shown: &str) -> Result<(Arc<dyn Scope>, Mapping)>;
    /// A file of this project as it was read.
    fn read(&self, file: &str, shown: &str) -> Result<Mapping> {
        self.root().load(Path::new(file), &self.display(shown))
    }
}

/// What processing does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Whether files of other projects are passed over.
    pub only_local: bool,
    /// Whether conditionals are resolved, in each file before it is put in.
    pub conditionals: bool,
}

/// Puts in what the mapping includes.
pub fn process(node: &mut Mapping, scope: &dyn Scope, how: How) -> Result<()> {
    Run { open: Vec::new(), count: 0 }.file(node, scope, how)
}

struct Run {
    /// The files that are being put in now.
    open: Vec<PathBuf>,
    count: usize,
}

impl Run {
    fn file(&mut self, node: &mut Mapping, scope: &dyn Scope, how: How) -> Result<()> {
        if how.conditionals {
            conditional::process(node, &scope.options()?, &[])?;
        }
        self.mapping(node, scope, how)
    }

    fn mapping(&mut self, node: &mut Mapping, scope: &dyn Scope, how: How) -> Result<()> {
        if let Some(includes) = take(node)? {
            for include in includes.items.iter().rev() {
                self.include(include.scalar()?, includes.mark, node, scope, how)?;
            }
        }
        if node.iter().any(|(_, value)| has_include(value)) {
            for (_, value) in node.entries_mut() {
                self.value(value, scope, how)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, node: &mut Node, scope: &dyn Scope, how: How) -> Result<()> {
        match node {
            Node::Mapping(mapping) if has_include_in(mapping) => self.mapping(mapping, scope, how),
            Node::List(list) if list.items.iter().any(has_include) => {
                list.items_mut().iter_mut().try_for_each(|item| self.value(item, scope, how))
            }
            _ => Ok(()),
        }
    }

    fn include(&mut self, at: &Scalar, list: Mark, node: &mut Mapping, scope: &dyn Scope, how: How) -> Result<()> {
        let place = || at.mark.place();
        let crossing = at.text.rsplit_once(':');
        if crossing.is_some() && how.only_local {
            return Ok(());
        }
        self.count += 1;
        if self.count > MOST || self.open.len() >= DEEPEST {
            let message = format!("the includes are nested deeper than {DEEPEST}, or more than {MOST}");
            return Err(Error::load("recursive-include", message).at(place()));
        }
        let other;
        let (mut file, scope, path, how) = match crossing {
            Some((junction, file)) => {
                let (project, content) = scope.cross(&Scalar::new(junction, at.mark), file, &at.text)?;
                other = project;
                let path = other.root().path().join(file);
                (content, &*other, path, How { conditionals: true, ..how })
            }
            None => {
                let content = scope.read(&at.text, &at.text).map_err(|error| included(&error, at))?;
                (content, scope, scope.root().path().join(&*at.text), how)
            }
        };
        if self.open.contains(&path) {
            let message = format!("\"{}\" includes itself", at.text.escape_default());
            return Err(Error::load("recursive-include", message).at(list.place()));
        }
        self.open.push(path);
        let outcome = self.file(&mut file, scope, how);
        self.open.pop();
        outcome?;
        compose_under(file, node)
    }
}

/// The error of a file that cannot be read, at the place that includes it.
pub fn included(error: &Error, at: &Scalar) -> Error {
    let message = match error.place() {
        Some(_) => format!("the included file cannot be used: {error}"),
        None => format!("the included file \"{}\" cannot be used: {error}", at.text.escape_default()),
    };
    Error::load(error.reason().unwrap_or("invalid-data"), message).with_code(error.code()).at(at.mark.place())
}

/// Takes the list of includes out of a mapping. An empty list stays, and is refused later as a key that
/// has no meaning.
fn take(node: &mut Mapping) -> Result<Option<List>> {
    let includes = match node.get(INCLUDE) {
        None => return Ok(None),
        Some(Node::List(list)) if list.items.is_empty() => return Ok(None),
        Some(Node::List(list)) => list.clone(),
        Some(one @ Node::Scalar(scalar)) => List::new(vec![one.clone()], scalar.mark),
        Some(other) => return Err(other.expected("a file or a list of files to include")),
    };
    node.remove(INCLUDE);
    Ok(Some(includes))
}

fn has_include(node: &Node) -> bool {
    match node {
        Node::Scalar(_) => false,
        Node::List(list) => list.items.iter().any(has_include),
        Node::Mapping(mapping) => has_include_in(mapping),
    }
}

fn has_include_in(mapping: &Mapping) -> bool {
    mapping.iter().any(|(key, value)| &**key == INCLUDE || has_include(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::expression::Value;
    use crate::project::mark::File;
    use crate::project::yaml;

    struct Files(Vec<(&'static str, &'static str)>, Root);

    impl Scope for Files {
        fn root(&self) -> &Root {
            &self.1
        }
        fn display(&self, name: &str) -> String {
            name.to_owned()
        }
        fn options(&self) -> Result<Options> {
            Ok(Options::from([("t".to_owned(), Value::Bool(true))]))
        }
        fn cross(&self, junction: &Scalar, _: &str, _: &str) -> Result<(Arc<dyn Scope>, Mapping)> {
            Err(Error::load("missing-file", "no junction").at(junction.mark.place()))
        }
        fn read(&self, file: &str, shown: &str) -> Result<Mapping> {
            let found = self.0.iter().find(|(name, _)| *name == file);
            let (_, text) = found.ok_or_else(|| Error::load("missing-file", "no file"))?;
            yaml::parse(text, File::named(shown))
        }
    }

    fn files(files: &[(&'static str, &'static str)]) -> Files {
        Files(files.to_vec(), Root::open(Path::new("/")).expect("a directory"))
    }

    const ELEMENT: How = How { only_local: false, conditionals: true };
    const CONF: How = How { only_local: false, conditionals: false };

    fn processed(named: &[(&'static str, &'static str)], text: &str, how: How) -> Result<Mapping> {
        let mut node = yaml::parse(text, File::named("top")).expect("YAML");
        process(&mut node, &files(named), how)?;
        Ok(node)
    }

    fn value(node: &Mapping, key: &str) -> String {
        node.text(key).expect("a text").expect("a value").to_owned()
    }

    #[test]
    fn later_files_win_and_the_including_one_most() {
        let named = [("a", "x: a\ny: a\nz: a"), ("b", "x: b\ny: b")];
        let node = processed(&named, "(@): [a, b]\nx: top", ELEMENT).expect("includes");
        assert_eq!((value(&node, "x"), value(&node, "y"), value(&node, "z")), ("top".into(), "b".into(), "a".into()));
    }

    #[test]
    fn conditionals_of_included_files_are_resolved_first_in_elements_and_last_in_project_conf() {
        let named = [("a", "x: plain\n(?): [t: {x: conditional}]")];
        let node = processed(&named, "(@): a\nx: top", ELEMENT).expect("includes");
        assert_eq!(value(&node, "x"), "top");
        let mut node = processed(&named, "(@): a\nx: top\n(?): [t: {y: q}]", CONF).expect("includes");
        let options = files(&[]).options().expect("options");
        conditional::process(&mut node, &options, &[]).expect("conditionals");
        assert_eq!((value(&node, "x"), value(&node, "y")), ("conditional".into(), "q".into()));
    }

    #[test]
    fn includes_are_found_at_every_depth_and_in_included_files() {
        let named = [("a", "x: {(@): b}"), ("b", "y: [{(@): c}]"), ("c", "z: found")];
        let node = processed(&named, "deep: {er: {(@): a}}", ELEMENT).expect("includes");
        assert!(format!("{node:?}").contains("found"));
        assert!(!has_include_in(&node));
    }

    #[test]
    fn an_empty_list_stays_and_junctions_can_be_passed_over() {
        assert!(processed(&[], "(@): []", ELEMENT).expect("includes").get(INCLUDE).is_some());
        let local = How { only_local: true, ..CONF };
        assert!(processed(&[], "(@): [\"j.bst:x\"]", local).expect("includes").get(INCLUDE).is_none());
        assert!(processed(&[], "(@): [\"j.bst:x\"]", CONF).is_err());
    }

    #[test]
    fn circles_and_bombs_end() {
        let error = processed(&[("a", "(@): b"), ("b", "(@): a")], "(@): a", ELEMENT).expect_err("a circle");
        assert_eq!(error.reason(), Some("recursive-include"));
        let names: Vec<&'static str> = vec!["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9"];
        let texts = "(@): [f1,f1,f1,f1,f1,f1]|(@): [f2,f2,f2,f2,f2,f2]|(@): [f3,f3,f3,f3,f3,f3]|(@): [f4,f4,f4,f4,f4]|\
                     (@): [f5,f5,f5,f5,f5]|(@): [f6,f6,f6,f6,f6]|(@): [f7,f7,f7]|(@): [f8,f8]|(@): [f9,f9]|x: y";
        let named: Vec<_> = names.into_iter().zip(texts.split('|')).collect();
        assert!(processed(&named, "(@): f0", ELEMENT).is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_where_it_is_included() {
        let error = processed(&[], "kind: x\n(@):\n- none", ELEMENT).expect_err("no file");
        let place = error.place().expect("a place");
        assert_eq!((error.reason(), place.line, place.column), (Some("missing-file"), 3, 2));
    }
}
