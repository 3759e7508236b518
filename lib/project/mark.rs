//! Where a node stands. A mark is small and copied freely; the names of the files are kept in one table,
//! each name once.

use crate::values::Place;
use std::collections::HashMap;
use std::path::Path;
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

/// A file that was read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct File(u32);

/// Path and name.
type Entry = (Arc<Path>, Arc<str>);

#[derive(Default)]
struct Files {
    numbers: HashMap<Entry, u32>,
    entries: Vec<Entry>,
}

static FILES: LazyLock<RwLock<Files>> = LazyLock::new(RwLock::default);

impl File {
    /// No file.
    pub const NONE: File = File(0);

    /// The file at `path`, which BuildStream shows as `name` in errors.
    pub fn new(path: &Path, name: &str) -> File {
        let mut table = FILES.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let entry: Entry = (Arc::from(path), Arc::from(name));
        if let Some(&number) = table.numbers.get(&entry) {
            return File(number);
        }
        table.entries.push(entry.clone());
        let number = u32::try_from(table.entries.len()).unwrap_or(0);
        table.numbers.insert(entry, number);
        File(number)
    }

    /// A document that lies in no file.
    pub fn named(name: &str) -> File {
        File::new(Path::new(""), name)
    }

    /// The name that errors show; empty for no file.
    pub fn name(self) -> Arc<str> {
        self.entry().map(|(_, name)| name).unwrap_or_default()
    }

    /// Where it lies.
    pub fn path(self) -> Option<Arc<Path>> {
        self.entry().map(|(path, _)| path).filter(|path| !path.as_os_str().is_empty())
    }

    fn entry(self) -> Option<Entry> {
        let table = FILES.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        table.entries.get((self.0 as usize).checked_sub(1)?).cloned()
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
        assert_ne!(file, File::new(Path::new("/a"), "a.bst"));
        assert_eq!(&*file.name(), "a.bst");
        assert_eq!(&*File::NONE.name(), "");
    }
}
