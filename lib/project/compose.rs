//! One mapping onto another: BuildStream's composition with its list directives (spec: keys 1.2).

use super::node::{List, Mapping, Node};
use crate::values::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

const CLOBBER: &str = "(=)";
const PREPEND: &str = "(<)";
const APPEND: &str = "(>)";

/// The key of conditionals, whose lists join where other lists replace.
pub const CONDITIONALS: &str = "(?)";

/// From this number of comparisons on the target's keys are looked up by hash.
const LARGE: usize = 4096;

/// Puts `source` onto `target`: what `source` says wins.
pub fn compose(source: &Mapping, target: &mut Mapping) -> Result<()> {
    onto(source, target).map_err(|failure| match failure {
        Failure::Composite(message) => Error::load("illegal-composite", message).at(source.mark.place()),
        Failure::Error(error) => error,
    })
}

/// Puts `target` onto `source`, and the result in the place of `target`: what `target` says wins.
pub fn compose_under(source: Mapping, target: &mut Mapping) -> Result<()> {
    let mut result = source;
    compose(target, &mut result)?;
    // The mapping itself stays where it stood; only its content is new.
    target.entries = result.entries;
    Ok(())
}

/// Refuses list directives that found no list to apply to.
pub fn check_composited(node: &Node) -> Result<()> {
    match node {
        Node::Scalar(_) => Ok(()),
        Node::List(list) => list.items.iter().try_for_each(check_composited),
        Node::Mapping(mapping) => check_mapping_composited(mapping),
    }
}

/// The same for a mapping.
pub fn check_mapping_composited(mapping: &Mapping) -> Result<()> {
    for (key, node) in mapping.iter() {
        if is_directive(key) {
            return Err(Error::load(
                "trailing-list-directive",
                format!("found the list directive {key}, but there is no list that it could change"),
            )
            .at(node.mark().place()));
        }
        check_composited(node)?;
    }
    Ok(())
}

enum Failure {
    /// Becomes an error at the place of the outermost source.
    Composite(String),
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

fn onto(source: &Mapping, target: &mut Mapping) -> Result<(), Failure> {
    if target.is_empty() && source.iter().all(|(_, node)| !matches!(node, Node::Mapping(_))) {
        target.entries = source.entries.clone();
    } else if !source.is_empty() {
        let index = index_of(source, target);
        for (key, node) in source.iter() {
            let position = match &index {
                Some(index) => index.get(&**key).copied(),
                None => target.entries.iter().position(|(name, _)| name == key),
            };
            place(key, node, position, target)?;
        }
    }
    if !source.mark.is_synthetic() {
        target.mark = source.mark;
    }
    Ok(())
}

/// Positions of the target's keys, where looking through them for each key would take long. A key that
/// `source` adds is not looked up again: no key is in `source` twice.
fn index_of(source: &Mapping, target: &Mapping) -> Option<HashMap<Arc<str>, usize>> {
    let large = source.entries.len().saturating_mul(target.entries.len()) > LARGE;
    large.then(|| target.entries.iter().enumerate().map(|(n, (key, _))| (key.clone(), n)).collect())
}

fn place(key: &Arc<str>, node: &Node, position: Option<usize>, target: &mut Mapping) -> Result<(), Failure> {
    let Some(position) = position else {
        let new = match node {
            Node::Mapping(mapping) if !is_list_of_directives(mapping)? => {
                let mut new = Mapping::new(Vec::new(), mapping.mark);
                onto(mapping, &mut new)?;
                Node::Mapping(new)
            }
            _ => node.clone(),
        };
        target.entries_mut().push((key.clone(), new));
        return Ok(());
    };
    // Entries are taken for change only now: what is replaced need not be cloned with its neighbours.
    let Some((_, old)) = target.entries_mut().get_mut(position) else { return Ok(()) };
    match (node, &mut *old) {
        (Node::Scalar(_), Node::Scalar(_)) => *old = node.clone(),
        (Node::Scalar(_), _) => return Err(mismatch("a text", key, old)),
        (Node::List(list), Node::List(under)) if &**key == CONDITIONALS => {
            under.items_mut().extend(list.items.iter().cloned());
        }
        (Node::List(_), Node::List(_)) => *old = node.clone(),
        (Node::List(_), Node::Mapping(under)) if is_list_of_directives(under)? => *old = node.clone(),
        (Node::List(_), _) => return Err(mismatch("a list", key, old)),
        (Node::Mapping(mapping), _) => onto_value(key, mapping, old)?,
    }
    Ok(())
}

fn onto_value(key: &str, mapping: &Mapping, old: &mut Node) -> Result<(), Failure> {
    let directives = is_list_of_directives(mapping)?;
    match old {
        Node::List(under) if directives => apply(mapping, under)?,
        Node::Mapping(under) if directives => {
            if !is_list_of_directives(under)? {
                return Err(mismatch("a list directive", key, old));
            }
            merge(mapping, under)?;
        }
        Node::Mapping(under) => onto(mapping, under)?,
        _ if directives => return Err(mismatch("a list directive", key, old)),
        _ => return Err(mismatch("a mapping", key, old)),
    }
    Ok(())
}

fn mismatch(what: &str, key: &str, old: &Node) -> Failure {
    let found = match old {
        Node::Scalar(_) => "a text",
        Node::List(_) => "a list",
        Node::Mapping(_) => "a mapping",
    };
    let place = old.mark().place();
    let at = if place.file.is_empty() { String::new() } else { format!(" of {place}") };
    Failure::Composite(format!("{what} for \"{key}\" cannot be put onto {found}{at}"))
}

/// Applies directives to a list.
fn apply(directives: &Mapping, under: &mut List) -> Result<()> {
    let items = under.items_mut();
    if let Some(clobber) = directives.list(CLOBBER)? {
        items.clear();
        items.extend(clobber.items.iter().cloned());
    }
    if let Some(prepend) = directives.list(PREPEND)? {
        items.splice(0..0, prepend.items.iter().cloned());
    }
    if let Some(append) = directives.list(APPEND)? {
        items.extend(append.items.iter().cloned());
    }
    Ok(())
}

/// Joins directives with those that still wait for their list.
fn merge(directives: &Mapping, under: &mut Mapping) -> Result<()> {
    let clobber = directives.list(CLOBBER)?;
    if let Some(clobber) = clobber {
        under.set(CLOBBER, Node::List(clobber.clone()));
    }
    for name in [PREPEND, APPEND] {
        match (directives.list(name)?, under.get_mut(name)) {
            (Some(new), Some(Node::List(old))) if clobber.is_none() => {
                let at = if name == PREPEND { 0 } else { old.items.len() };
                old.items_mut().splice(at..at, new.items.iter().cloned());
            }
            (Some(new), _) => under.set(name, Node::List(new.clone())),
            (None, Some(Node::List(old))) if clobber.is_some() => old.items_mut().clear(),
            (None, _) => {}
        }
    }
    Ok(())
}

fn is_directive(key: &str) -> bool {
    matches!(key, CLOBBER | PREPEND | APPEND)
}

/// Whether a mapping holds nothing but list directives; an error if it holds other keys too.
fn is_list_of_directives(mapping: &Mapping) -> Result<bool> {
    let directives = mapping.iter().filter(|(key, _)| is_directive(key)).count();
    if directives != 0 && directives != mapping.entries.len() {
        return Err(Error::load("invalid-data", "found list directives beside other keys; a mapping holds either")
            .at(mapping.mark.place()));
    }
    Ok(directives != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{mark::File, yaml};

    fn read(text: &str) -> Mapping {
        yaml::parse(text, File::named("test")).expect("YAML")
    }

    fn plain(node: &Node) -> String {
        match node {
            Node::Scalar(scalar) => scalar.text.to_string(),
            Node::List(list) => format!("[{}]", list.items.iter().map(plain).collect::<Vec<_>>().join(",")),
            Node::Mapping(mapping) => {
                let mut parts: Vec<_> = mapping.iter().map(|(key, node)| format!("{key}:{}", plain(node))).collect();
                parts.sort();
                format!("{{{}}}", parts.join(","))
            }
        }
    }

    fn composed(source: &str, target: &str) -> Result<String> {
        let mut target = read(target);
        compose(&read(source), &mut target)?;
        Ok(plain(&Node::Mapping(target)))
    }

    #[test]
    fn the_table_of_the_specification() {
        for (source, target, result) in [
            ("k: a", "{}", "{k:a}"),
            ("k: a", "k: b", "{k:a}"),
            ("k: [a]", "{}", "{k:[a]}"),
            ("k: [a]", "k: [b]", "{k:[a]}"),
            ("(?): [a]", "(?): [b]", "{(?):[b,a]}"),
            ("k: [a]", "k: {(>): [b]}", "{k:[a]}"),
            ("k: {(>): [a]}", "{}", "{k:{(>):[a]}}"),
            ("k: {(>): [a], (<): [b]}", "k: [c]", "{k:[b,c,a]}"),
            ("k: {(=): [a], (>): [b]}", "k: [c]", "{k:[a,b]}"),
            ("k: {(<): [a, b]}", "k: [c]", "{k:[a,b,c]}"),
            ("k: {(>): [a]}", "k: {(>): [b], (<): [c]}", "{k:{(<):[c],(>):[b,a]}}"),
            ("k: {(<): [a]}", "k: {(<): [b]}", "{k:{(<):[a,b]}}"),
            ("k: {(=): [a]}", "k: {(>): [b]}", "{k:{(=):[a],(>):[]}}"),
            ("k: {(=): [a], (>): [x]}", "k: {(=): [q], (>): [b]}", "{k:{(=):[a],(>):[x]}}"),
            ("k: {x: a}", "{}", "{k:{x:a}}"),
            ("k: {x: a}", "k: {y: b}", "{k:{x:a,y:b}}"),
            ("k: {}", "k: {y: b}", "{k:{y:b}}"),
            ("k: {x: a}", "k: {(>): [b]}", "{k:{(>):[b],x:a}}"),
            ("k: {j: {x: {(>): [a]}}}", "k: {j: {x: [b]}}", "{k:{j:{x:[b,a]}}}"),
        ] {
            assert_eq!(composed(source, target).ok().as_deref(), Some(result), "{source} onto {target}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_at_the_outermost_source() {
        for (source, target, reason) in [
            ("k: a", "k: [b]", "illegal-composite"),
            ("k: a", "k: {x: b}", "illegal-composite"),
            ("k: [a]", "k: b", "illegal-composite"),
            ("k: [a]", "k: {x: b}", "illegal-composite"),
            ("k: {(>): [a]}", "k: b", "illegal-composite"),
            ("k: {(>): [a]}", "k: {}", "illegal-composite"),
            ("k: {x: a}", "k: b", "illegal-composite"),
            ("k: {x: a}", "k: [b]", "illegal-composite"),
            ("k: {(>): [a], x: b}", "k: [b]", "invalid-data"),
            ("k: {(>): [a], x: b}", "{}", "invalid-data"),
            ("k: {(>): a}", "k: [b]", "invalid-data"),
        ] {
            assert_eq!(composed(source, target).expect_err(source).reason(), Some(reason), "{source} onto {target}");
        }
    }

    #[test]
    fn directives_that_are_left_are_an_error_at_their_list() {
        let error = check_mapping_composited(&read("a:\n- b:\n    (>): [c]\n")).expect_err("a directive");
        let place = error.place().expect("a place");
        assert_eq!((error.reason(), place.line, place.column), (Some("trailing-list-directive"), 3, 9));
        assert!(check_mapping_composited(&read("a: [b, {c: d}]")).is_ok());
    }

    #[test]
    fn under_means_that_the_target_wins() {
        let mut target = read("a: 1\nl: {(>): [x]}");
        compose_under(read("a: 2\nb: 3\nl: [y]"), &mut target).expect("composition");
        assert_eq!(plain(&Node::Mapping(target)), "{a:1,b:3,l:[y,x]}");
    }
}
