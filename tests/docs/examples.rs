//! The examples of man pages run: each page's blocks, one after the other, in a copy of the demo's project that has
//! been built as far as it can be.

use crate::page::{self, Page};
use crate::support::{Place, Run};

/// What an example cannot have here: a person at a terminal, a server, an upstream.
const ELSEWHERE: [&str; 7] =
    ["https://", "bst-ask", "bst-push", "bst-pull", "bst-remote-query", "bst-track", "--remote-execution"];

#[test]
fn the_examples_of_man_pages_run() {
    let built = Place::new();
    built.demo_project("project");
    // Pages speak of app.bst, which is fine, and of bad.bst, which is not.
    let elements = built.path("project/elements");
    std::fs::copy(elements.join("parser.bst"), elements.join("bad.bst")).expect("bad.bst");
    let build = "cd project && bst-key all.bst bad.bst | bst-cache-query | bst-schedule --on-error=continue";
    let records = Run::of(&mut built.shell(build), "").exits(3).records();
    let key = |element: &str| {
        let record = records.iter().find(|record| record["element"] == element).expect("a record");
        record["key"].as_str().expect("a key").to_owned()
    };
    let variables = [("key", key("bad.bst")), ("yesterday", key("app.bst")), ("today", key("bad.bst"))];
    let mut wrong = Vec::new();
    for page in page::all().iter().filter(|page| page.name.ends_with(".1")) {
        wrong.extend(run(page, &built, &variables));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the examples of a page. Returns what went wrong.
fn run(page: &Page, built: &Place, variables: &[(&str, String)]) -> Option<String> {
    let place = Place::new();
    let copied = Run::of(place.shell("cp -R \"$0/project\" \"$0/store\" .").arg(built.path("")), "");
    assert_eq!(copied.code, 0, "{}", copied.err);
    for block in page.code("EXAMPLES").iter().filter(|block| !ELSEWHERE.iter().any(|word| block.contains(word))) {
        // Completions are for one shell; everything else is for any.
        let shell = if block.contains("bst-completions bash") { "bash" } else { "sh" };
        let mut command = place.shell("exec \"$0\" -c \"$1\"");
        command.args([shell, block]).current_dir(place.path("project")).envs(variables.iter().cloned());
        let run = Run::of(&mut command, "");
        // A build that fails, a replay and "no" are answers, also through xargs; a wrong command line is a wrong page.
        let known = [0, 1, 3, 4, 5, 123].contains(&run.code);
        if !known || run.err.contains("--help") || run.err.contains("not found") {
            return Some(format!("{}: exit {}\n{block}{}{}", page.name, run.code, run.out, run.err));
        }
    }
    None
}
