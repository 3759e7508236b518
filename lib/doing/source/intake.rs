//! Content on its way into the store.

use crate::store::{cas::Cas, fs};
use crate::values::{Digest, Error, Result, digest::Hasher};
use std::io::{Read, Write};

/// Content up to this size is hashed in memory before anything is written.
const SMALL: u64 = 1 << 20;

/// Stores what a reader gives.
pub(super) fn put_reader(cas: &Cas, mut reader: impl Read) -> Result<Digest> {
    let mut start = Vec::new();
    let failed = |error| Error::io("cannot write below", &cas.path(&Digest::EMPTY), error);
    reader.by_ref().take(SMALL).read_to_end(&mut start).map_err(failed)?;
    if (start.len() as u64) < SMALL {
        return cas.put(&start);
    }
    let place = cas.path(&Digest::EMPTY);
    let place = place.parent().and_then(|place| place.parent()).unwrap_or(&place);
    fs::create_dir_all(place)?;
    let mut file = tempfile::NamedTempFile::new_in(place).map_err(failed)?;
    let mut hasher = Hasher::default();
    let mut piece = start;
    while !piece.is_empty() {
        hasher.update(&piece);
        file.write_all(&piece).map_err(failed)?;
        piece.clear();
        reader.by_ref().take(SMALL).read_to_end(&mut piece).map_err(failed)?;
    }
    let digest = hasher.finish();
    let target = cas.path(&digest);
    fs::create_dir_all(target.parent().unwrap_or(place))?;
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o444)).map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(digest)
}
