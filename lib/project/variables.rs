//! Variables and their expansion (spec: keys 2.8).

use super::node::{Mapping, Mark, Node, Scalar, excerpt};
use crate::values::{Error, Result};
use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// How long the texts of one element may become together: a few variables that double each other would
/// otherwise fill any memory.
const LONGEST: usize = 32 << 20;

/// How many references the search for the cause of an error follows.
const MOST_STEPS: usize = 100_000;

/// The variables of an element or a project, expanded when they are first used.
pub struct Variables {
    entries: Vec<Entry>,
    index: HashMap<Arc<str>, usize>,
    /// Bytes that expansion made so far.
    made: Cell<usize>,
}

struct Entry {
    name: Arc<str>,
    text: Arc<str>,
    mark: Mark,
    value: OnceCell<Arc<str>>,
}

/// Why an expansion stopped; the error is found in a second walk, in BuildStream's order.
struct Stopped;

impl Variables {
    /// The variables of a mapping, whose values must be texts. With `notparallel`, `max-jobs` is 1.
    pub fn new(mut node: Mapping) -> Result<Variables> {
        if node.bool("notparallel")?.unwrap_or(false) {
            node.set("max-jobs", Node::text("1"));
        }
        let mut entries = Vec::with_capacity(node.entries.len());
        let mut index = HashMap::with_capacity(node.entries.len());
        for (name, value) in node.iter() {
            let Scalar { text, mark } = value.scalar()?;
            index.insert(name.clone(), entries.len());
            let entry = Entry { name: name.clone(), text: text.clone(), mark: *mark, value: OnceCell::new() };
            if references(text).next().is_none() {
                let _ = entry.value.set(text.clone());
            }
            entries.push(entry);
        }
        Ok(Variables { entries, index, made: Cell::new(0) })
    }

    /// Expands every variable: an undefined or circular reference is an error even if nothing uses it.
    pub fn check(&self) -> Result<()> {
        self.entries.iter().enumerate().try_for_each(|(number, entry)| {
            self.expand_entry(number).map_err(|Stopped| self.explain(Some(number), &entry.text, entry.mark))
        })
    }

    /// The expanded value of a variable.
    pub fn get(&self, name: &str) -> Result<Option<Arc<str>>> {
        let Some(&number) = self.index.get(name) else { return Ok(None) };
        let entry = &self.entries[number];
        self.expand_entry(number).map_err(|Stopped| self.explain(Some(number), &entry.text, entry.mark))?;
        Ok(entry.value.get().cloned())
    }

    /// All variables that can be expanded.
    pub fn expanded(&self) -> impl Iterator<Item = (&Arc<str>, Arc<str>)> {
        self.entries.iter().enumerate().filter_map(|(number, entry)| {
            self.expand_entry(number).ok()?;
            Some((&entry.name, entry.value.get()?.clone()))
        })
    }

    /// Expands all texts below a node. Keys are left as they are.
    pub fn expand(&self, node: &mut Node) -> Result<()> {
        match node {
            Node::Scalar(scalar) => self.expand_scalar(scalar),
            Node::List(list) if list.items.iter().any(has_reference) => {
                list.items_mut().iter_mut().try_for_each(|item| self.expand(item))
            }
            Node::Mapping(mapping) => self.expand_mapping(mapping),
            Node::List(_) => Ok(()),
        }
    }

    /// The same for a mapping.
    pub fn expand_mapping(&self, mapping: &mut Mapping) -> Result<()> {
        if mapping.iter().any(|(_, value)| has_reference(value)) {
            mapping.entries_mut().iter_mut().try_for_each(|(_, value)| self.expand(value))?;
        }
        Ok(())
    }

    /// The same for a text.
    pub fn expand_scalar(&self, scalar: &mut Scalar) -> Result<()> {
        if references(&scalar.text).next().is_none() {
            return Ok(());
        }
        let expanded = self.expand_text(&scalar.text);
        scalar.text = expanded.map_err(|Stopped| self.explain(None, &scalar.text, scalar.mark))?;
        Ok(())
    }

    fn expand_text(&self, text: &str) -> Result<Arc<str>, Stopped> {
        for (_, name) in references(text) {
            self.expand_entry(*self.index.get(name).ok_or(Stopped)?)?;
        }
        self.join(text)
    }

    /// Expands a variable and those that it refers to, deepest first; without recursion, for chains of
    /// variables can be long.
    fn expand_entry(&self, number: usize) -> Result<(), Stopped> {
        if self.entries[number].value.get().is_some() {
            return Ok(());
        }
        // What is being expanded, each with the end of those of its references that are done.
        let mut path = vec![(number, 0)];
        let mut on_path = HashSet::from([number]);
        while let Some((current, done)) = path.last_mut() {
            let entry = &self.entries[*current];
            match references_from(&entry.text, *done).next() {
                Some((range, name)) => {
                    *done = range.end;
                    let next = *self.index.get(name).ok_or(Stopped)?;
                    if self.entries[next].value.get().is_none() {
                        if !on_path.insert(next) {
                            return Err(Stopped);
                        }
                        path.push((next, 0));
                    }
                }
                None => {
                    let _ = entry.value.set(self.join(&entry.text)?);
                    on_path.remove(current);
                    path.pop();
                }
            }
        }
        Ok(())
    }

    /// The text with the values of variables, which are expanded already, in the place of references.
    fn join(&self, text: &str) -> Result<Arc<str>, Stopped> {
        let mut joined = String::with_capacity(text.len() + 32);
        let mut end = 0;
        for (range, name) in references(text) {
            let value = self.index.get(name).and_then(|&number| self.entries[number].value.get()).ok_or(Stopped)?;
            joined.push_str(&text[end..range.start]);
            joined.push_str(value);
            end = range.end;
            if joined.len() > LONGEST {
                return Err(Stopped);
            }
        }
        joined.push_str(&text[end..]);
        self.made.set(self.made.get().saturating_add(joined.len()));
        if self.made.get() > LONGEST { Err(Stopped) } else { Ok(Arc::from(joined)) }
    }

    /// Why `text` cannot be expanded. Follows references as BuildStream does, so that of several problems the
    /// same one is named: the last variable found is looked into first.
    fn explain(&self, number: Option<usize>, text: &Arc<str>, mark: Mark) -> Error {
        let mut steps = vec![Step { number, text, parent: None }];
        let mut waiting = vec![0];
        while let Some(position) = waiting.pop() {
            if let Some(error) = self.circle(&steps, position) {
                return error;
            }
            for (_, name) in references(steps[position].text) {
                let Some(&next) = self.index.get(name) else {
                    let place = steps[position].number.map_or(mark, |number| self.entries[number].mark);
                    return undefined(name, place);
                };
                let text = &self.entries[next].text;
                if references(text).next().is_some() && steps.len() < MOST_STEPS {
                    waiting.push(steps.len());
                    steps.push(Step { number: Some(next), text, parent: Some(position) });
                }
            }
        }
        let message = format!("the variables of \"{}\" expand to more than {} MiB", excerpt(text), LONGEST >> 20);
        Error::load("invalid-data", message).at(mark.place())
    }

    /// The error that a step is below itself.
    fn circle(&self, steps: &[Step], position: usize) -> Option<Error> {
        let number = steps[position].number?;
        let above = std::iter::successors(steps[position].parent, |&parent| steps[parent].parent);
        let chain: Vec<usize> = above.collect();
        let end = chain.iter().position(|&parent| steps[parent].number == Some(number))?;
        let mut names: Vec<&str> =
            chain[..=end].iter().rev().filter_map(|&step| Some(&*self.entries[steps[step].number?].name)).collect();
        names.push(&self.entries[number].name);
        let message = format!("the variable \"{}\" refers to itself: {}", names[0], names.join(" -> "));
        Some(Error::load("circular-reference-variable", message))
    }
}

struct Step<'a> {
    number: Option<usize>,
    text: &'a Arc<str>,
    parent: Option<usize>,
}

fn undefined(name: &str, mark: Mark) -> Error {
    let message = format!("found a reference to the variable \"{name}\", which is not defined");
    Error::load("unresolved-variable", message).at(mark.place())
}

impl super::kinds::Variables for Variables {
    fn variable(&self, name: &str) -> Result<Option<Arc<str>>> {
        self.get(name)
    }

    fn all(&self) -> BTreeMap<String, String> {
        self.expanded().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }
}

/// The references in a text: where each stands, and the name.
fn references(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    references_from(text, 0)
}

fn references_from(text: &str, mut from: usize) -> impl Iterator<Item = (Range<usize>, &str)> {
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find("%{")?;
            from = start + 2;
            let rest = &text[from..];
            let length = rest.bytes().take_while(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_').count();
            let name = &rest[..length];
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.as_bytes().get(length) == Some(&b'}') {
                from += length + 1;
                return Some((start..from, name));
            }
        }
    })
}

fn has_reference(node: &Node) -> bool {
    match node {
        Node::Scalar(scalar) => references(&scalar.text).next().is_some(),
        Node::List(list) => list.items.iter().any(has_reference),
        Node::Mapping(mapping) => mapping.iter().any(|(_, value)| has_reference(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{mark::File, yaml};

    fn variables(text: &str) -> Variables {
        Variables::new(yaml::parse(text, File::named("test")).expect("YAML")).expect("variables")
    }

    fn value(text: &str, name: &str) -> Result<String> {
        Ok(variables(text).get(name)?.expect("a value").to_string())
    }

    #[test]
    fn values_are_expanded_all_the_way() {
        let text = "a: x%{b}y%{b}\nb: <%{c-d}>\nc-d: z\n";
        assert_eq!(value(text, "a").ok().as_deref(), Some("x<z>y<z>"));
        assert!(variables(text).get("none").expect("no error").is_none());
    }

    #[test]
    fn what_is_no_reference_is_plain_text() {
        for text in ["%{9x}", "%{a b}", "%{}", "%foo", "%{a", "%{ä}", "%%{"] {
            assert_eq!(value(&format!("x: \"{text}\"\na: q"), "x").ok().as_deref(), Some(text));
        }
        assert_eq!(value("x: \"%{%{a}\"\na: q", "x").ok().as_deref(), Some("%{q"));
        assert_eq!(value("x: \"%%{a}\"\na: q", "x").ok().as_deref(), Some("%q"));
        assert_eq!(value("x: \"%{a}{b}\"\na: \"%\"\nb: q", "x").ok().as_deref(), Some("%{b}"), "not scanned again");
    }

    #[test]
    fn expansion_does_not_strip() {
        let variables = variables("empty: \"\"");
        let mut node = Node::text("x %{empty}");
        variables.expand(&mut node).expect("expansion");
        assert_eq!(&*node.scalar().expect("a text").text, "x ");
    }

    #[test]
    fn undefined_references_are_named_where_they_stand() {
        let error = variables("a: \"%{b}\"\nb: \"%{c}\"").check().expect_err("undefined");
        let place = error.place().expect("a place");
        assert_eq!((error.reason(), place.line, place.column), (Some("unresolved-variable"), 2, 3));
        let mut node = Node::Mapping(yaml::parse("l: [x, \"%{zzz}\"]", File::named("e")).expect("YAML"));
        let error = variables("a: b").expand(&mut node).expect_err("undefined");
        assert_eq!(error.place().map(|place| (place.line, place.column)), Some((1, 7)));
    }

    #[test]
    fn circles_are_an_error_and_chains_are_not() {
        for text in ["a: \"%{a}\"", "a: \"%{b}\"\nb: x%{a}", "x: \"%{a}\"\na: \"%{b}\"\nb: \"%{c}\"\nc: \"%{a}\""] {
            let error = variables(text).check().expect_err(text);
            assert_eq!((error.reason(), error.place()), (Some("circular-reference-variable"), None), "{text}");
        }
        let chain: String = (0..5000).map(|n| format!("v{n}: \"%{{v{}}}\"\n", n + 1)).collect();
        assert_eq!(value(&(chain + "v5000: end"), "v0").ok().as_deref(), Some("end"));
    }

    #[test]
    fn variables_that_double_each_other_are_an_error() {
        let bomb: String = (0..60).map(|n| format!("v{n}: \"%{{v{0}}}%{{v{0}}}\"\n", n + 1)).collect();
        let error = variables(&(bomb + "v60: xxxx")).check().expect_err("too long");
        assert!(error.message().contains("MiB"), "{error}");
    }

    #[test]
    fn notparallel_means_one_job() {
        assert_eq!(value("max-jobs: 8\nnotparallel: True", "max-jobs").ok().as_deref(), Some("1"));
        assert_eq!(value("max-jobs: 8\nnotparallel: \"0\"", "max-jobs").ok().as_deref(), Some("8"));
        assert!(Variables::new(yaml::parse("notparallel: yes", File::NONE).expect("YAML")).is_err());
    }
}
