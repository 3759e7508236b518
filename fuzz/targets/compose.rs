//! Composition: the parts of the input, which lines `===` separate, one onto the other.
#![no_main]

use bst_plumbing::project::{compose, mark::File, node::Mapping, yaml};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut target = Mapping::empty();
    for part in text.split("\n===\n") {
        if let Ok(source) = yaml::parse(part, File::named("fuzz")) {
            let _ = compose::compose(&source, &mut target);
            let _ = compose::compose_under(source, &mut target);
        }
    }
    let _ = compose::check_mapping_composited(&target);
});
