//! Conditionals and their expressions: the input as a document, and as an expression.
#![no_main]

use bst_plumbing::project::conditional::{self, Options};
use bst_plumbing::project::expression::{self, Value};
use bst_plumbing::project::{mark::File, yaml};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let word = |text: &str| Value::Text(text.to_owned());
    let options = Options::from([
        ("b".to_owned(), Value::Bool(true)),
        ("e".to_owned(), word("x86_64")),
        ("f".to_owned(), Value::List(vec![word("x"), word("y")])),
    ]);
    let _ = expression::evaluate(text, &|name| options.get(name));
    if let Ok(mut node) = yaml::parse(text, File::named("fuzz")) {
        let _ = conditional::process(&mut node, &options, &["name"]);
    }
});
