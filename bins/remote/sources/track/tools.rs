//! What pip would install, and where branches of bzr and tags of images are.

use super::{Context, Found};
use bst_plumbing::doing::source::original::Branch;
use bst_plumbing::doing::source::{MANIFESTS, tool};
use bst_plumbing::store::checkout::Checkout;
use bst_plumbing::values::{Code, Digest, Error, Result};
use serde_json::Value;

fn found(reference: String) -> Option<Found> {
    Some(Found::from_iter([("ref".to_owned(), Value::from(reference))]))
}

/// Kind pip: the packages that are asked for, with all that they need, as `NAME==VERSION` lines.
pub(super) fn pip(context: &Context) -> Result<Option<Found>> {
    let downloader = &context.fetcher.downloader;
    let scratch = downloader.scratch()?;
    let mut wanted: Vec<String> = Vec::new();
    let files = context.texts("requirements-files");
    let sources = scratch.path().join("sources");
    if !files.is_empty() {
        context.store().cas().checkout(&context.before()?, &sources, Checkout::default())?;
    }
    for file in files {
        wanted.extend(["-r".to_owned(), sources.join(file).display().to_string()]);
    }
    wanted.extend(context.texts("packages").into_iter().map(str::to_owned));
    let place = scratch.path().join("packages");
    let words: Vec<&str> = wanted.iter().map(String::as_str).collect();
    downloader.pip_download(context.url()?, &place, &words)?;
    let entries = std::fs::read_dir(&place).map_err(|error| Error::io("cannot read", &place, error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut lines: Vec<(String, String)> = names.filter_map(|name| package(&name)).collect();
    lines.sort();
    let lines: Vec<String> = lines.into_iter().map(|(name, version)| format!("{name}=={version}")).collect();
    Ok(found(lines.join("\n")))
}

/// Name and version of a source archive: `NAME-VERSION.EXTENSION`, the version of digits and dots.
fn package(file: &str) -> Option<(String, String)> {
    let lower = file.to_lowercase();
    let extensions = [".tar.bz2", ".tar.gz", ".tar.xz", ".tar.z", ".tar", ".zip"];
    let length = extensions.iter().find(|extension| lower.ends_with(*extension))?.len();
    let stem = &file[..file.len() - length];
    let is_version = |text: &str| text.len() > 1 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let at = stem.match_indices('-').map(|(at, _)| at).find(|at| is_version(&stem[at + 1..]))?;
    Some((stem[..at].to_owned(), stem[at + 1..].to_owned()))
}

/// Kind bzr: the newest revision of the branch.
pub(super) fn bzr(context: &Context) -> Result<Option<Found>> {
    let track = context.need("track")?;
    let source = context.source();
    let repository = context.store().sources().mirror(&source.kind, source.url.as_deref().unwrap_or_default())?;
    let branch = Branch { urls: Vec::new(), reference: String::new(), path: repository.join(track), repository };
    context.fetcher.downloader.update_branch(&format!("{}/{track}", context.url()?), &branch)?;
    let mut command = tool::command("bzr");
    command.args(["version-info", "--custom", "--template={revno}"]).arg(&branch.path);
    let revision = tool::run(&mut command, "bzr cannot tell a revision")?;
    Ok(found(String::from_utf8_lossy(&revision).trim().to_owned()))
}

/// Kind docker: the manifest of the image that a tag is, for one architecture.
pub(super) fn docker(context: &Context) -> Result<Option<Found>> {
    let Some(tag) = context.text("track") else { return Ok(None) };
    let url = context.url()?;
    let (registry, image) = match context.text("image") {
        Some(image) => (url.trim_end_matches('/'), image),
        None => {
            let host = url.find("://").map_or(0, |at| at + 3);
            url.split_at(url[host..].find('/').map_or(url.len(), |at| host + at))
        }
    };
    let url = format!("{registry}/v2/{}/manifests/{tag}", image.trim_matches('/'));
    let page = context.fetcher.downloader.page(&url, &[("Accept", MANIFESTS)])?;
    let broken = |what: &str| Error::new(Code::Network, format!("{url}: {what}"));
    let manifest: Value = serde_json::from_slice(&page).map_err(|error| broken(&format!("expected JSON: {error}")))?;
    let Some(images) = manifest.get("manifests").and_then(Value::as_array) else {
        return Ok(found(Digest::of(&page).hex()));
    };
    let architecture = context.text("architecture").unwrap_or(match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    });
    let fits = |image: &&Value| {
        image.get("platform").and_then(|platform| platform.get("architecture")?.as_str()) == Some(architecture)
    };
    let image = images.iter().find(fits).ok_or_else(|| broken(&format!("no image for {architecture}")))?;
    let digest = image.get("digest").and_then(Value::as_str).and_then(|digest| digest.strip_prefix("sha256:"));
    Ok(found(digest.ok_or_else(|| broken("an image has no sha256 digest"))?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::package;

    #[test]
    fn archives_are_named_by_package_and_version() {
        let found = |file: &str| package(file).map(|(name, version)| format!("{name}=={version}"));
        assert_eq!(found("a-b-1.2.tar.gz").as_deref(), Some("a-b==1.2"));
        assert_eq!(found("A_b.c-10.0.1.ZIP").as_deref(), Some("A_b.c==10.0.1"));
        assert_eq!(found("a-1.0rc1.tar.gz"), None);
        assert_eq!(found("a-1.0-py3-none-any.whl"), None);
    }
}
