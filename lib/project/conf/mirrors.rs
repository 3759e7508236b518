//! Mirrors of a project's aliases.

use crate::project::node::{Mapping, Mark, Node};
use crate::values::Result;

/// A mirror.
pub struct Mirror {
    pub name: String,
    /// `default`, or the kind of a plugin.
    pub kind: String,
    /// What the kind is configured with. For `default`, `aliases` has the prefixes of each alias.
    pub config: Mapping,
    pub mark: Mark,
}

/// Reads the list of mirrors, expanded. Where the same name is there twice, the last one counts, in the place
/// of the first.
pub fn read(list: Option<&Node>) -> Result<Vec<Mirror>> {
    let mut mirrors: Vec<Mirror> = Vec::new();
    let Some(list) = list else { return Ok(mirrors) };
    for node in list.list()?.items.iter() {
        let mirror = mirror(node.mapping()?)?;
        match mirrors.iter_mut().find(|other| other.name == mirror.name) {
            Some(other) => *other = mirror,
            None => mirrors.push(mirror),
        }
    }
    Ok(mirrors)
}

fn mirror(node: &Mapping) -> Result<Mirror> {
    let kind = node.text("kind")?.unwrap_or("default").to_owned();
    let config = if kind == "default" {
        node.check_keys(&["name", "kind", "aliases"])?;
        for (_, urls) in node.require("aliases")?.mapping()?.iter() {
            urls.list()?.texts()?;
        }
        node.clone()
    } else {
        node.check_keys(&["name", "kind", "config"])?;
        node.mapping("config")?.cloned().unwrap_or_else(Mapping::empty)
    };
    Ok(Mirror { name: node.require_text("name")?.to_owned(), kind, config, mark: node.mark })
}

impl Mirror {
    /// The URLs that a mirror has for what stands behind an alias.
    pub fn urls(&self, alias: &str, rest: &str) -> Vec<String> {
        match &*self.kind {
            "default" => {
                let prefixes = self.config.mapping("aliases").ok().flatten().and_then(|it| it.texts(alias).ok()?);
                prefixes.unwrap_or_default().into_iter().map(|prefix| format!("{prefix}{rest}")).collect()
            }
            "simple_mirror" if self.has(alias) => self.simple(alias, rest).into_iter().collect(),
            "gitlab_lfs_mirror" if self.has(alias) => self.gitlab(alias, rest).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn has(&self, alias: &str) -> bool {
        self.config.texts("aliases").ok().flatten().is_some_and(|aliases| aliases.contains(&alias))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.config.text(key).ok().flatten()
    }

    /// Of buildstream-plugins: one URL for all aliases, with the alias's name in it.
    fn simple(&self, alias: &str, rest: &str) -> Option<String> {
        Some(join(&self.text("url")?.replace("{alias}", alias), rest))
    }

    /// Of buildstream-plugins: the API by which GitLab gives out files.
    fn gitlab(&self, alias: &str, rest: &str) -> Option<String> {
        let project = quoted(&self.text("project")?.replace("{alias}", alias), "");
        let reference = self.text("ref").unwrap_or("master");
        let file = quoted(rest, "");
        let path = format!("api/v4/projects/{project}/repository/files/{file}/raw?ref={reference}&lfs=true");
        Some(join(self.text("url")?, &path))
    }
}

/// Puts one path behind another.
fn join(base: &str, rest: &str) -> String {
    if rest.starts_with('/') {
        rest.to_owned()
    } else if base.is_empty() || base.ends_with('/') {
        format!("{base}{rest}")
    } else {
        format!("{base}/{rest}")
    }
}

/// A text as it stands in a URL: letters, digits, `_.-~` and what is in `safe` as they are.
pub(super) fn quoted(text: &str, safe: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-~".contains(c) || safe.contains(c);
    text.bytes()
        .map(|byte| match char::from(byte) {
            c if plain(c) => c.to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
