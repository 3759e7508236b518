//! Refs into the files in which a project keeps them. Nothing else in the files changes.

use super::Found;
use bst_plumbing::project::edit;
use bst_plumbing::store::fs;
use bst_plumbing::values::name::local_name;
use bst_plumbing::values::record::{Identity, Origin, RefStorage};
use bst_plumbing::values::{Error, Result};
use serde_json::Value;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes refs, and keeps account of the lines that move by it: records tell the lines as they were.
#[derive(Default)]
pub(super) struct Writer {
    moved: HashMap<PathBuf, Vec<(u32, i64)>>,
}

impl Writer {
    /// Sets values of a source where its ref is written.
    pub(super) fn write(&mut self, origin: &Origin, identity: &Identity, found: &Found) -> Result<()> {
        // A link stays one.
        let path = std::fs::canonicalize(&origin.file).unwrap_or_else(|_| PathBuf::from(&origin.file));
        let bytes = fs::read_if_there(&path)?;
        let mode = std::fs::metadata(&path).map_or(0o644, |meta| meta.permissions().mode() & 0o7777);
        let old = String::from_utf8(bytes.unwrap_or_default())
            .map_err(|_| Error::usage(format!("{} is no UTF-8", path.display())))?;
        let values: Vec<(&str, Value)> = found.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        let new = match origin.storage {
            RefStorage::Inline => {
                let line = self.present_line(&path, origin.line);
                edit::set_at(&old, line, origin.column, &values)
            }
            RefStorage::ProjectRefs => {
                edit::set_refs(&old, &identity.project, local_name(&identity.element), origin.index, &values)
            }
        };
        let new = new.map_err(|error| {
            let message = format!("cannot write the ref into {}: {}", path.display(), error.message());
            Error::new(error.code(), message)
        })?;
        if new != old {
            let lines = |text: &str| i64::try_from(text.lines().count()).unwrap_or(0);
            self.moved.entry(path.clone()).or_default().push((origin.line, lines(&new) - lines(&old)));
            fs::write_atomic(&path, new.as_bytes(), mode)?;
        }
        Ok(())
    }

    /// Where a line is after what was written above it.
    fn present_line(&self, path: &Path, line: u32) -> u32 {
        let moved = self.moved.get(path).map_or(&[][..], Vec::as_slice);
        let by: i64 = moved.iter().filter(|(above, _)| *above < line).map(|(_, by)| by).sum();
        u32::try_from(i64::from(line) + by).unwrap_or(line)
    }
}
