//! Kinds `git`, `git_repo`, `git_tag` and `git_module`.

use super::super::config;
use super::super::git::{Mirror, Style, Submodule, Tag, is_commit};
use super::super::original::Original;
use super::super::tree::{Entry, Tree};
use super::{Kind, publish};
use crate::store::Store;
use crate::values::{Code, Digest, Error, Result, record::Source};
use serde_json::Value;

pub(super) enum Git {
    /// The files, with those of submodules in submodules (buildstream-plugins).
    Plain,
    /// The files and a small `.git`.
    Repo,
    /// A clone with its submodules.
    Tag,
    /// A clone below a path.
    Module,
}

/// Submodules in submodules, at most so deep.
const DEEPEST: usize = 30;

/// A repository and where its files belong.
struct Part {
    path: String,
    mirror: Mirror,
}

impl Kind for Git {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        Ok(self.parts(source, store)?.into_iter().map(|part| Original::Git(part.mirror)).collect())
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        if config::flag(source, "use-lfs", false) {
            return Err(Error::new(
                Code::Unsupported,
                format!("a source of kind {} has use-lfs: files of Git LFS cannot be staged here", source.kind),
            ));
        }
        let cas = store.cas();
        let mut tree = Tree::default();
        let mut parts = Vec::new();
        self.walk(source, store, |part| {
            parts.push(part);
        })?;
        for Part { path, mirror } in parts {
            let commit = mirror.need_commit()?;
            let files = match self {
                Git::Plain => self.plain(source, &path, &mirror, &commit, store)?,
                Git::Repo => {
                    let batch = cas.batch()?;
                    let mut tree = mirror.tree(&commit, &batch)?;
                    batch.finish()?;
                    tree.insert(".git".to_owned(), Entry::Open(mirror.repository(&commit, store)?));
                    tree
                }
                Git::Tag | Git::Module => {
                    let url = source.url.as_deref().filter(|_| path.is_empty()).unwrap_or(&mirror.url);
                    mirror.clone_at(&commit, store, url)?
                }
            };
            tree.open(&cas, &path)?.import(&cas, &publish(&files, store)?)?;
        }
        publish(&tree, store)
    }
}

impl Git {
    fn plain(&self, source: &Source, path: &str, mirror: &Mirror, commit: &str, store: &Store) -> Result<Tree> {
        let mut files = mirror.checked_out(commit, store)?;
        let tags = tags(source)?;
        if path.is_empty() && !tags.is_empty() {
            files.insert(".git".to_owned(), Entry::Open(mirror.tagged(commit, &tags, store)?));
        }
        Ok(files)
    }

    /// The repositories that are known so far: those of submodules are, once the one above is there.
    fn parts(&self, source: &Source, store: &Store) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        self.walk(source, store, |part| parts.push(part))?;
        Ok(parts)
    }

    fn walk(&self, source: &Source, store: &Store, mut visit: impl FnMut(Part)) -> Result<()> {
        let url = config::url(source)?;
        let main = self.mirror(source, store, url, url, source.urls.clone(), config::reference(source)?)?;
        let path = match self {
            Git::Module => config::text(source, "path").unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let deepest = match self {
            Git::Plain => DEEPEST,
            Git::Tag => 1,
            Git::Repo | Git::Module => 0,
        };
        // In the order in which BuildStream stages them: each before its own submodules.
        let mut waiting = vec![(Part { path, mirror: main }, 0)];
        while let Some((part, depth)) = waiting.pop() {
            if depth < deepest {
                let below = self.submodules(source, store, &part)?;
                waiting.extend(below.into_iter().rev().map(|part| (part, depth + 1)));
            }
            visit(part);
        }
        Ok(())
    }

    fn submodules(&self, source: &Source, store: &Store, above: &Part) -> Result<Vec<Part>> {
        let Some(commit) = above.mirror.commit()? else { return Ok(Vec::new()) };
        let mut parts = Vec::new();
        for Submodule { path, url, commit } in above.mirror.submodules(&commit)? {
            let path = if above.path.is_empty() { path } else { format!("{}/{path}", above.path) };
            let overrides = source.config.get("submodules").and_then(|modules| modules.get(&path));
            let checkout = overrides.and_then(|overrides| overrides.get("checkout"));
            let checkout = checkout.map_or(config::flag(source, "checkout-submodules", true), config::truth);
            if !checkout {
                continue;
            }
            let other = overrides.and_then(|overrides| overrides.get("url")).and_then(Value::as_str);
            let from = other.filter(|url| !url.is_empty()).unwrap_or(&url);
            let (kept, from) = match self {
                // The place is named by what .gitmodules says, whatever it is fetched from.
                Git::Plain => (url.clone(), from.to_owned()),
                _ => {
                    let from = absolute(&above.mirror.url, from);
                    (from.clone(), from)
                }
            };
            let urls = source.also.get(&from).cloned().unwrap_or_else(|| vec![from.clone()]);
            let mut mirror = self.mirror(source, store, &kept, &from, urls, &commit)?;
            mirror.nested = other.is_none() && !source.urls.last().is_some_and(|url| is_local(url));
            parts.push(Part { path, mirror });
        }
        Ok(parts)
    }

    fn mirror(
        &self,
        source: &Source,
        store: &Store,
        kept: &str,
        url: &str,
        urls: Vec<String>,
        reference: &str,
    ) -> Result<Mirror> {
        let place = |name: &str| store.sources().mirror(&source.kind, name);
        let (path, single, style) = match self {
            Git::Plain => (place(kept)?, None, Style::Branches),
            Git::Repo => (super::exact_mirror(store, &source.kind, kept)?, None, Style::Exact),
            Git::Tag | Git::Module => {
                let full = config::flag(source, "full-clone", false);
                (place(kept)?, Some(place(&format!("{kept}#{reference}"))?), Style::Clone { full })
            }
        };
        Ok(Mirror { path, single, url: url.to_owned(), urls, reference: reference.to_owned(), style, nested: false })
    }
}

/// Whether a URL leads to this machine's own files.
fn is_local(url: &str) -> bool {
    url.starts_with("file:") || url.starts_with('/')
}

/// A submodule's URL may be relative to that of the repository above.
fn absolute(base: &str, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    let (root, path) = match base.find("://").map(|at| at + 3) {
        Some(host) => base.split_at(base[host..].find('/').map_or(base.len(), |at| host + at)),
        None => ("", base),
    };
    let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    for name in url.split('/') {
        match name {
            "." | "" => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    let slash = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{slash}{}", names.join("/"))
}

/// The tags that a source of kind git carries along.
fn tags(source: &Source) -> Result<Vec<Tag>> {
    let Some(tags) = source.config.get("tags").and_then(Value::as_array) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for tag in tags {
        let text = |name: &str| tag.get(name).and_then(Value::as_str);
        let (Some(name), Some(commit)) = (text("tag"), text("commit")) else {
            return Err(config::lacks(source, "tags"));
        };
        if !is_commit(commit) {
            return Err(Error::malformed(format!("\"{}\" is no commit of 40 digits", commit.escape_default())));
        }
        let annotated = tag.get("annotated").is_some_and(config::truth);
        found.push(Tag { tag: name.to_owned(), commit: commit.to_owned(), annotated });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn relative_urls_start_from_the_repository_above() {
        for (base, url, expected) in [
            ("https://a/b/c.git", "../d.git", "https://a/b/d.git"),
            ("https://a/b/c.git", "./d.git", "https://a/b/c.git/d.git"),
            ("https://a/b", "../../../d", "https://a/d"),
            ("up:b/c", "../d", "up:b/d"),
            ("https://a/b", "https://c/d", "https://c/d"),
        ] {
            assert_eq!(super::absolute(base, url), expected);
        }
    }
}
