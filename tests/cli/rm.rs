use crate::stock::{Build, Stock, key, name, record};
use crate::support::Place;
use bst_plumbing::values::result::FailureClass;

fn stocked() -> (Place, Stock) {
    let place = Place::new();
    let stock = Stock::new(&place.store());
    let failure = |element, byte, class, age| {
        let build =
            Build { element, strong: byte, weak: byte + 100, class: Some(class), age, host: "ci", ..Build::default() };
        stock.commit(&build);
    };
    failure("old.bst", 1, FailureClass::Command, 90_000);
    failure("new.bst", 2, FailureClass::Command, 60);
    failure("slow.bst", 3, FailureClass::Timeout, 60);
    stock.commit(&Build { element: "good.bst", strong: 4, weak: 104, ..Build::default() });
    (place, stock)
}

fn left(place: &Place) -> String {
    let run = place.run("bst-cache-query", &["--all"], "");
    let mut names: Vec<_> = run.records().iter().map(|r| r["element"].as_str().unwrap_or("").to_owned()).collect();
    names.sort();
    names.join(" ")
}

#[test]
fn a_dry_run_says_it_and_the_run_does_it() {
    let (place, _) = stocked();
    let run = place.run("bst-rm", &["-n", "--state=failed", "--older=1d"], "").exits(0);
    assert_eq!(run.records().len(), 1);
    assert_eq!(left(&place), "good.bst new.bst old.bst slow.bst");
    let again = place.run("bst-rm", &["--state=failed", "--older=1d"], "").exits(0);
    assert_eq!(again.out, run.out);
    assert_eq!(left(&place), "good.bst new.bst slow.bst");
    place.run("bst-rm", &["--state=failed", "--older=1d"], "").exits(1);
}

#[test]
fn everything_can_be_selected_by_everything() {
    for (arguments, expected) in [
        (&["--class=timeout"][..], "good.bst new.bst old.bst"),
        (&["--element=n*", "--element=good.bst"], "old.bst slow.bst"),
        (&["--host=ci"], "good.bst"),
        (&["--builder=bst-build 0.1.0", "--state=cached"], "new.bst old.bst slow.bst"),
        (&["--newer=1h", "--state=failed"], "good.bst old.bst slow.bst"),
    ] {
        let (place, _) = stocked();
        place.run("bst-rm", arguments, "").exits(0);
        assert_eq!(left(&place), expected, "{arguments:?}");
    }
}

#[test]
fn keys_names_and_records_say_what_goes_with_all_its_refs() {
    let (place, stock) = stocked();
    let refs = stock.store.artifacts();
    assert!(refs.exists(&name("old.bst", 101)));
    place.run("bst-rm", &[&key(1).to_string()], "").exits(0);
    assert!(!refs.exists(&name("old.bst", 1)) && !refs.exists(&name("old.bst", 101)));
    place.run("bst-rm", &[&name("new.bst", 102).to_string()], "").exits(0);
    assert!(!refs.exists(&name("new.bst", 2)) && !refs.exists(&name("new.bst", 102)));
    place.run("bst-rm", &[], &(record("good.bst", 4, 104) + &record("none.bst", 9, 9))).exits(0);
    assert_eq!(left(&place), "slow.bst");
    place.run("bst-rm", &[&key(9).to_string()], "").exits(1);
    place.run("bst-rm", &["nonsense"], "").exits(2);
    place.run("bst-rm", &[], "nonsense\n").exits(2);
}

#[test]
fn the_weak_key_stays_where_it_leads_to_another_build() {
    let (place, stock) = stocked();
    stock.commit(&Build { element: "good.bst", strong: 5, weak: 104, ..Build::default() });
    place.run("bst-rm", &[&key(4).to_string()], "").exits(0);
    assert!(stock.store.artifacts().exists(&name("good.bst", 104)));
    assert!(stock.store.artifacts().exists(&name("good.bst", 5)));
}
