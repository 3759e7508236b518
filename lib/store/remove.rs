//! Dropping artifacts. Only refs and metadata files go; bst-gc frees the blobs.

use super::glance::Glance;
use super::lock::{Lock, element_path};
use super::{Store, artifact::Artifacts};
use crate::values::{Key, Result, name::ArtifactName};

/// Drops what the store has under a name: the artifact's ref, its refs under its other keys, and what is known
/// of its builds. Returns the names whose refs are gone.
pub fn remove(store: &Store, name: &ArtifactName) -> Result<Vec<ArtifactName>> {
    let _lock = Lock::exclusive(&element_path(store, name))?;
    let refs = store.artifacts();
    let mut names = vec![name.clone()];
    let bytes = refs.read_bytes(name)?.unwrap_or_default();
    if let Some(whole) = Glance::at(&bytes).and_then(Glance::whole) {
        let strong = name.with_key(whole.strong);
        let weak = whole.view.weak.map(|weak| name.with_key(weak));
        for other in [Some(strong), weak].into_iter().flatten() {
            // The other key may lead to another build by now.
            if !names.contains(&other) && strong_key(&refs, &other)? == Some(whole.strong) {
                names.push(other);
            }
        }
    }
    let mut gone = Vec::new();
    for name in names {
        let is_gone = refs.remove(&name)?;
        store.metadata().remove(&name)?;
        if is_gone {
            gone.push(name);
        }
    }
    Ok(gone)
}

fn strong_key(refs: &Artifacts, name: &ArtifactName) -> Result<Option<Key>> {
    let bytes = refs.read_bytes(name)?.unwrap_or_default();
    Ok(Glance::at(&bytes).and_then(Glance::whole).map(|whole| whole.strong))
}
