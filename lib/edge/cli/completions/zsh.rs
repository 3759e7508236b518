//! Completions for zsh, by its `_arguments`.

use super::{Program, Value, flags, function, spellings, value};
use crate::edge::cli::{Flag, Operands, Takes};

/// A file `_NAME` for a directory of `fpath`; of several programs a script to be sourced.
pub(super) fn script(programs: &[&Program]) -> String {
    match programs {
        [program] => format!("#compdef {}\n{}\n{} \"$@\"\n", program.name, body(program), function(program)),
        _ => programs
            .iter()
            .map(|program| format!("{}\ncompdef {} {}\n", body(program), function(program), program.name))
            .collect(),
    }
}

fn body(program: &Program) -> String {
    let mut specs: Vec<String> = flags(program).map(spec).collect();
    match program.operands {
        Operands::None => {}
        Operands::Some(..) => specs.push("'*:operand:_files'".to_owned()),
        Operands::Command => {
            specs.push("'(-):command:_command_names -e'".to_owned());
            specs.push("'*::arguments:_normal'".to_owned());
        }
    }
    let name = program.name;
    let function = function(program);
    format!(
        "# zsh completion for {name}, made by bst-completions\n{function}() {{\n    _arguments -s -S \\\n        {}\n}}",
        specs.join(" \\\n        ")
    )
}

/// What `_arguments` wants to know of one flag.
fn spec(flag: &Flag) -> String {
    let spellings = spellings(flag);
    // A flag that stands alone is offered once; one with a value may come again.
    let before = if flag.takes == Takes::Nothing { format!("({})", spellings.join(" ")) } else { "*".to_owned() };
    let names: Vec<String> = spellings.iter().map(|name| format!("{name}{}", joint(flag, name))).collect();
    let names = match &names[..] {
        [only] => format!("'{before}{only}"),
        _ => format!("'{before}'{{{}}}'", names.join(",")),
    };
    format!("{names}[{}]{}'", escape(flag.help), argument(flag))
}

/// How a value may be joined to a flag: `-C+` is one word or two, `--deps=` with an equals sign or not.
fn joint(flag: &Flag, name: &str) -> &'static str {
    match flag.takes {
        Takes::Nothing | Takes::Pair(..) => "",
        _ if name.starts_with("--") => "=",
        _ => "+",
    }
}

fn argument(flag: &Flag) -> String {
    let word = match flag.takes {
        Takes::Nothing => return String::new(),
        Takes::Pair(first, second) => return format!(":{}: :{}: ", escape(first), escape(second)),
        Takes::Value(word) => escape(word),
        Takes::Choice(_) | Takes::Choices(_) => "word".to_owned(),
    };
    let action = match value(flag) {
        Some(Value::Directory) => "_files -/".to_owned(),
        Some(Value::File) => "_files".to_owned(),
        Some(Value::Program) => "_command_names -e".to_owned(),
        Some(Value::Words(words)) => format!("({})", words.join(" ")),
        Some(Value::List(words)) => format!("_values -s , word {}", words.join(" ")),
        Some(Value::Other) | None => " ".to_owned(),
    };
    format!(":{word}:{action}")
}

/// Text inside single quotes and brackets of a specification.
fn escape(text: &str) -> String {
    text.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}
