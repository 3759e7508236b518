//! Files: from a server into the store's downloads, verified while they come.
//!
//! What came of a file before a connection broke is kept in `plumbing/downloads` and goes on from there, at
//! the next attempt, in the next run or from another mirror: the file's hash tells whether it fits together.

use super::http::Http;
use super::progress::Progress;
use super::retry::{Failure, retrying};
use bst_plumbing::doing::source::original::Download;
use bst_plumbing::store::lock::Lock;
use bst_plumbing::store::{Store, fs};
use bst_plumbing::values::digest::Hasher;
use bst_plumbing::values::{Code, Error, Result};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use ureq::http::StatusCode;

/// What is read at once.
const PIECE: usize = 1 << 17;
/// A list of a registry is not larger.
const LARGEST_PAGE: u64 = 1 << 28;

/// All that downloading needs.
pub(super) struct Downloader<'a> {
    pub(super) store: &'a Store,
    pub(super) http: &'a Http,
    pub(super) progress: &'a Progress,
    pub(super) retries: u32,
}

impl Downloader<'_> {
    /// Brings a file from the first of its places that has it. Another process that brings the same file is
    /// waited for.
    pub(super) fn file(&self, download: &Download) -> Result<()> {
        let part = Part::new(self.store, &download.sha256)?;
        let _lock = Lock::exclusive(&part.path.with_extension("lock"))?;
        if download.path.is_file() {
            return Ok(());
        }
        self.progress.starts();
        let mut last = None;
        for url in &download.urls {
            match retrying(self.retries, || self.from(url, download, &part)) {
                Ok(()) => {
                    self.progress.finishes();
                    let _ = std::fs::remove_file(part.path.with_extension("lock"));
                    return Ok(());
                }
                // Nothing that another server could help with.
                Err(failure) if failure.error.code() == Code::Disk => return Err(failure.error),
                Err(failure) => last = Some(failure.error),
            }
        }
        let others = download.urls.len().saturating_sub(1);
        Err(match last {
            Some(error) if others > 0 => Error::new(
                error.code(),
                format!("{}; the {others} other places do not have it either", error.message()),
            ),
            Some(error) => error,
            None => {
                Error::new(Code::Source, format!("nothing says where to get the file with SHA-256 {}", download.sha256))
            }
        })
    }

    /// Brings the file at a URL as it is now, and keeps it under its hash in `place`. Where the server says
    /// that it is still the one that is known, that one is.
    pub(super) fn latest(&self, url: &str, place: &Path, known: Option<&str>) -> Result<String, Failure> {
        let known = known.filter(|known| place.join(known).is_file());
        let etag = known.and_then(|known| std::fs::read_to_string(place.join(format!("{known}.etag"))).ok());
        retrying(self.retries, || {
            let scratch = self.store.scratch("downloads")?;
            let failed = |error| Error::io("cannot write in", &scratch, error);
            let mut file = tempfile::NamedTempFile::new_in(&scratch).map_err(failed)?;
            let mut hasher = Hasher::default();
            let mut new_etag = None;
            if let Some(path) = local_path(url) {
                self.copy(open_local(url, &path)?, file.as_file_mut(), &mut hasher, &scratch, url)?;
            } else {
                check_scheme(url)?;
                let headers: Vec<(&str, &str)> =
                    etag.as_deref().map(|etag| ("If-None-Match", etag)).into_iter().collect();
                let answer = self.http.get(url, 0, &headers)?;
                if let (Some(known), Some(etag)) = (known, &etag) {
                    // Some servers send the file all the same.
                    if answer.status == StatusCode::NOT_MODIFIED || answer.etag.as_ref() == Some(etag) {
                        return Ok(known.to_owned());
                    }
                }
                let length = self.copy(answer.body, file.as_file_mut(), &mut hasher, &scratch, url)?;
                if answer.length.is_some_and(|expected| expected != length) {
                    return Err(Failure::passing(format!("{url}: the connection broke after {length} bytes")));
                }
                new_etag = answer.etag;
            }
            let sha256 = hasher.finish().hex();
            fs::create_dir_all(place)?;
            file.as_file().sync_all().map_err(failed)?;
            let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o644);
            file.as_file().set_permissions(mode).map_err(failed)?;
            file.persist(place.join(&sha256)).map_err(|error| failed(error.error))?;
            self.keep_etag(place, &sha256, new_etag)?;
            Ok(sha256)
        })
    }

    /// A page that fits into memory.
    pub(super) fn page(&self, url: &str, headers: &[(&str, &str)]) -> Result<Vec<u8>> {
        let bring = || {
            let mut page = Vec::new();
            if let Some(path) = local_path(url) {
                let file = open_local(url, &path)?;
                file.take(LARGEST_PAGE)
                    .read_to_end(&mut page)
                    .map_err(|error| Failure::passing(format!("{url}: {error}")))?;
                return Ok(page);
            }
            check_scheme(url)?;
            let answer = self.http.get(url, 0, headers)?;
            let read = answer.body.take(LARGEST_PAGE).read_to_end(&mut page);
            read.map_err(|error| Failure::passing(format!("{url}: the connection broke: {error}")))?;
            Ok(page)
        };
        retrying(self.retries, bring).map_err(|failure| failure.error)
    }

    fn keep_etag(&self, place: &Path, sha256: &str, etag: Option<String>) -> Result<()> {
        match etag {
            Some(etag) => fs::write_atomic(&place.join(format!("{sha256}.etag")), etag.as_bytes(), 0o644),
            None => Ok(()),
        }
    }

    fn from(&self, url: &str, download: &Download, part: &Part) -> Result<(), Failure> {
        let resumed = part.length()? > 0;
        let (found, etag) = self.bring(url, download.accept, part)?;
        if found == download.sha256 {
            part.keep(&download.path)?;
            if download.path.ends_with(&download.sha256) {
                let place = download.path.parent().unwrap_or(Path::new("/"));
                self.keep_etag(place, &download.sha256, etag)?;
            }
            return Ok(());
        }
        part.discard()?;
        if resumed {
            // Two halves that do not belong together: once more from the start.
            return self.from(url, download, part);
        }
        let message = format!("{url}: expected a file with SHA-256 {}, found {found}", download.sha256);
        Err(Failure::lasting(Code::Source, format!("{message}; bst-track takes the new one, if it is right")))
    }

    /// Adds what is missing to a part: the hash of the whole, and the server's word for this version of it.
    fn bring(&self, url: &str, accept: Option<&str>, part: &Part) -> Result<(String, Option<String>), Failure> {
        let (mut file, mut hasher) = part.open()?;
        let mut from = file.stream_position().map_err(|error| part.failed(error))?;
        if let Some(path) = local_path(url) {
            restart(&mut file, &mut hasher).map_err(|error| part.failed(error))?;
            let source = open_local(url, &path)?;
            self.copy(source, &mut file, &mut hasher, &part.path, url)?;
            return Ok((hasher.finish().hex(), None));
        }
        check_scheme(url)?;
        let headers: Vec<(&str, &str)> = accept.map(|accept| ("Accept", accept)).into_iter().collect();
        let mut answer = self.http.get(url, from, &headers)?;
        let fits = answer.status == StatusCode::PARTIAL_CONTENT && answer.start == Some(from);
        if from > 0 && !fits {
            restart(&mut file, &mut hasher).map_err(|error| part.failed(error))?;
            from = 0;
            if answer.status != StatusCode::OK {
                answer = self.http.get(url, 0, &headers)?;
            }
        }
        if from == 0 && answer.status != StatusCode::OK {
            return Err(Failure::lasting(Code::Network, format!("{url}: the server answers {}", answer.status)));
        }
        self.progress.expects(answer.length.unwrap_or(0));
        let length = self.copy(answer.body, &mut file, &mut hasher, &part.path, url)?;
        if answer.length.is_some_and(|expected| expected != length) {
            return Err(Failure::passing(format!("{url}: the connection broke after {length} bytes")));
        }
        Ok((hasher.finish().hex(), answer.etag))
    }

    fn copy(
        &self,
        mut source: impl Read,
        file: &mut File,
        hasher: &mut Hasher,
        place: &Path,
        url: &str,
    ) -> Result<u64, Failure> {
        let mut buffer = vec![0; PIECE];
        let mut total = 0;
        loop {
            let length = match source.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Failure::passing(format!("{url}: the connection broke after {total} bytes: {error}")));
                }
            };
            hasher.update(&buffer[..length]);
            file.write_all(&buffer[..length]).map_err(|error| Error::io("cannot write", place, error))?;
            total += length as u64;
            self.progress.received(length);
        }
    }
}

fn open_local(url: &str, path: &Path) -> Result<File, Failure> {
    File::open(path)
        .map_err(|error| Failure::lasting(Code::Network, format!("{url}: cannot read {}: {error}", path.display())))
}

fn check_scheme(url: &str) -> Result<(), Failure> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(());
    }
    let message = format!("{url}: files come from http, https and file URLs; add a mirror with one of them");
    Err(Failure::lasting(Code::Unsupported, message))
}

fn restart(file: &mut File, hasher: &mut Hasher) -> std::io::Result<()> {
    *hasher = Hasher::default();
    file.set_len(0)?;
    file.rewind()
}

/// What came of a file so far.
struct Part {
    path: PathBuf,
}

impl Part {
    fn new(store: &Store, sha256: &str) -> Result<Part> {
        Ok(Part { path: store.scratch("downloads")?.join(format!("{sha256}.part")) })
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io("cannot write", &self.path, error)
    }

    fn length(&self) -> Result<u64> {
        match std::fs::metadata(&self.path) {
            Ok(meta) => Ok(meta.len()),
            Err(error) if fs::is_absent(&error) => Ok(0),
            Err(error) => Err(Error::io("cannot read", &self.path, error)),
        }
    }

    /// Opens it at its end, with the hash of what is there.
    fn open(&self) -> Result<(File, Hasher)> {
        let options = File::options().create(true).truncate(false).read(true).write(true).open(&self.path);
        let mut file = options.map_err(|error| self.failed(error))?;
        let mut hasher = Hasher::default();
        std::io::copy(&mut file, &mut hasher).map_err(|error| self.failed(error))?;
        Ok((file, hasher))
    }

    fn discard(&self) -> Result<()> {
        fs::remove_if_there(&self.path).map(drop)
    }

    /// Gives it its place among the downloads.
    fn keep(&self, path: &Path) -> Result<()> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)?;
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(|error| self.failed(error))?;
        std::fs::rename(&self.path, path).map_err(|error| Error::io("cannot write", path, error))?;
        fs::sync_dir(directory)
    }
}

/// The path that a `file` URL names.
pub(super) fn local_path(url: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let rest = url.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = path.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match (bytes[at], digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    Some(PathBuf::from(std::ffi::OsString::from_vec(decoded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_urls_are_decoded() {
        assert_eq!(local_path("file:///a%20b/%zz"), Some(PathBuf::from("/a b/%zz")));
        assert_eq!(local_path("http://a/b"), None);
    }
}
