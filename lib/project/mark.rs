//! Where a node stands. A mark is small and copied freely; the names of the files are kept in one table,
//! each name once.

use crate::values::Place;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};

/// The place of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub file: File,
    /// From 1; 0 for what no file wrote.
    pub line: u32,
    /// From 0.
    pub column: u32,
}

/// The name of a file, as BuildStream shows it in errors.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct File(u32);

#[derive(Default)]
struct Names {
    numbers: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

static NAMES: LazyLock<RwLock<Names>> = LazyLock::new(RwLock::default);

impl File {
    /// No file.
    pub const NONE: File = File(0);

    /// The file that is shown under this name.
    pub fn named(name: &str) -> File {
        let mut table = NAMES.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(&number) = table.numbers.get(name) {
            return File(number);
        }
        let name: Arc<str> = Arc::from(name);
        table.names.push(name.clone());
        let number = u32::try_from(table.names.len()).unwrap_or(0);
        table.numbers.insert(name, number);
        File(number)
    }

    /// The name; empty for no file.
    pub fn name(self) -> Arc<str> {
        let table = NAMES.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let index = (self.0 as usize).checked_sub(1);
        index.and_then(|index| table.names.get(index)).cloned().unwrap_or_default()
    }
}

impl Mark {
    /// A place in a file.
    pub fn new(file: File, line: u32, column: u32) -> Mark {
        Mark { file, line, column }
    }

    /// The place of what the program itself made.
    pub fn synthetic() -> Mark {
        Mark { file: File::NONE, line: 0, column: 0 }
    }

    /// Whether no file wrote it.
    pub fn is_synthetic(self) -> bool {
        self.line == 0
    }

    /// For an error. Of what no file wrote, the place is none: it has no file name.
    pub fn place(self) -> Place {
        let file = if self.is_synthetic() { String::new() } else { self.file.name().to_string() };
        Place { file, line: self.line, column: self.column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let file = File::named("a.bst");
        assert_eq!(file, File::named("a.bst"));
        assert_ne!(file, File::named("b.bst"));
        assert_eq!(&*file.name(), "a.bst");
        assert_eq!(&*File::NONE.name(), "");
    }
}
