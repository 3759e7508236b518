//! What registries publish.

use super::names::matches;
use super::{Context, Found};
use bst_plumbing::values::{Code, Error, Result};
use serde_json::{Value, json};
use std::io::Read;

/// Where PyPI lists the files of a project, and where it has them.
const PYPI: &str = "https://pypi.org/simple/";
const PYPI_FILES: &str = "https://files.pythonhosted.org/packages/";
const PYPI_FORM: (&str, &str) = ("Accept", "application/vnd.pypi.simple.v1+json");

/// Kind pypi: the source archive of the highest version.
pub(super) fn pypi(context: &Context) -> Result<Option<Found>> {
    let name = context.need("name")?;
    let page = context.fetcher.downloader.page(&format!("{PYPI}{name}"), &[PYPI_FORM])?;
    let page: Value = serde_json::from_slice(&page)
        .map_err(|error| Error::new(Code::Network, format!("{PYPI}{name}: expected JSON: {error}")))?;
    let files = page.get("files").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let wanted = Wanted {
        prereleases: context.flag("prereleases", false),
        include: context.texts("include"),
        exclude: context.texts("exclude"),
    };
    let Some(file) = wanted.latest(files) else {
        return Err(Error::new(
            Code::Source,
            format!("{PYPI}{name} has no source archive of a version that is wanted"),
        ));
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = text(file.get("url"));
    let suffix = url.strip_prefix(PYPI_FILES).unwrap_or(&url);
    let sha256 = text(file.get("hashes").and_then(|hashes| hashes.get("sha256")));
    Ok(Some(Found::from_iter([("ref".to_owned(), json!({"sha256sum": sha256, "suffix": suffix}))])))
}

/// Which versions a source takes.
struct Wanted<'a> {
    prereleases: bool,
    include: Vec<&'a str>,
    exclude: Vec<&'a str>,
}

impl Wanted<'_> {
    fn latest<'f>(&self, files: &'f [Value]) -> Option<&'f Value> {
        let mut best: Option<(pep440_rs::Version, &Value)> = None;
        for file in files {
            let yanked = !matches!(file.get("yanked"), None | Some(Value::Bool(false)) | Some(Value::Null));
            let version = file.get("filename").and_then(Value::as_str).and_then(version_of);
            let Some(version) = version.filter(|version| !yanked && self.takes(version)) else { continue };
            // Of two files of one version the one that is listed later counts.
            if best.as_ref().is_none_or(|(highest, _)| version >= *highest) {
                best = Some((version, file));
            }
        }
        best.map(|(_, file)| file)
    }

    fn takes(&self, version: &pep440_rs::Version) -> bool {
        let text = version.to_string();
        (self.prereleases || !version.any_prerelease())
            && self.include.iter().all(|pattern| matches(pattern, &text))
            && !self.exclude.iter().any(|pattern| matches(pattern, &text))
    }
}

/// The version of a source archive, by its name.
fn version_of(filename: &str) -> Option<pep440_rs::Version> {
    let stem = filename.strip_suffix(".tar.gz").or_else(|| filename.strip_suffix(".zip"))?;
    stem.rsplit_once('-')?.1.parse().ok()
}

/// Kind cpan: the distribution that has a package.
pub(super) fn cpan(context: &Context) -> Result<Option<Found>> {
    let (name, index) = (context.need("name")?, context.url()?);
    let page = context.fetcher.downloader.page(&format!("{index}modules/02packages.details.txt.gz"), &[])?;
    let mut list = String::new();
    flate2::read::MultiGzDecoder::new(&page[..])
        .read_to_string(&mut list)
        .map_err(|error| Error::new(Code::Network, format!("{index}: the list of packages cannot be read: {error}")))?;
    let suffix =
        cpan_suffix(&list, name).ok_or_else(|| Error::new(Code::Source, format!("{index} has no package {name}")))?;
    let place = context.store().sources().mirror(&context.source().kind, name)?;
    let url = format!("{index}{suffix}");
    let sha256 = context.fetcher.downloader.latest(&url, &place, None).map_err(|failure| failure.error)?;
    Ok(Some(Found::from_iter([("sha256sum".to_owned(), sha256.into()), ("suffix".to_owned(), suffix.into())])))
}

/// The list has lines `PACKAGE VERSION PATH` behind an empty line.
fn cpan_suffix(list: &str, name: &str) -> Option<String> {
    let lines = list.lines().skip_while(|line| !line.is_empty()).skip(1);
    let mut paths = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(name)).then(|| words.nth(1))?
    });
    paths.next().map(|path| format!("authors/id/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_that_is_wanted_is_taken() {
        let file = |name: &str, yanked: bool| json!({"filename": name, "yanked": yanked});
        let files = [
            file("p-1.9.tar.gz", false),
            file("p-1.10.tar.gz", false),
            file("p-2.0rc1.tar.gz", false),
            file("p-3.0.tar.gz", true),
            file("p-1.10-py3-none-any.whl", false),
        ];
        let latest = |prereleases, include: &[&'static str], exclude: &[&'static str]| {
            let wanted = Wanted { prereleases, include: include.to_vec(), exclude: exclude.to_vec() };
            wanted.latest(&files).map(|file| file["filename"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(latest(false, &[], &[]).as_deref(), Some("p-1.10.tar.gz"));
        assert_eq!(latest(true, &[], &[]).as_deref(), Some("p-2.0rc1.tar.gz"));
        assert_eq!(latest(false, &[], &["1.10*"]).as_deref(), Some("p-1.9.tar.gz"));
        assert_eq!(latest(false, &["5.*"], &[]), None);
    }

    #[test]
    fn cpan_lists_come_after_an_empty_line() {
        let list = "File: A::B 1 X\n\nA 1 A/A/A.tar.gz\nA::B 2 A/B/B.tar.gz\n";
        assert_eq!(cpan_suffix(list, "A::B").as_deref(), Some("authors/id/A/B/B.tar.gz"));
        assert_eq!(cpan_suffix(list, "C"), None);
    }
}
