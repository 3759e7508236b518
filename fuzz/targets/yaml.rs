//! Reading YAML.
#![no_main]

use bst_plumbing::project::{mark::File, yaml};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = yaml::parse(text, File::named("fuzz"));
});
