//! Git: mirrors in the store, and commits as trees of the store. What git does is done by the system's git.

mod checkout;
mod history;
mod objects;
mod submodules;

pub(super) use checkout::{import, scratch};
pub(super) use history::Tag;
pub use submodules::Submodule;

use super::tool;
use crate::values::{Code, Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A bare repository in the store's downloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Where it lies.
    pub path: PathBuf,
    /// Where another one may lie instead, with a single tag (only of style clone).
    pub single: Option<PathBuf>,
    /// The URL as written.
    pub url: String,
    /// Where to fetch from, best first.
    pub urls: Vec<String>,
    /// The ref as written: a commit, maybe as `TAG-COUNT-gCOMMIT`, or whatever names one.
    pub reference: String,
    /// How the kind keeps it.
    pub style: Style,
    /// Whether another repository names the URL, which then must not lead to this machine's own files.
    pub nested: bool,
}

/// How kinds keep their mirrors, so that BuildStream finds them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// All branches and tags, or a single tag without history (kind git).
    Branches,
    /// Only what was asked for, with the tag that the ref names (kinds git_repo, go_module and cargo2).
    Exact,
    /// A clone with all refs, or beside it one of a single tag (kinds git_tag and git_module).
    Clone {
        /// Whether it has to be the whole.
        full: bool,
    },
}

impl Mirror {
    /// Git, working in the mirror.
    pub fn git(&self) -> Command {
        git_in(self.place())
    }

    /// Where it is, or will be.
    pub fn place(&self) -> &Path {
        match &self.single {
            Some(single) if !self.path.exists() && single.exists() => single,
            _ => &self.path,
        }
    }

    /// The commit that the ref stands for, if the mirror has it.
    pub fn commit(&self) -> Result<Option<String>> {
        if !self.place().join("HEAD").is_file() {
            return Ok(None);
        }
        let name = match self.style {
            Style::Exact => described(&self.reference).map_or(self.reference.as_str(), |described| described.commit),
            Style::Branches | Style::Clone { .. } => &self.reference,
        };
        if name.starts_with('-') {
            return Err(Error::malformed(format!("\"{}\" is no ref of a git repository", name.escape_default())));
        }
        let mut command = self.git();
        command.args(["rev-parse", "--quiet", "--verify", "--end-of-options", &format!("{name}^{{commit}}")]);
        let output = tool::output(&mut command)?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Some(commit).filter(|commit| output.status.success() && is_commit(commit)))
    }

    /// The same, where the mirror has to have it.
    pub fn need_commit(&self) -> Result<String> {
        self.commit()?.ok_or_else(|| {
            Error::not_found(format!(
                "the store has no commit {} of {}; bst-fetch brings it",
                self.reference.escape_default(),
                self.urls.last().map_or("the repository", |url| url)
            ))
        })
    }

    /// Whether the mirror has all that staging needs: with style exact also the tag.
    pub fn is_there(&self) -> bool {
        let Ok(Some(_)) = self.commit() else { return false };
        match (self.style, described(&self.reference)) {
            (Style::Exact, Some(described)) => self.has_tag(described.tag),
            _ => true,
        }
    }

    fn has_tag(&self, tag: &str) -> bool {
        let mut command = self.git();
        command.args(["show-ref", "--quiet", "--verify", &format!("refs/tags/{tag}")]);
        tool::output(&mut command).is_ok_and(|output| output.status.success())
    }
}

/// Variables with which git would work on something else, or in another way.
const FOREIGN: [&str; 20] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DEFAULT_HASH",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TEMPLATE_DIR",
    "GIT_WORK_TREE",
];

/// Git, working in a repository and seeing nothing of another one, nor of the user's configuration.
pub fn git_in(path: &Path) -> Command {
    let mut command = tool::command("git");
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
        .current_dir(path)
        .env("GIT_DIR", path)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        // A mirror may be another user's, who shares the store.
        .args(["-c", "safe.directory=*"]);
    command
}

/// A ref as `git describe` writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Described<'a> {
    pub tag: &'a str,
    /// How many commits the tag is away.
    pub distance: u32,
    pub commit: &'a str,
}

/// Takes `TAG-COUNT-gCOMMIT` apart.
pub fn described(reference: &str) -> Option<Described<'_>> {
    let (rest, commit) = reference.rsplit_once("-g")?;
    let (tag, distance) = rest.rsplit_once('-')?;
    let all_digits = !distance.is_empty() && distance.bytes().all(|b| b.is_ascii_digit());
    (all_digits && is_commit(commit)).then_some(())?;
    Some(Described { tag, distance: distance.parse().ok()?, commit })
}

/// Whether the text is a commit: 40 hexadecimal digits.
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn unusable(what: impl Into<String>) -> Error {
    Error::new(Code::Source, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_taken_apart() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let text = format!("v1-rc-g-3-g{commit}");
        assert_eq!(described(&text), Some(Described { tag: "v1-rc-g", distance: 3, commit }));
        assert_eq!(described(commit), None);
        assert_eq!(described(&format!("v1-g{commit}")), None);
    }
}
