//! Which commit a version of a Go module is.

use super::{Context, Found, git};
use bst_plumbing::values::{Code, Error, Result};
use serde_json::{Map, Value};

/// Kind go_module: what `go.sum` among the sources says.
pub(super) fn module(context: &Context) -> Result<Option<Found>> {
    let module = context.need("module")?;
    let sums = context.text_before("go.sum")?;
    let version = sums
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .find(|(name, version)| *name == module && !version.ends_with("/go.mod") && !version.ends_with("/go.sum"))
        .map(|(_, version)| version.to_owned())
        .ok_or_else(|| Error::new(Code::Source, format!("go.sum has no version of {module}")))?;
    let mut subdirectory = subdirectory(context, module)?;
    let commit = match pseudo_commit(&version) {
        Some(start) => git::full_commit(context, start)?,
        None => {
            let tag = version.split('+').next().unwrap_or_default();
            let major = tag.split('.').next().unwrap_or_default();
            // A directory for a major version may be there or not; staging finds out.
            if let Some(rest) = subdirectory.strip_suffix(major) {
                subdirectory = rest.trim_end_matches('/').to_owned();
            }
            let tag = if subdirectory.is_empty() { tag.to_owned() } else { format!("{subdirectory}/{tag}") };
            git::resolve(context, &tag, true, &[])?
        }
    };
    let mut reference = Map::new();
    reference.insert("go-version".into(), version.into());
    reference.insert("git-ref".into(), commit.into());
    if !subdirectory.is_empty() {
        reference.insert("subdirectory".into(), subdirectory.into());
    }
    Ok(Some(Found::from_iter([("ref".to_owned(), Value::Object(reference))])))
}

/// The start of the commit in a version like `v0.0.0-20191109021931-daa7c04131f5`.
fn pseudo_commit(version: &str) -> Option<&str> {
    let (rest, commit) = version.rsplit_once('-')?;
    let time = rest.rsplit(['-', '.']).next()?;
    let is_time = time.len() == 14 && time.bytes().all(|b| b.is_ascii_digit());
    let is_commit = commit.len() == 12 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    (version.starts_with('v') && is_time && is_commit).then_some(commit)
}

/// Where in its repository a module is.
fn subdirectory(context: &Context, module: &str) -> Result<String> {
    if module.starts_with("github.com") {
        return Ok(module.splitn(4, '/').nth(3).unwrap_or_default().to_owned());
    }
    let page = context.fetcher.downloader.page(&format!("https://{module}?go-get=1"), &[])?;
    let page = String::from_utf8_lossy(&page);
    let base = go_import(&page).unwrap_or_default();
    Ok(module.strip_prefix(base).map_or("", |rest| rest.trim_start_matches('/')).to_owned())
}

/// The first word of a page's `<meta name="go-import" content="BASE VCS URL">`.
fn go_import(page: &str) -> Option<&str> {
    let tag = page.split('<').find(|tag| tag.starts_with("meta") && tag.contains("go-import"))?;
    let content = tag.split_once("content=")?.1;
    let quote = content.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    content[1..].split(quote).next()?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_found_in_pseudo_versions() {
        assert_eq!(pseudo_commit("v0.0.0-20191109021931-daa7c04131f5"), Some("daa7c04131f5"));
        assert_eq!(pseudo_commit("v1.2.4-0.20191109021931-daa7c04131f5"), Some("daa7c04131f5"));
        assert_eq!(pseudo_commit("v1.2.4-rc.1"), None);
    }

    #[test]
    fn pages_say_where_a_module_starts() {
        let page = "<html><meta name=\"go-import\" content=\"a.b/c git https://x/c\"><p>";
        assert_eq!(go_import(page), Some("a.b/c"));
        assert_eq!(go_import("<html>"), None);
    }
}
