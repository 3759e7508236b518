//! Man pages against the tables, the exit codes, each other and the linter.

use crate::page::{self, Page, root};
use bst_plumbing::edge::cli::{Program, programs};
use bst_plumbing::values::Exit;
use std::process::Command;

/// The page of each program, of those that have one.
fn with_page() -> impl Iterator<Item = (&'static Program, Page)> {
    programs::ALL.iter().filter_map(|program| Some((*program, page::find(&format!("{}.1", program.name))?)))
}

#[test]
fn the_flags_of_each_page_are_those_of_its_table() {
    let mut wrong = Vec::new();
    for (program, page) in with_page() {
        let mut expected: Vec<String> = ["-h", "--help", "--version"].map(str::to_owned).to_vec();
        for flag in program.flags {
            expected.extend(flag.short.map(|short| format!("-{short}")));
            expected.push(format!("--{}", flag.long));
        }
        let found = page.flags();
        let missing: Vec<_> = expected.iter().filter(|flag| !found.contains(flag)).collect();
        let unknown: Vec<_> = found.iter().filter(|flag| !expected.contains(flag)).collect();
        if !missing.is_empty() || !unknown.is_empty() {
            wrong.push(format!("{}: not in OPTIONS: {missing:?}; not in the table: {unknown:?}", page.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_has_its_sections() {
    let mut wrong = Vec::new();
    for page in page::all() {
        let needed: &[&str] = match page.name.rsplit_once('.') {
            Some((_, "1")) => &["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"],
            _ => &["NAME", "DESCRIPTION", "SEE ALSO"],
        };
        wrong.extend(
            needed
                .iter()
                .filter(|title| page.section(title).is_empty())
                .map(|title| format!("{}: no section {title}", page.name)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_name_line_of_a_page_is_the_summary_of_the_table() {
    for (program, page) in with_page() {
        let line: String = page.section("NAME").iter().map(|line| page::plain(line)).collect();
        let (name, summary) = line.split_once(" - ").unwrap_or_else(|| panic!("{}: NAME is \"{line}\"", page.name));
        assert_eq!(name, program.name, "{}", page.name);
        assert!(!summary.ends_with('.') && !summary.is_empty(), "{}: {summary}", page.name);
    }
}

/// The comment of each variant of the enum is the sentence of the table.
fn exits_of_the_source() -> Vec<(u8, String)> {
    let source = std::fs::read_to_string(root().join("lib/values/exit.rs")).expect("exit.rs");
    let body = source.split_once("pub enum Exit {").and_then(|(_, rest)| rest.split_once("\n}")).expect("the enum").0;
    let mut exits = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for line in body.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            words.push(comment.trim());
        } else if let Some((_, code)) = line.trim_end_matches(',').split_once(" = ") {
            exits.push((code.parse().expect("a number"), words.join(" ")));
            words.clear();
        }
    }
    exits
}

#[test]
fn the_table_of_exit_codes_is_the_enum() {
    let source = exits_of_the_source();
    assert_eq!(source.iter().map(|(code, _)| *code).collect::<Vec<_>>(), Exit::ALL.map(Exit::code));
    let page = page::find("bst.7").expect("bst.7");
    let entries = page.entries("EXIT STATUS");
    let table: Vec<(u8, &str)> =
        entries.iter().filter_map(|(tag, text)| Some((tag.parse().ok()?, text.as_str()))).collect();
    assert_eq!(table.len(), source.len(), "{table:?}");
    for ((code, comment), (listed, text)) in source.iter().zip(table) {
        assert_eq!(*code, listed);
        assert!(text.starts_with(comment.as_str()), "{code}: the page says \"{text}\", the enum says \"{comment}\"");
    }
}

#[test]
fn every_page_that_a_page_names_is_there() {
    let pages = page::all();
    let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    let mut wrong = Vec::new();
    for page in &pages {
        for line in page.section("SEE ALSO") {
            for (name, section) in references(&page::plain(line)) {
                if name.starts_with("bst") && !names.contains(&format!("{name}.{section}").as_str()) {
                    wrong.push(format!("{} names {name}({section})", page.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each `name(section)` in a text.
fn references(text: &str) -> Vec<(String, String)> {
    text.split([' ', ','])
        .filter_map(|word| word.trim_end_matches('.').strip_suffix(')')?.split_once('('))
        .map(|(name, section)| (name.to_owned(), section.to_owned()))
        .collect()
}

#[test]
fn the_linter_is_content() {
    let paths: Vec<_> = page::all().into_iter().map(|page| page.path).collect();
    let run = Command::new("mandoc")
        .args(["-T", "lint", "-W", "warning"])
        .args(&paths)
        .output()
        .expect("mandoc, of the Debian package of that name");
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.is_empty(), "{said}");
}

#[test]
fn what_is_copied_from_a_page_is_ascii() {
    let mut wrong = Vec::new();
    for page in page::all() {
        let mut inside = false;
        for (number, line) in page.text.lines().enumerate() {
            inside = (inside || line == ".EX") && line != ".EE";
            // roff sets a typewriter's quote and dash as typographic ones.
            if inside && (line.contains('\'') || line.replace("->", "").contains(" -")) {
                wrong.push(format!("{}:{}: write \\(aq for ' and \\- for -: {line}", page.name, number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_are_shell() {
    let mut wrong = Vec::new();
    for page in page::all().iter().filter(|page| page.name.ends_with(".1")) {
        for block in page.code("EXAMPLES") {
            let run = Command::new("sh").args(["-n", "-c", &block]).output().expect("sh");
            if !run.status.success() {
                wrong.push(format!("{}: {}{block}", page.name, String::from_utf8_lossy(&run.stderr)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
