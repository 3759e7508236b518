//! Kinds `tar`, `deb` and `zip`, and `gnu`, `pypi` and `cpan`, which download one or the other.

use super::super::archive::{self, Container, Part};
use super::super::config;
use super::super::original::{Download, Original};
use super::Kind;
use crate::store::Store;
use crate::values::{Digest, Result, record::Source};

pub(super) enum Archive {
    Tar,
    Deb,
    Gnu,
    Zip,
    Pypi,
    Cpan,
}

impl Archive {
    fn download(&self, source: &Source, store: &Store) -> Result<Download> {
        match self {
            Archive::Tar | Archive::Deb | Archive::Zip => {
                let (url, sha256) = (config::url(source)?, config::reference(source)?);
                config::download(source, store, url, sha256, source.urls.clone())
            }
            Archive::Gnu | Archive::Pypi | Archive::Cpan => {
                let name = config::text(source, "dirname").map_or_else(|| config::need(source, "name"), Ok)?;
                let sha256 = config::reference_text(source, "sha256sum")?;
                let suffix = config::reference_text(source, "suffix")?;
                let urls = source.urls.iter().map(|url| format!("{url}{suffix}")).collect();
                config::download(source, store, name, sha256, urls)
            }
        }
    }
}

impl Kind for Archive {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        Ok(vec![Original::File(self.download(source, store)?)])
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let download = self.download(source, store)?;
        let part = match self {
            Archive::Tar | Archive::Deb | Archive::Zip => Part::Base(config::text(source, "base-dir").unwrap_or("*")),
            Archive::Gnu | Archive::Pypi | Archive::Cpan => Part::BelowTop,
        };
        let zip = match self {
            Archive::Tar | Archive::Deb | Archive::Gnu => false,
            Archive::Zip => true,
            Archive::Pypi | Archive::Cpan => config::reference_text(source, "suffix")?.ends_with(".zip"),
        };
        download.open()?;
        let batch = store.cas().batch()?;
        let mut buffer = Vec::new();
        let mut sink = |content: &mut dyn std::io::Read| batch.put_reader_with(content, &mut buffer);
        let container = if matches!(self, Archive::Deb) { Container::Deb } else { Container::None };
        let read = if zip {
            archive::read_zip(&download.path, part, &mut sink)?
        } else {
            archive::read_tar(&download.path, container, part, &mut sink)?
        };
        download.verify(&read.digest)?;
        let tree = read.tree?.store(&batch)?;
        batch.finish()?;
        Ok(tree)
    }
}
