//! The rules of the house: direction of dependencies, no panics, short files, nothing of one machine.

use crate::page::root;
use std::path::{Path, PathBuf};

/// The layers, each using only those before it.
const LAYERS: [&str; 5] = ["values", "store", "project", "doing", "edge"];

/// Files longer than this are split by subject.
const LONGEST: usize = 700;

/// Every file below some directories of the checkout, as path and text. Files that are no text are left out.
fn files(below: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for directory in below {
        for entry in walkdir::WalkDir::new(root().join(directory)).sort_by_file_name() {
            let entry = entry.expect("an entry");
            if entry.file_type().is_file() {
                if let Ok(text) = std::fs::read_to_string(entry.path()) {
                    found.push((relative(entry.path()), text));
                }
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("inside the checkout").to_string_lossy().into_owned()
}

/// The Rust sources of the library and the programs, without their test modules, line by line.
fn code(below: &[&str]) -> Vec<(String, usize, String)> {
    let files = files(below);
    let tests: Vec<String> = files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_code = |path: &String| {
        path.ends_with(".rs") && !path.contains("/tests/") && !tests.iter().any(|test| path.starts_with(test.as_str()))
    };
    files
        .into_iter()
        .filter(|(path, _)| is_code(path))
        .flat_map(|(path, text)| {
            let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
            lines.enumerate().map(|(n, line)| (path.clone(), n + 1, line.to_owned())).collect::<Vec<_>>()
        })
        .filter(|(_, _, line)| !line.trim_start().starts_with("//"))
        .collect()
}

/// Where the test modules lie that a file declares and does not hold.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let directory = match file {
        "mod.rs" | "lib.rs" => directory.to_owned(),
        _ => format!("{directory}/{}", file.trim_end_matches(".rs")),
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'))
        .flat_map(|module| [format!("{directory}/{module}.rs"), format!("{directory}/{module}/")])
        .collect()
}

fn assert_none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// The lines that hold one of some words.
fn lines_with(below: &[&str], words: &[&str]) -> Vec<String> {
    code(below)
        .into_iter()
        .filter(|(_, _, line)| words.iter().any(|word| line.contains(word)))
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect()
}

#[test]
fn layers_depend_one_way() {
    let mut wrong = Vec::new();
    for (index, layer) in LAYERS.iter().enumerate() {
        for (path, number, line) in code(&[&format!("lib/{layer}")]) {
            let later = LAYERS[index + 1..].iter().find(|later| line.contains(&format!("crate::{later}")));
            wrong.extend(later.map(|later| format!("{path}:{number}: {layer} uses {later}")));
        }
    }
    assert_none(wrong, "a layer uses only those before it");
    let known: Vec<PathBuf> = LAYERS.iter().map(|layer| root().join("lib").join(layer)).collect();
    let unknown: Vec<String> = std::fs::read_dir(root().join("lib"))
        .expect("lib/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir() && !known.contains(path))
        .map(|path| relative(&path))
        .collect();
    assert_none(unknown, "directories of lib/ are layers");
}

#[test]
fn nothing_panics_on_purpose() {
    let words = [".unwrap()", "todo!(", "unimplemented!(", "dbg!(", "panic!("];
    assert_none(lines_with(&["lib", "bins"], &words), "no panics in the library and the programs");
}

#[test]
fn only_the_edge_prints_exits_and_reads_the_environment() {
    let words = ["println!(", "print!(", "process::exit", "env::var", "env::args", "env::current_dir"];
    let below = ["lib/values", "lib/store", "lib/project", "lib/doing"];
    assert_none(lines_with(&below, &words), "printing, exiting and the environment belong to lib/edge");
}

#[test]
fn async_lives_with_the_programs_that_talk_to_the_network() {
    let near: Vec<String> = code(&["lib", "bins"])
        .into_iter()
        .filter(|(path, _, line)| {
            !path.starts_with("bins/remote/") && (line.contains("async ") || line.contains(".await"))
        })
        .map(|(path, number, _)| format!("{path}:{number}"))
        .collect();
    assert_none(near, "async only in bins/remote");
}

#[test]
fn files_are_short() {
    let long = files(&["lib", "bins", "tests"])
        .into_iter()
        .filter(|(path, text)| path.ends_with(".rs") && text.lines().count() > LONGEST)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert_none(long, "a file of more than 700 lines is two subjects");
}

#[test]
fn a_program_is_one_short_file() {
    let long = files(&["bins"])
        .into_iter()
        .filter(|(path, text)| path.starts_with("bins/bst-") && text.lines().count() > 150)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert_none(long, "a program parses its arguments and calls the library");
}

#[test]
fn nothing_is_left_for_later_and_nothing_names_one_machine() {
    let unfinished = ["TO", "FIX", "XX"].iter().zip(["DO", "ME", "X"]).map(|(a, b)| format!("{a}{b}"));
    // Written so that this file does not hold them.
    let places = ["main", "ref", "shared", "wt", "."].map(|below| format!("/{}/{below}", "work"));
    let homes = ["cache", "cargo", "pyenv"].map(|below| format!("/{}/.{below}", "root"));
    let words: Vec<String> = unfinished.chain(places).chain(homes).collect();
    let mut wrong = Vec::new();
    for (path, text) in files(&["lib", "bins", "tests", "man", "demo", "scripts", ".ci", "."]) {
        if path.starts_with("target/") || path.starts_with(".git/") || path == "LICENSE" {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            wrong.extend(
                words
                    .iter()
                    .filter(|word| line.contains(word.as_str()))
                    .map(|word| format!("{path}:{}: {word}", number + 1)),
            );
        }
    }
    wrong.sort();
    wrong.dedup();
    assert_none(wrong, "unfinished work, or a path of one machine");
}
