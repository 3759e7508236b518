//! Variables: the input is a mapping of them, and what is expanded with them.
#![no_main]

use bst_plumbing::project::variables::Variables;
use bst_plumbing::project::{mark::File, yaml};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(mut node) = yaml::parse(text, File::named("fuzz")) else { return };
    let Ok(variables) = Variables::new(node.clone()) else { return };
    let _ = variables.check();
    let _ = variables.expand_mapping(&mut node);
    let _ = variables.expanded().count();
});
