//! What branches, tags and submodules are at now.

use super::names::{by_version, matches};
use super::{Context, Found};
use bst_plumbing::doing::source::git::{Mirror, Style, is_commit};
use bst_plumbing::doing::source::tool;
use bst_plumbing::store::checkout::Checkout;
use bst_plumbing::values::{Code, Error, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a server has: the names of its refs, annotated tags also with `^{}` behind it, and their objects.
type Refs = BTreeMap<String, String>;

fn mirror(context: &Context, style: Style) -> Result<Mirror> {
    let source = context.source();
    let url = source.url.as_deref().unwrap_or_default();
    let kept = if style == Style::Exact { url.strip_suffix(".git").unwrap_or(url) } else { url };
    let mut path = context.store().sources().mirror(&source.kind, kept)?;
    if style == Style::Exact {
        let mut name = path.into_os_string();
        name.push(".git");
        path = name.into();
    }
    Ok(Mirror {
        path,
        single: None,
        url: url.to_owned(),
        urls: vec![context.url()?.to_owned()],
        reference: String::new(),
        style,
        nested: false,
    })
}

fn found(reference: String) -> Option<Found> {
    Some(Found::from_iter([("ref".to_owned(), Value::from(reference))]))
}

fn output(mirror: &Mirror, arguments: &[&str], what: &str) -> Result<String> {
    let mut command = mirror.git();
    command.args(arguments);
    Ok(String::from_utf8_lossy(&tool::run(&mut command, what)?).trim().to_owned())
}

/// The same where failing is an answer.
fn answer(mirror: &Mirror, arguments: &[&str]) -> Result<Option<String>> {
    let mut command = mirror.git();
    let output = tool::output(command.args(arguments))?;
    Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

/// Kind git: the commit that `track` names.
pub(super) fn plain(context: &Context) -> Result<Option<Found>> {
    let Some(track) = context.text("track") else { return Ok(None) };
    let described = context.text("ref-format") == Some("git-describe");
    let with_tags = context.flag("track-tags", false);
    let mirror = mirror(context, Style::Branches)?;
    if !described && !with_tags {
        let refs = context.fetcher.downloader.refs(&mirror)?;
        let names = [format!("refs/tags/{track}^{{}}"), format!("refs/tags/{track}"), format!("refs/heads/{track}")];
        if let Some(commit) = names.iter().find_map(|name| refs.get(name)) {
            return Ok(found(commit.clone()));
        }
    }
    context.fetcher.downloader.update(&mirror)?;
    let what = format!("{} has no revision {track}", mirror.url);
    let commit = output(&mirror, &["rev-list", "-n", "1", "--end-of-options", track, "--"], &what)?;
    let mut reference = commit.clone();
    if described {
        reference = output(&mirror, &["describe", "--tags", "--abbrev=40", "--long", "--always", &commit], &what)?;
    }
    let mut found = Found::from_iter([("ref".to_owned(), Value::from(reference))]);
    if with_tags {
        found.insert("tags".to_owned(), reachable_tags(&mirror, &commit)?);
    }
    Ok(Some(found))
}

/// The tags nearest to a commit, by each way that git has to look for them.
fn reachable_tags(mirror: &Mirror, commit: &str) -> Result<Value> {
    let mut tags: Vec<Value> = Vec::new();
    for options in [&[][..], &["--first-parent"], &["--tags"], &["--tags", "--first-parent"]] {
        let Some(tag) = answer(mirror, &[&["describe", "--abbrev=0", commit], options].concat())? else { continue };
        let commit =
            output(mirror, &["rev-parse", &format!("refs/tags/{tag}^{{commit}}")], "a tag leads to no commit")?;
        let annotated = answer(mirror, &["cat-file", "tag", &format!("refs/tags/{tag}")])?.is_some();
        let tag = json!({"annotated": annotated, "commit": commit, "tag": tag});
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(Value::Array(tags))
}

/// The refs that a pattern matches. Without `refs/` it is one of a branch or a tag.
fn matching<'a>(refs: &'a Refs, pattern: &str, exclude: &[&str]) -> Vec<&'a str> {
    let fits = |pattern: &str, name: &str| {
        if pattern.starts_with("refs/") {
            return matches(pattern, name);
        }
        ["refs/heads/", "refs/tags/"]
            .iter()
            .any(|kind| name.strip_prefix(kind).is_some_and(|name| matches(pattern, name)))
    };
    let names = refs.keys().map(String::as_str).filter(|name| !name.ends_with("^{}") && fits(pattern, name));
    names.filter(|name| !exclude.iter().any(|pattern| fits(pattern, name))).collect()
}

/// The highest of the refs that a pattern matches, with its commit.
pub(super) fn highest(refs: &Refs, pattern: &str, exclude: &[&str]) -> Option<(String, String)> {
    let name = matching(refs, pattern, exclude).into_iter().max_by(|left, right| by_version(left, right))?;
    let commit = refs.get(&format!("{name}^{{}}")).or_else(|| refs.get(name))?;
    Some((name.to_owned(), commit.clone()))
}

/// Kind git_repo: the highest version of what `track` matches.
pub(super) fn repo(context: &Context) -> Result<Option<Found>> {
    let Some(track) = context.text("track") else { return Ok(None) };
    let describe = context.text("ref-format") == Some("git-describe");
    resolve(context, track, describe, &context.texts("exclude")).map(found)
}

/// The ref of what a pattern matches.
pub(super) fn resolve(context: &Context, track: &str, describe: bool, exclude: &[&str]) -> Result<String> {
    let mut mirror = mirror(context, Style::Exact)?;
    let refs = context.fetcher.downloader.refs(&mirror)?;
    let (name, commit) = highest(&refs, track, exclude).ok_or_else(|| {
        Error::new(
            Code::Source,
            format!("{} has no branch or tag that matches \"{}\"", mirror.url, track.escape_default()),
        )
    })?;
    if !describe {
        return Ok(commit);
    }
    if let Some(tag) = name.strip_prefix("refs/tags/") {
        return Ok(format!("{tag}-0-g{commit}"));
    }
    context.fetcher.downloader.update(&mirror)?;
    mirror.reference.clone_from(&commit);
    let described = answer(&mirror, &["describe", "--tags", "--abbrev=40", "--long", &commit])?;
    Ok(described.unwrap_or(commit))
}

/// Kind git_tag: the latest of the branches that are tracked, or the tag before it.
pub(super) fn tag(context: &Context) -> Result<Option<Found>> {
    let Some(track) = context.text("track") else { return Ok(None) };
    let mirror = mirror(context, Style::Clone { full: true })?;
    context.fetcher.downloader.update(&mirror)?;
    let matched = context.texts("match").into_iter().map(|pattern| format!("--match={pattern}"));
    let excluded = context.texts("exclude").into_iter().map(|pattern| format!("--exclude={pattern}"));
    let options: Vec<String> = matched.chain(excluded).collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut best: Option<(String, String)> = None;
    for branch in std::iter::once(track).chain(context.texts("track-extra")) {
        let mut reference = branch.to_owned();
        if context.flag("track-tags", false) {
            let arguments = [&["describe", "--tags", "--abbrev=0"], &options[..], &[branch]].concat();
            let Some(tag) = answer(&mirror, &arguments)? else { continue };
            reference = tag;
        } else {
            let what = format!("{} has no branch {branch}", mirror.url);
            reference = output(&mirror, &["rev-parse", "--verify", "--end-of-options", &reference], &what)?;
        }
        let arguments = [&["describe", "--tags", "--abbrev=40", "--long"], &options[..], &[&reference]].concat();
        if let Some(described) = answer(&mirror, &arguments)? {
            reference = described;
        }
        let time = output(&mirror, &["show", "-s", "--format=%ct", &reference], "a commit cannot be shown")?;
        if best.as_ref().is_none_or(|(latest, _)| *latest < time) {
            best = Some((time, reference));
        }
    }
    Ok(best.and_then(|(_, reference)| found(reference)))
}

/// Kind git_module: what the repository before it says of the submodule.
pub(super) fn module(context: &Context) -> Result<Option<Found>> {
    let path = context.need("path")?;
    let store = context.store();
    let place = store.scratch("sources")?;
    let scratch = tempfile::Builder::new().prefix("track-").tempdir_in(&place);
    let scratch = scratch.map_err(|error| Error::io("cannot make a directory in", &place, error))?;
    store.cas().checkout(&context.before()?, scratch.path(), Checkout::default())?;
    let mut command = bst_plumbing::doing::source::git::git_in(scratch.path());
    command.env_remove("GIT_DIR").args(["submodule", "status", "--", path]);
    let status = tool::run(&mut command, &format!("the sources before have no submodule {path}"))?;
    let status = String::from_utf8_lossy(&status);
    let commit = status.split_whitespace().next().unwrap_or_default().trim_start_matches(['-', '+']);
    if !is_commit(commit) {
        return Err(Error::new(Code::Source, format!("the sources before have no submodule {path}")));
    }
    Ok(found(commit.to_owned()))
}

/// The commit whose name starts with some digits.
pub(super) fn full_commit(context: &Context, start: &str) -> Result<String> {
    let mirror = mirror(context, Style::Exact)?;
    context.fetcher.downloader.update(&mirror)?;
    let what = format!("{} has no commit {start}", mirror.url);
    output(&mirror, &["rev-parse", "--verify", "--end-of-options", &format!("{start}^{{commit}}")], &what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_that_matches_is_found() {
        let refs: Refs = [
            ("refs/heads/master", "a"),
            ("refs/tags/v1.9", "b"),
            ("refs/tags/v1.10", "c"),
            ("refs/tags/v1.10^{}", "d"),
            ("refs/tags/v2.rc1", "e"),
        ]
        .map(|(name, object)| (name.to_owned(), object.to_owned()))
        .into();
        let find = |pattern: &str, exclude: &[&str]| {
            highest(&refs, pattern, exclude).map(|(name, commit)| format!("{name} {commit}"))
        };
        assert_eq!(find("master", &[]).as_deref(), Some("refs/heads/master a"));
        assert_eq!(find("v*", &["*rc*"]).as_deref(), Some("refs/tags/v1.10 d"));
        assert_eq!(find("refs/tags/*", &[]).as_deref(), Some("refs/tags/v2.rc1 e"));
        assert_eq!(find("none", &[]), None);
    }
}
