//! Submodules: repositories of their own, at paths that a commit names.

use super::{Mirror, is_commit, unusable};
use crate::doing::source::tool;
use crate::values::Result;

/// A submodule of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submodule {
    /// Where it belongs, from the top of the commit.
    pub path: String,
    /// As `.gitmodules` has it.
    pub url: String,
    /// What of it the commit takes.
    pub commit: String,
}

impl Mirror {
    /// The submodules of a commit. Those that `.gitmodules` names and the commit does not have are passed
    /// over.
    pub fn submodules(&self, commit: &str) -> Result<Vec<Submodule>> {
        let mut command = self.git();
        command.args(["config", "-z", "--blob", &format!("{commit}:.gitmodules")]);
        command.args(["--get-regexp", r"^submodule\..*\.(path|url)$"]);
        let output = tool::output(&mut command)?;
        if !output.status.success() {
            return Ok(Vec::new());
        }
        let mut modules: Vec<(String, Option<String>, Option<String>)> = Vec::new();
        for entry in output.stdout.split(|b| *b == 0).filter(|entry| !entry.is_empty()) {
            let entry = std::str::from_utf8(entry).map_err(|_| unusable(".gitmodules is no UTF-8"))?;
            let Some((key, value)) = entry.split_once('\n') else { continue };
            let Some((name, field)) = key.rsplit_once('.') else { continue };
            let index = modules.iter().position(|(known, ..)| known == name).unwrap_or_else(|| {
                modules.push((name.to_owned(), None, None));
                modules.len() - 1
            });
            let (_, path, url) = &mut modules[index];
            *(if field == "path" { path } else { url }) = Some(value.to_owned());
        }
        let mut submodules = Vec::new();
        for (_, path, url) in modules {
            let (Some(path), Some(url)) = (path, url) else { continue };
            if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
                return Err(unusable(format!(
                    "a submodule's path is \"{}\", which leads out of the sources",
                    path.escape_debug()
                )));
            }
            if let Some(commit) = self.gitlink(commit, &path)? {
                submodules.push(Submodule { path, url, commit });
            }
        }
        Ok(submodules)
    }

    /// The commit that stands at a path, if one does.
    fn gitlink(&self, commit: &str, path: &str) -> Result<Option<String>> {
        let mut command = self.git();
        command.args(["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path]);
        let listing = tool::run(&mut command, "git cannot list the files of a commit")?;
        let listing = String::from_utf8_lossy(&listing);
        let mut words = listing.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(_), Some("commit"), Some(commit)) if is_commit(commit) => Ok(Some(commit.to_owned())),
            _ => Ok(None),
        }
    }
}
