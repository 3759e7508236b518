use crate::support::Place;

#[test]
fn a_blob_that_is_not_there_is_a_no() {
    let place = Place::new();
    let digest = format!("{}/1", "a".repeat(64));
    let run = place.run("bst-cat", &[&digest], "").exits(1);
    assert!(run.err.contains("has no blob"), "{}", run.err);
}

#[test]
fn wrong_options_are_named() {
    let place = Place::new();
    let run = place.run("bst-cat", &["--wrong", "x"], "").exits(2);
    assert!(run.err.starts_with("bst-cat: ") && run.err.contains("--wrong"), "{}", run.err);
    assert_eq!(run.out, "");
}
