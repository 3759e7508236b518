//! Kind `remote`: a file as it was downloaded.

use super::super::cache::SourceCache;
use super::super::config;
use super::super::intake;
use super::super::original::{Download, Original};
use super::super::tree::{Entry, Tree};
use super::Kind;
use crate::store::Store;
use crate::values::{Digest, Error, Result, name, record::Source};

pub(super) struct Remote;

impl Remote {
    fn download(source: &Source, cache: &SourceCache) -> Result<Download> {
        let (url, sha256) = (config::url(source)?, config::reference(source)?);
        config::download(source, cache, url, sha256, source.urls.clone())
    }
}

impl Kind for Remote {
    fn originals(&self, source: &Source, cache: &SourceCache) -> Result<Vec<Original>> {
        Ok(vec![Original::File(Self::download(source, cache)?)])
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let download = Self::download(source, &SourceCache::new(store))?;
        let name = config::need(source, "filename")?;
        if !name::is_component(name) {
            return Err(Error::malformed(format!(
                "filename \"{}\" of a source of kind remote is no file name",
                name.escape_default()
            )));
        }
        let digest = intake::put_reader(&store.cas(), download.open()?)?;
        download.verify(&digest)?;
        let mut tree = Tree::default();
        tree.insert(name.to_owned(), Entry::file(name.to_owned(), &digest, config::flag(source, "executable", false)));
        tree.store(&store.cas())
    }
}
