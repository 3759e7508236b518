//! Completions for fish.

use super::{Program, Value, flags, value};
use crate::edge::cli::{Flag, Operands};

pub(super) fn script(program: &Program) -> String {
    let name = program.name;
    let mut text = format!("# fish completion for {name}, made by bst-completions\n");
    match program.operands {
        Operands::None => text += &format!("complete -c {name} -f\n"),
        Operands::Some(..) => {}
        Operands::Command => text += &format!("complete -c {name} -x -a '(__fish_complete_subcommand)'\n"),
    }
    for flag in flags(program) {
        text += &line(name, flag);
    }
    text
}

fn line(name: &str, flag: &Flag) -> String {
    let short = flag.short.map_or(String::new(), |short| format!(" -s {short}"));
    let value = match value(flag) {
        None => String::new(),
        Some(Value::Directory) => " -x -a '(__fish_complete_directories)'".to_owned(),
        Some(Value::File) => " -r -F".to_owned(),
        Some(Value::Program) => " -x -a '(__fish_complete_command)'".to_owned(),
        Some(Value::Words(words)) => format!(" -x -a '{}'", words.join(" ")),
        Some(Value::List(words)) => {
            format!(" -x -a '(__fish_complete_list , \"string split \\\" \\\" -- \\\"{}\\\"\")'", words.join(" "))
        }
        Some(Value::Other) => " -x".to_owned(),
    };
    format!("complete -c {name}{short} -l {}{value} -d '{}'\n", flag.long, escape(flag.help))
}

/// Text inside single quotes.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}
