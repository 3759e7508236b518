//! Includes: the input is several files, which lines `===` separate; a file's name is its number.
#![no_main]

use bst_plumbing::project::conditional::Options;
use bst_plumbing::project::include::{self, How, Scope};
use bst_plumbing::project::node::{Mapping, Scalar};
use bst_plumbing::project::root::Root;
use bst_plumbing::project::{mark::File, yaml};
use bst_plumbing::values::{Error, Result};
use std::path::Path;
use std::sync::{Arc, LazyLock};

static ROOT: LazyLock<Root> = LazyLock::new(|| Root::open(Path::new("/")).expect("a root"));

struct Files<'a>(Vec<&'a str>);

impl Scope for Files<'_> {
    fn root(&self) -> &Root {
        &ROOT
    }

    fn display(&self, name: &str) -> String {
        name.to_owned()
    }

    fn options(&self) -> Result<Options> {
        Ok(Options::new())
    }

    fn cross(&self, junction: &Scalar, _: &str, _: &str) -> Result<(Arc<dyn Scope>, Mapping)> {
        Err(junction.expected("a file of this project"))
    }

    fn read(&self, file: &str, shown: &str) -> Result<Mapping> {
        let text = file.parse().ok().and_then(|number: usize| self.0.get(number));
        yaml::parse(text.ok_or_else(|| Error::load("missing-file", "no such file"))?, File::named(shown))
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let files = Files(text.split("\n===\n").collect());
    for conditionals in [false, true] {
        if let Ok(mut node) = files.read("0", "0") {
            let _ = include::process(&mut node, &files, How { only_local: false, conditionals });
        }
    }
});
