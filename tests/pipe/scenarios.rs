//! What caching failures has to mean, as a user sees it: the acceptance scenarios that need nothing but the
//! demo's project.

use crate::support::{Place, Run};
use serde_json::Value;

fn place() -> Place {
    let place = Place::new();
    place.demo_project("project");
    place
}

fn run(place: &Place, script: &str) -> Run {
    Run::of(&mut place.shell(&format!("cd project || exit\n{script}")), "")
}

fn record<'a>(records: &'a [Value], element: &str) -> &'a Value {
    records.iter().find(|record| record["element"] == element).expect("its record")
}

#[test]
fn a_failure_is_stored_and_replayed_without_sources_dependencies_or_work() {
    let place = place();
    let first = run(&place, "bst-key parser.bst | bst-schedule -q --on-error=continue").exits(3);
    let records = first.records();
    let failed = record(&records, "parser.bst");
    let result = &failed["result"];
    assert_eq!((result["exit"].as_i64(), result["command"].as_str()), (Some(2), Some("sh -n parser.sh")));
    assert!(failed["artifact"]["buildroot"].is_string() && failed["artifact"]["log"].is_string(), "{failed}");
    run(&place, "bst-key parser.bst >../keys; rm -rf elements files; bst-rm --state=cached").exits(0);
    let script = "grep parser.bst ../keys | tail -n1 | PATH=$(dirname \"$(command -v bst-schedule)\") bst-schedule";
    let second = run(&place, script).exits(4);
    let replayed = &second.records()[0];
    assert_eq!(replayed["schedule"]["action"], "replayed");
    assert_eq!(replayed["result"]["started"], result["started"]);
    assert!(second.err.contains("a cached failure of") && second.err.contains("log:"), "{}", second.err);
}

#[test]
fn what_needs_a_failed_element_is_blocked_and_all_else_is_built() {
    let place = place();
    let first = run(&place, "bst-key all.bst | bst-schedule -q --on-error=continue").exits(3);
    let records = first.records();
    let action = |element: &str| record(&records, element)["schedule"]["action"].as_str().expect("a word").to_owned();
    assert_eq!(["app.bst", "website.bst", "cli.bst", "all.bst"].map(action), ["built", "built", "blocked", "blocked"]);
    let roots = record(&records, "all.bst")["schedule"]["blocked_by"].as_array().expect("roots").len();
    assert_eq!(roots, 2);
    // The cause is gone: just what was blocked by it is built, with what changed.
    run(&place, "echo 'exit 0' >files/parser/parser.sh").exits(0);
    let second = run(&place, "bst-key cli.bst | bst-schedule -q").exits(0);
    let built: Vec<_> = second.records().iter().filter(|r| r["schedule"]["action"] == "built").cloned().collect();
    assert_eq!(built.len(), 2, "{}", second.out);
}

#[test]
fn a_retry_is_counted_and_the_earlier_attempt_is_kept() {
    let place = place();
    run(&place, "bst-key parser.bst | bst-schedule -q").exits(3);
    let again = run(&place, "bst-key parser.bst | bst-schedule -q --retry=failed").exits(3);
    let records = again.records();
    assert_eq!(record(&records, "parser.bst")["result"]["attempt"], 2);
    let other = run(&place, "bst-key parser.bst | bst-schedule -q --retry=timeout").exits(4);
    assert_eq!(record(&other.records(), "parser.bst")["schedule"]["action"], "replayed");
    let metadata = run(&place, "cat ../store/artifacts/results/demo/parser/*.json").exits(0);
    let metadata: Value = serde_json::from_str(&metadata.out).expect("JSON");
    assert_eq!(metadata["attempts"].as_array().map(Vec::len), Some(1));
}

#[test]
fn two_schedulers_share_one_build() {
    let place = place();
    let script = "bst-key app.bst >../keys; for n in 1 2; do bst-schedule -q <../keys >../out.$n & done; wait
                  cat ../out.1 ../out.2";
    let both = run(&place, script).exits(0);
    let built = both.records().iter().filter(|record| record["schedule"]["action"] == "built").count();
    assert_eq!((built, both.records().len()), (3, 6), "{}", both.out);
}
