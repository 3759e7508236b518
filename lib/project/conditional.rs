//! Conditionals `(?)` and assertions `(!)` (spec: keys 1.3).

use super::compose::{CONDITIONALS, compose};
use super::expression::{self, Value};
use super::node::{List, Mapping, Node, excerpt};
use crate::values::{Error, Result};
use std::collections::HashMap;

const ASSERTION: &str = "(!)";

/// The options by name, as expressions see them.
pub type Options = HashMap<String, Value>;

/// Resolves all conditionals of a mapping. A fragment at its root may not set a key that is in `restricted`.
pub fn process(node: &mut Mapping, options: &Options, restricted: &[&str]) -> Result<()> {
    while process_root(node, options, restricted)? {}
    if node.iter().any(|(_, value)| has_conditionals(value)) {
        node.entries_mut().iter_mut().try_for_each(|(_, value)| process_value(value, options))?;
    }
    Ok(())
}

fn process_value(node: &mut Node, options: &Options) -> Result<()> {
    match node {
        Node::Scalar(_) => Ok(()),
        Node::List(list) if list.items.iter().any(has_conditionals) => {
            list.items_mut().iter_mut().try_for_each(|item| process_value(item, options))
        }
        Node::List(_) => Ok(()),
        Node::Mapping(mapping) => process(mapping, options, &[]),
    }
}

/// Whether there is something to do below a node: what has nothing stays shared.
fn has_conditionals(node: &Node) -> bool {
    match node {
        Node::Scalar(_) => false,
        Node::List(list) => list.items.iter().any(has_conditionals),
        Node::Mapping(mapping) => {
            mapping.iter().any(|(key, value)| matches!(&**key, CONDITIONALS | ASSERTION) || has_conditionals(value))
        }
    }
}

/// Resolves the conditionals that stand in the mapping now; whether there were any, and so may be new ones.
fn process_root(node: &mut Mapping, options: &Options, restricted: &[&str]) -> Result<bool> {
    let conditions = node.list(CONDITIONALS)?.cloned();
    if let Some(assertion) = node.scalar(ASSERTION)? {
        return Err(Error::load("user-assertion", &*assertion.text).at(assertion.mark.place()));
    }
    let Some(List { items, .. }) = conditions else { return Ok(false) };
    node.remove(CONDITIONALS);
    for item in items.iter() {
        let condition = item.mapping()?;
        let [(expression, fragment)] = &condition.entries[..] else {
            return Err(Error::load(
                "invalid-data",
                format!(
                    "expected one expression with what applies if it holds, found {} keys; write an entry for each",
                    condition.entries.len()
                ),
            )
            .at(condition.mark.place()));
        };
        let holds = expression::evaluate(expression, &|name| options.get(name)).map_err(|problem| {
            Error::load("expression-failed", format!("the expression \"{}\" fails: {problem}", excerpt(expression)))
                .at(condition.mark.place())
        })?;
        let Node::Mapping(fragment) = fragment else {
            return Err(Error::load("illegal-composite", "what applies under a condition must be a mapping")
                .at(condition.mark.place()));
        };
        if let Some((key, value)) = fragment.iter().find(|(key, _)| restricted.contains(&&***key)) {
            return Err(Error::load("illegal-composite", format!("\"{key}\" cannot depend on a condition"))
                .at(value.mark().place()));
        }
        if holds {
            compose(fragment, node)?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{mark::File, yaml};

    fn processed(text: &str) -> Result<Mapping> {
        let mut node = yaml::parse(text, File::named("test")).expect("YAML");
        let options = Options::from([("t".to_owned(), Value::Bool(true)), ("f".to_owned(), Value::Bool(false))]);
        process(&mut node, &options, &["name"])?;
        Ok(node)
    }

    fn text<'a>(node: &'a Mapping, path: &[&str]) -> Option<&'a str> {
        let (last, above) = path.split_last()?;
        let mapping = above.iter().try_fold(node, |node, key| node.get(key)?.mapping().ok())?;
        mapping.text(last).ok()?
    }

    #[test]
    fn fragments_override_and_later_ones_win() {
        let node = processed("a: 0\n(?):\n- t: {a: 1, b: 1}\n- f: {a: 2}\n- t: {a: 3}\n").expect("conditionals");
        assert_eq!((text(&node, &["a"]), text(&node, &["b"])), (Some("3"), Some("1")));
        assert!(node.get("(?)").is_none());
    }

    #[test]
    fn they_are_found_at_every_depth_and_in_fragments() {
        let node = processed(
            "x: {y: {(?): [t: {z: 1}]}}\nl: [{(?): [t: {q: 1}]}, [{(?): [t: {r: 1}]}]]\n(?): [t: {(?): [t: {d: 1}]}]",
        )
        .expect("conditionals");
        assert_eq!(text(&node, &["x", "y", "z"]), Some("1"));
        assert_eq!(text(&node, &["d"]), Some("1"));
        assert!(!has_conditionals(&Node::Mapping(node)));
    }

    #[test]
    fn errors_stand_where_buildstream_says() {
        for (yaml, reason, line, column) in [
            ("a: b\n(!): no", "user-assertion", 2, 5),
            ("(?):\n- t:\n    (!): no", "user-assertion", 3, 9),
            ("(?):\n- t: {a: b}\n  f: {a: b}", "invalid-data", 2, 2),
            ("(?):\n- zzz: {a: b}", "expression-failed", 2, 2),
            ("(?):\n- f: a", "illegal-composite", 2, 2),
            ("(?):\n- t:\n    name: a", "illegal-composite", 3, 10),
            ("(?): a", "invalid-data", 1, 5),
            ("(?): [a]", "invalid-data", 1, 6),
        ] {
            let error = processed(yaml).expect_err(yaml);
            let place = error.place().expect("a place");
            assert_eq!((error.reason(), place.line, place.column), (Some(reason), line, column), "{yaml}");
        }
        assert!(processed("x: {(?): [t: {name: a}]}").is_ok(), "restricted at the root only");
        assert!(processed("(?):\n- f: {(!): no}").is_ok());
    }
}
