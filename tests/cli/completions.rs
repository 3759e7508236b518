use crate::support::Place;

#[test]
fn a_shell_or_program_that_is_not_known_is_named() {
    let place = Place::new();
    let run = place.run("bst-completions", &["csh"], "").exits(2);
    assert!(run.err.contains("csh") && run.err.contains("bash"), "{}", run.err);
    let run = place.run("bst-completions", &["bash", "bst-nothing"], "").exits(2);
    assert!(run.err.contains("bst-nothing") && run.err.contains("bst-cat"), "{}", run.err);
    place.run("bst-completions", &[], "").exits(2);
}

#[test]
fn without_a_program_it_prints_all_of_them() {
    let place = Place::new();
    let all = place.run("bst-completions", &["fish"], "").exits(0).out;
    let one = place.run("bst-completions", &["fish", "bst-cat"], "").exits(0).out;
    assert!(all.contains(&one) && all.contains("complete -c bst-completions"), "{all}");
}
