//! The kinds of buildstream-plugins-community that are a git repository: git_repo, git_tag and git_module.

use super::draft::{Draft, check_keys, need, reference, version, with_version};
use super::git::{Submodules, check_ref_or_track, ref_format};
use super::{SourceView, object};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Value, json};

/// The release with which versions came into keys.
pub const VERSIONS: [u32; 3] = [2, 1, 0];

/// Whether a ref is a commit, maybe with the tag that it is near. What follows the commit is not looked at.
pub fn is_ref(reference: &str) -> bool {
    let hexadecimal = |text: &str| {
        text.get(..40).is_some_and(|commit| commit.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    };
    // `TAG-COUNT-gCOMMIT`, the tag as long as it may be.
    let described = reference.match_indices("-g").any(|(at, _)| {
        let (tag, commit) = (&reference[..at], &reference[at + 2..]);
        let count = tag.rsplit('-').next().filter(|count| count.len() < tag.len()).unwrap_or_default();
        !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) && !tag.contains('\n') && hexadecimal(commit)
    });
    hexadecimal(reference) || described
}

/// An error unless the ref, if there is one, is of that form.
pub fn check_ref(view: &SourceView, reference: Option<&str>) -> Result<()> {
    match reference.filter(|reference| !is_ref(reference)) {
        Some(reference) => {
            let message = format!("the ref \"{}\" is no commit of 40 digits", reference.escape_default());
            Err(object(view, message))
        }
        None => Ok(()),
    }
}

pub fn repo(view: &SourceView) -> Result<Source> {
    let keys = ["ref", "url", "track", "exclude", "ref-format"];
    let has_version = !view.plugin.is_before(VERSIONS);
    check_keys(view, &with_version(&keys, has_version))?;
    check_ref(view, view.config.text("ref")?)?;
    let reference = reference(view)?;
    check_ref(view, reference)?;
    let url = need(view, "url")?;
    let resolved = view.urls.resolve(url, true)?;
    view.config.text("track")?;
    view.config.texts("exclude")?;
    ref_format(view)?;
    let mut unique = json!({"bugfix": 1, "ref": reference});
    if let Some((key, text)) = version(view)? {
        unique[key] = text.into();
    }
    let draft = Draft::new(view).with_url(url, resolved).with_ref(reference);
    Ok(draft.finish(reference.map(|_| unique)))
}

pub fn tag(view: &SourceView) -> Result<Source> {
    let keys = ["track", "track-extra", "track-tags", "match", "exclude", "checkout-submodules", "submodules"];
    let common = Common::read(view, &keys)?;
    for key in ["track-extra", "match", "exclude"] {
        view.config.texts(key)?;
    }
    view.config.bool("track-tags")?;
    check_ref_or_track(view)?;
    let submodules = Submodules::read(view)?;
    let draft = submodules.add_urls(view, Draft::new(view))?;
    let mut more = Vec::new();
    submodules.add_to_key(&mut more);
    common.finish(view, draft.with("checkout-submodules", submodules.checkout), more)
}

pub fn module(view: &SourceView) -> Result<Source> {
    let common = Common::read(view, &["path"])?;
    let path = normal(need(view, "path")?);
    let more = if path.is_empty() { Vec::new() } else { vec![json!({"path": path})] };
    let draft = Draft::new(view).with("path", path.as_str());
    common.finish(view, draft, more)
}

/// An absolute path as one from the root, as Python's relpath makes it.
fn normal(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// What git_tag and git_module share.
struct Common<'a> {
    url: &'a str,
    reference: Option<&'a str>,
    uses_lfs: bool,
    version: Option<&'a str>,
}

impl<'a> Common<'a> {
    fn read(view: &SourceView<'a>, more: &[&str]) -> Result<Common<'a>> {
        let keys = [&["url", "ref", "full-clone", "use-lfs"], more].concat();
        check_keys(view, &with_version(&keys, !view.plugin.is_before(VERSIONS)))?;
        view.config.bool("full-clone")?;
        Ok(Common {
            url: need(view, "url")?,
            reference: reference(view)?,
            uses_lfs: view.config.bool("use-lfs")?.unwrap_or(false),
            version: version(view)?.map(|(_, text)| text),
        })
    }

    fn finish(self, view: &SourceView, draft: Draft, more: Vec<Value>) -> Result<Source> {
        let resolved = view.urls.resolve(self.url, true)?;
        let mut unique = vec![json!(self.url), json!(self.reference)];
        unique.extend(more);
        if self.uses_lfs {
            unique.push(json!("use-lfs"));
        }
        unique.extend(self.version.map(|text| json!(text)));
        let draft = draft.with("use-lfs", self.uses_lfs).with_url(self.url, resolved).with_ref(self.reference);
        Ok(draft.finish(self.reference.map(|_| Value::Array(unique))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_commits_maybe_with_a_tag() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for good in [commit, &format!("v1.0-3-g{commit}"), &format!("{commit}x"), &format!("a-g-b-0-g{commit}")] {
            assert!(is_ref(good), "{good}");
        }
        for bad in
            ["", "master", &commit[1..], &format!("v1.0-g{commit}"), &format!("x{commit}"), &commit.to_uppercase()]
        {
            assert!(!is_ref(bad), "{bad}");
        }
    }

    #[test]
    fn absolute_paths_start_from_the_root() {
        assert_eq!(["a//b", "/a//b/", "/", "/a/../../b"].map(normal), ["a//b", "a/b", ".", "b"]);
    }
}
