//! Kind `remote`: a file as it was downloaded.

use super::super::config;
use super::super::original::{Download, Original};
use super::super::tree::{Entry, Tree};
use super::Kind;
use crate::store::Store;
use crate::values::{Digest, Error, Result, name, record::Source};

pub(super) struct Remote;

impl Remote {
    fn download(source: &Source, store: &Store) -> Result<Download> {
        let (url, sha256) = (config::url(source)?, config::reference(source)?);
        config::download(source, store, url, sha256, source.urls.clone())
    }
}

impl Kind for Remote {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        Ok(vec![Original::File(Self::download(source, store)?)])
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let download = Self::download(source, store)?;
        let name = config::need(source, "filename")?;
        if !name::is_component(name) {
            return Err(Error::malformed(format!(
                "filename \"{}\" of a source of kind remote is no file name",
                name.escape_default()
            )));
        }
        let batch = store.cas().batch()?;
        let digest = batch.put_reader(download.open()?)?;
        download.verify(&digest)?;
        let mut tree = Tree::default();
        tree.insert(name.to_owned(), Entry::file(name.to_owned(), &digest, config::flag(source, "executable", false)));
        let tree = tree.store(&batch)?;
        batch.finish()?;
        Ok(tree)
    }
}
