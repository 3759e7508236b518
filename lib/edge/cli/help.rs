//! The text of `--help`.

use super::{Flag, Program, Takes};

/// The help of a program: usage, summary, flags.
pub(super) fn text(program: &Program) -> String {
    let mut text = String::new();
    for (index, usage) in program.usage.iter().enumerate() {
        let lead = if index == 0 { "usage: " } else { "       " };
        text += &format!("{lead}{} {usage}\n", program.name);
    }
    text += &format!("\n{}.\n\n", program.summary);
    let mut rows: Vec<(String, &str)> = program.flags.iter().map(|flag| (left(flag), flag.help)).collect();
    rows.push(("-h, --help".to_owned(), "print this help"));
    rows.push(("    --version".to_owned(), "print the version"));
    let width = rows.iter().map(|(left, _)| left.len()).filter(|&length| length <= 30).max().unwrap_or(0);
    for (left, help) in rows {
        if left.len() > width {
            text += &format!("  {left}\n  {:width$}  {help}\n", "");
        } else {
            text += &format!("  {left:width$}  {help}\n");
        }
    }
    text += &format!("\nMore: man {}\n", program.name);
    text
}

fn left(flag: &Flag) -> String {
    let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    let value = match flag.takes {
        Takes::Nothing => String::new(),
        Takes::Value(word) => format!("={word}"),
        Takes::Choice(words) => format!("={}", words.join("|")),
        Takes::Choices(words) => format!("={},...", words.join("|")),
        Takes::Pair(first, second) => format!(" {first} {second}"),
    };
    format!("{short}--{}{value}", flag.long)
}
