//! What each kind of source downloads, and how its downloads become a tree.

mod archive;
mod local;
mod remote;

use super::original::Original;
use crate::store::Store;
use crate::values::{Code, Digest, Error, Result, record::Source};

/// A kind of source.
pub(super) trait Kind: Sync {
    /// What has to be in the store before the source can be staged.
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        let _ = (source, store);
        Ok(Vec::new())
    }

    /// Whether the source changes what the sources before it left, so that it has no tree of its own.
    fn changes_previous(&self) -> bool {
        false
    }

    /// Makes the source's tree. `before` is that of the sources before it in the same directory, and is
    /// empty where the kind does not change it.
    fn stage(&self, source: &Source, store: &Store, before: &Digest) -> Result<Digest>;
}

/// The kinds, by name.
pub(super) fn kind(name: &str) -> Result<&'static dyn Kind> {
    Ok(match name {
        "local" => &local::Local,
        "remote" => &remote::Remote,
        "tar" => &archive::Archive::Tar,
        "zip" => &archive::Archive::Zip,
        "pypi" => &archive::Archive::Pypi,
        "cpan" => &archive::Archive::Cpan,
        _ => {
            return Err(Error::new(
                Code::Unsupported,
                format!("sources of kind \"{}\" cannot be fetched or staged here", name.escape_default()),
            ));
        }
    })
}
