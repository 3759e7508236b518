//! What the README shows runs as it is written.

use crate::page::root;
use crate::support::{Place, Run};

/// The blocks of shell in a Markdown file.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (line, &mut block) {
            ("```sh", _) => block = Some(String::new()),
            ("```", _) => blocks.extend(block.take()),
            (line, Some(block)) => {
                *block += line;
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

#[test]
fn the_commands_of_the_readme_run_one_after_the_other() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let place = Place::new();
    place.demo_project("project");
    let blocks = blocks(&text);
    assert!(blocks.len() >= 5, "{}", blocks.len());
    for block in blocks {
        let run = Run::of(place.shell(&block).current_dir(place.path("project")), "");
        // A pipeline ends as its last program does; failures and replays are what the README is about.
        assert!([0, 3, 4].contains(&run.code), "exit {}\n{block}\n{}\n{}", run.code, run.out, run.err);
        assert!(!run.err.contains("--help") && !run.err.contains("not found"), "{block}\n{}", run.err);
        assert!(!run.out.trim().is_empty() || block.contains('>'), "no output of\n{block}\n{}", run.err);
    }
}
