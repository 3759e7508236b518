//! Options of a project: what project.conf declares, and the values that they get (spec: keys 2.4).

use super::arch;
use super::conditional;
use super::expression::Value;
use super::node::{List, Mapping, Node, Scalar, excerpt};
use super::settings::Machine;
use crate::values::{Error, Result};
use std::path::{Path, PathBuf};

/// The options of a project, in the order of their declaration.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    options: Vec<Declared>,
}

#[derive(Clone, Debug)]
struct Declared {
    name: String,
    /// The variable that gets the value.
    variable: Option<String>,
    value: Typed,
}

#[derive(Clone, Debug)]
enum Typed {
    Bool(bool),
    /// One of several values. `late`: checked only after everything has set it (arch and os).
    One {
        values: Vec<String>,
        value: String,
        late: bool,
    },
    /// Some of several values.
    Some {
        values: Vec<String>,
        value: Vec<String>,
    },
}

const COMMON: [&str; 3] = ["type", "description", "variable"];

/// Whether a name may be a project's, a variable's, or (without dashes) an option's.
pub fn is_symbol(name: &str, dashes: bool) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || (dashes && c == '-');
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(valid)
}

/// Refuses a name that is no symbol.
pub fn check_symbol(name: &str, what: &str, dashes: bool, node: &Node) -> Result<()> {
    if is_symbol(name, dashes) {
        return Ok(());
    }
    let allowed = if dashes { "letters, digits, \"_\" and \"-\"" } else { "letters, digits and \"_\"" };
    let message = format!("\"{}\" is no {what}, which has {allowed} and does not start with a digit", excerpt(name));
    Err(Error::load("invalid-symbol-name", message).at(node.mark().place()))
}

impl Pool {
    /// Reads the declarations.
    pub fn declare(&mut self, options: &Mapping, machine: &Machine, element_path: &Path) -> Result<()> {
        for (name, node) in options.iter() {
            check_symbol(name, "name of an option", false, node)?;
            let declared = declared(name, node.mapping()?, machine, element_path)?;
            match self.options.iter_mut().find(|option| option.name == **name) {
                Some(option) => *option = declared,
                None => self.options.push(declared),
            }
        }
        Ok(())
    }

    /// Sets values that YAML gives: a junction's, or the user's.
    pub fn set_from_yaml(&mut self, values: &Mapping) -> Result<()> {
        for (name, node) in values.iter() {
            let Some(option) = self.options.iter_mut().find(|option| option.name == **name) else {
                let message = format!("there is no option \"{}\" in this project", excerpt(name));
                return Err(Error::load("invalid-data", message).at(node.mark().place()));
            };
            option.set_from_yaml(node)?;
        }
        Ok(())
    }

    /// Sets values of the command line. `lenient`: options that are not declared are passed over.
    pub fn set_from_words(&mut self, values: &[(String, String)], lenient: bool) -> Result<()> {
        for (name, word) in values {
            match self.options.iter_mut().find(|option| option.name == *name) {
                Some(option) => option.set_from_word(word)?,
                None if lenient => {}
                None => {
                    let message = format!("there is no option \"{}\" in this project", excerpt(name));
                    return Err(Error::load("invalid-data", message));
                }
            }
        }
        Ok(())
    }

    /// Checks what could not be checked before all values were set, and gives what expressions see.
    pub fn resolve(&self) -> Result<conditional::Options> {
        self.options
            .iter()
            .map(|option| {
                if let Typed::One { values, value, late: true } = &option.value {
                    check_one(&option.name, value, values, None)?;
                }
                Ok((option.name.clone(), option.value.expression_value()))
            })
            .collect()
    }

    /// Sets the variables that options name.
    pub fn export(&self, variables: &mut Mapping) {
        for option in &self.options {
            if let Some(variable) = &option.variable {
                set_keeping_place(variables, variable, &option.value.text());
            }
        }
    }

    /// The names and the texts of the values.
    pub fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.options.iter().map(|option| (&*option.name, option.value.text()))
    }
}

/// Sets a text that the program makes. It stands where the text before it stood, which is how a protected
/// variable that a file sets is found.
pub fn set_keeping_place(mapping: &mut Mapping, key: &str, text: &str) {
    let mark = mapping.get(key).map(Node::mark);
    let mut scalar = Scalar::new(text, super::mark::Mark::synthetic());
    if let Some(mark) = mark {
        scalar.mark = mark;
    }
    mapping.set(key, Node::Scalar(scalar));
}

fn declared(name: &str, node: &Mapping, machine: &Machine, element_path: &Path) -> Result<Declared> {
    let kind = node.require("type")?.scalar()?;
    if !matches!(&*kind.text, "bool" | "enum" | "flags" | "element-mask" | "arch" | "os") {
        return Err(kind.expected("bool, enum, flags, element-mask, arch or os"));
    }
    node.require_text("description")?;
    let variable = node.scalar("variable")?;
    if let Some(variable) = variable {
        check_symbol(&variable.text, "name of a variable", true, &Node::Scalar(variable.clone()))?;
    }
    let value = match &*kind.text {
        "bool" => {
            check_keys(node, &["default"])?;
            Typed::Bool(node.require("default")?.scalar()?.bool()?)
        }
        "enum" => one(name, node)?,
        "arch" => machine_arch(name, node, machine)?,
        "os" => {
            let values = values_of(name, node, &["values"])?;
            Typed::One { values, value: machine.os.clone(), late: true }
        }
        kind => some(name, node, kind, element_path)?,
    };
    Ok(Declared { name: name.to_owned(), variable: variable.map(|scalar| scalar.text.to_string()), value })
}

fn check_keys(node: &Mapping, own: &[&str]) -> Result<()> {
    node.check_keys(&[&COMMON, own].concat())
}

fn values_of(name: &str, node: &Mapping, keys: &[&str]) -> Result<Vec<String>> {
    check_keys(node, keys)?;
    let values = owned(&node.texts("values")?.unwrap_or_default());
    some_values(name, node, values)
}

fn some_values(name: &str, node: &Mapping, values: Vec<String>) -> Result<Vec<String>> {
    if values.is_empty() {
        let message = format!("the option \"{name}\" has no values to choose from");
        return Err(Error::load("invalid-data", message).at(node.mark.place()));
    }
    Ok(values)
}

fn one(name: &str, node: &Mapping) -> Result<Typed> {
    let values = values_of(name, node, &["values", "default"])?;
    let default = node.require("default")?.scalar()?;
    check_one(name, &default.text, &values, Some(default))?;
    Ok(Typed::One { values, value: default.text.to_string(), late: false })
}

/// The first value that means the machine's architecture, in the project's spelling.
fn machine_arch(name: &str, node: &Mapping, machine: &Machine) -> Result<Typed> {
    let values = values_of(name, node, &["values"])?;
    let unknown = |name: &str| Error::load("invalid-data", format!("\"{}\" is no known architecture", excerpt(name)));
    let host = arch::canonical(&machine.arch).ok_or_else(|| unknown(&machine.arch))?;
    let mut value = None;
    for item in node.list("values")?.map_or(&[][..], |list| &list.items[..]) {
        let scalar = item.scalar()?;
        let found = arch::canonical(&scalar.text).ok_or_else(|| unknown(&scalar.text).at(scalar.mark.place()))?;
        if value.is_none() && found == host {
            value = Some(scalar.text.to_string());
        }
    }
    Ok(Typed::One { values, value: value.unwrap_or_else(|| host.to_owned()), late: true })
}

fn some(name: &str, node: &Mapping, kind: &str, element_path: &Path) -> Result<Typed> {
    let values = if kind == "flags" {
        values_of(name, node, &["values", "default"])?
    } else {
        check_keys(node, &["default"])?;
        some_values(name, node, elements_below(element_path)?)?
    };
    let empty = List::new(Vec::new(), super::mark::Mark::synthetic());
    let default = node.list("default")?.unwrap_or(&empty);
    let value = owned(&default.texts()?);
    check_some(name, &value, &values, Some(default))?;
    Ok(Typed::Some { values, value })
}

/// Every `.bst` file below a directory, relative to it.
fn elements_below(directory: &Path) -> Result<Vec<String>> {
    let relative = |path: PathBuf| path.strip_prefix(directory).ok()?.to_str().map(str::to_owned);
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(directory).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::io("cannot read", directory, error))?;
        found.extend(relative(entry.into_path()).filter(|path| path.ends_with(".bst")));
    }
    Ok(found)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn check_one(name: &str, value: &str, values: &[String], at: Option<&Scalar>) -> Result<()> {
    if values.iter().any(|valid| valid == value) {
        return Ok(());
    }
    let message = format!("the option \"{name}\" is one of {}, found \"{}\"", values.join(", "), excerpt(value));
    let error = Error::load("invalid-data", message);
    Err(match at {
        Some(scalar) => error.at(scalar.mark.place()),
        None => error,
    })
}

fn check_some(name: &str, value: &[String], values: &[String], at: Option<&List>) -> Result<()> {
    let Some(bad) = value.iter().find(|flag| !values.contains(flag)) else { return Ok(()) };
    let message = format!("the option \"{name}\" is some of {}, found \"{}\"", values.join(", "), excerpt(bad));
    let error = Error::load("invalid-data", message);
    Err(match at {
        Some(list) => error.at(list.mark.place()),
        None => error,
    })
}

impl Declared {
    fn set_from_yaml(&mut self, node: &Node) -> Result<()> {
        match &mut self.value {
            Typed::Bool(value) => *value = node.scalar()?.bool()?,
            Typed::One { values, value, .. } => {
                let scalar = node.scalar()?;
                check_one(&self.name, &scalar.text, values, Some(scalar))?;
                *value = scalar.text.to_string();
            }
            Typed::Some { values, value } => {
                let list = node.list()?;
                let mut new = owned(&list.texts()?);
                new.sort();
                check_some(&self.name, &new, values, Some(list))?;
                *value = new;
            }
        }
        Ok(())
    }

    fn set_from_word(&mut self, word: &str) -> Result<()> {
        match &mut self.value {
            Typed::Bool(value) => {
                *value = match word {
                    "True" | "true" => true,
                    "False" | "false" => false,
                    _ => {
                        let message =
                            format!("the option \"{}\" is True or False, found \"{}\"", self.name, excerpt(word));
                        return Err(Error::load("invalid-data", message));
                    }
                };
            }
            Typed::One { values, value, .. } => {
                check_one(&self.name, word, values, None)?;
                *value = word.to_owned();
            }
            Typed::Some { values, value } => {
                let bare: String = word.split_whitespace().collect();
                let mut new: Vec<String> = bare.split(',').map(str::to_owned).collect();
                check_some(&self.name, &new, values, None)?;
                new.sort();
                *value = new;
            }
        }
        Ok(())
    }
}

impl Typed {
    fn expression_value(&self) -> Value {
        match self {
            Typed::Bool(value) => Value::Bool(*value),
            Typed::One { value, .. } => Value::Text(value.clone()),
            Typed::Some { value, .. } => Value::List(value.iter().cloned().map(Value::Text).collect()),
        }
    }

    fn text(&self) -> String {
        match self {
            Typed::Bool(value) => if *value { "1" } else { "0" }.to_owned(),
            Typed::One { value, .. } => value.clone(),
            Typed::Some { value, .. } => value.join(","),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{mark::File, yaml};

    fn machine() -> Machine {
        Machine { os: "Linux".into(), arch: "x86_64".into(), processors: 2 }
    }

    fn read(text: &str) -> Mapping {
        yaml::parse(text, File::named("project.conf")).expect("YAML")
    }

    fn pool(text: &str) -> Result<Pool> {
        let mut pool = Pool::default();
        pool.declare(&read(text), &machine(), Path::new("/nonexistent"))?;
        Ok(pool)
    }

    fn text(pool: &Pool, name: &str) -> String {
        pool.texts().find(|(option, _)| *option == name).expect("an option").1
    }

    const ALL: &str = "b: {type: bool, description: x, default: True, variable: bee}
e: {type: enum, description: x, values: [q, p], default: p}
f: {type: flags, description: x, values: [z, y, x], default: [z, x], variable: eff}
a: {type: arch, description: x, values: [aarch64, x86_64, amd64]}
o: {type: os, description: x, values: [Linux]}
";

    #[test]
    fn defaults_and_what_is_exported() {
        let pool = pool(ALL).expect("options");
        let texts: Vec<_> = pool.texts().map(|(_, text)| text).collect();
        assert_eq!(texts, ["1", "p", "z,x", "x86_64", "Linux"]);
        let mut variables = read("bee: no");
        pool.export(&mut variables);
        assert_eq!(variables.text("bee").ok().flatten(), Some("1"));
        assert_eq!(variables.text("eff").ok().flatten(), Some("z,x"));
        assert_eq!(pool.resolve().expect("values")["b"], Value::Bool(true));
    }

    #[test]
    fn values_from_files_and_words() {
        let mut pool = pool(ALL).expect("options");
        pool.set_from_yaml(&read("b: \"0\"\ne: q\nf: [z, y]\na: aarch64")).expect("values");
        assert_eq!((text(&pool, "b"), text(&pool, "f")), ("0".into(), "y,z".into()));
        let words = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        pool.set_from_words(&words("f", " z , x"), false).expect("flags");
        assert_eq!(text(&pool, "f"), "x,z");
        for (name, bad) in [("b", "1"), ("b", "trUE"), ("e", "r"), ("f", ""), ("f", "w"), ("none", "x")] {
            assert!(pool.set_from_words(&words(name, bad), false).is_err(), "{name} {bad}");
        }
        pool.set_from_words(&words("none", "x"), true).expect("passed over");
    }

    #[test]
    fn wrong_declarations_are_named_where_they_stand() {
        for (yaml, reason, line, column) in [
            ("a-b: {type: bool, description: x, default: True}", "invalid-symbol-name", 1, 5),
            ("a:\n  type: pony", "invalid-data", 2, 8),
            ("a: {type: bool, default: True}", "invalid-data", 1, 3),
            ("a: {type: enum, description: x, default: x}", "invalid-data", 1, 3),
            ("a: {type: enum, description: x, values: [x], default: y}", "invalid-data", 1, 54),
            ("a: {type: bool, description: x, default: True, values: [x]}", "invalid-data", 1, 55),
            ("a: {type: arch, description: x, values: [pdp11]}", "invalid-data", 1, 41),
            ("a: {type: bool, description: x, variable: b c, default: True}", "invalid-symbol-name", 1, 42),
            ("a: {type: flags, description: x, values: [x], default: [y]}", "invalid-data", 1, 55),
        ] {
            let error = pool(yaml).expect_err(yaml);
            let place = error.place().expect("a place");
            assert_eq!((error.reason(), place.line, place.column), (Some(reason), line, column), "{yaml}");
        }
    }

    #[test]
    fn arch_and_os_are_checked_at_the_end() {
        let mut pool = pool("a: {type: arch, description: x, values: [aarch64]}").expect("options");
        assert!(pool.resolve().is_err());
        pool.set_from_yaml(&read("a: aarch64")).expect("a value");
        assert!(pool.resolve().is_ok());
    }
}
