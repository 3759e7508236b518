//! The recipes of bst-policy(7), word for word as the page has them.

use crate::page::{self, Page};
use crate::support::{Place, Run};

/// Each recipe of the page: what it exits with after the demo's project was built once, and what it has to print.
const RECIPES: [(&str, i32, &str); 11] = [
    ("Fail fast, with the log of the culprit", 0, "FAIL: shouts"),
    ("All cached failures with their reasons", 0, "parser.bst\tcommand\tCommand failed\tsh -n parser.sh"),
    ("Retry only what the log says is weather", 4, "cached failure"),
    ("Rebuild only failures that are older than a day", 4, "cli.bst by parser.bst"),
    ("Quarantine: known failures that are no news", 5, "all.bst by checks.bst, parser.bst"),
    ("At most two failures", 4, "cli.bst by parser.bst"),
    ("A matrix of targets in CI, with a page for people", 4, ""),
    ("Bisect the change that broke an element", 0, "is the first bad commit"),
    ("The builder wrapped in timeout and nice", 4, "cached failure"),
    ("A shell in the failed build tree", 0, "compiling parser.sh"),
    ("Mail the failures of the night", 0, "2 builds failed"),
];

/// At most so many lines has a recipe.
const LONGEST: usize = 5;

fn page() -> Page {
    page::find("bst-policy.7").expect("bst-policy.7")
}

/// A place with the demo's project, built once, and a mail program that prints what it is told.
fn built() -> Place {
    let place = Place::new();
    place.demo_project("project");
    place.write("bin/mail", "#!/bin/sh\nprintf '%s\\n' \"$2\" >&2; cat >&2\n");
    place.sh("chmod +x bin/mail; cd project && bst-key all.bst | bst-schedule -q --on-error=continue").exits(3);
    place
}

fn run(place: &Place, script: &str) -> Run {
    Run::of(&mut place.shell(&format!("PATH=$PWD/bin:$PATH; cd project || exit\n{script}")), "")
}

#[test]
fn every_recipe_works_as_it_stands() {
    let page = page();
    let titles: Vec<&str> = page.section("COOKBOOK").into_iter().filter_map(|line| line.strip_prefix(".SS ")).collect();
    assert_eq!(titles, RECIPES.map(|(title, _, _)| title), "the page (left) and this test (right)");
    let mut wrong = Vec::new();
    for (title, exit, word) in RECIPES {
        let recipe = page.code(title).concat();
        assert!(recipe.lines().count() <= LONGEST, "{title}: {recipe}");
        let place = built();
        if title.starts_with("Bisect") {
            history(&place);
        }
        let run = run(&place, &recipe);
        if run.code != exit || !(run.out.clone() + &run.err).contains(word) {
            wrong.push(format!("{title}: expected exit {exit} and \"{word}\"\n{recipe}{run:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Three commits; the last but one broke parser.bst.
fn history(place: &Place) {
    let git = "git -c user.name=t -c user.email=t@example.org commit -qam";
    let script = format!(
        "printf '.bst/\\nrun\\n' >.gitignore; cp files/parser/parser.sh broken; echo 'exit 0' >files/parser/parser.sh
         git init -q; git add .; {git} good; mv broken files/parser/parser.sh; {git} breaks
         echo more >files/website/more; git add .; {git} 'does no harm'"
    );
    run(place, &script).exits(0);
}
