//! What is said when files of one dependency take the place of another's (spec: artifacts 3.2).

use super::merge::Report;
use super::tree::{Owner, join};
use std::collections::BTreeMap;

/// One staging of several trees at one place.
pub struct Session {
    location: String,
    /// The first owner of this session; lower ones belong to earlier sessions.
    first: Owner,
    overlaps: BTreeMap<String, Stack>,
    ignored: Vec<(Owner, Vec<String>)>,
}

/// Who staged one path.
#[derive(Default)]
struct Stack {
    /// In an earlier session.
    outside: Owner,
    /// In this one, from the bottom up.
    owners: Vec<Owner>,
}

/// A warning: BuildStream's word for it, which can be among a project's fatal warnings.
pub struct Warning {
    pub token: &'static str,
    pub message: &'static str,
    pub detail: String,
}

/// What is known of the owners.
pub trait Owners {
    /// The element's name.
    fn name(&self, owner: Owner) -> String;
    /// Whether the element says that it may stage this path over others.
    fn may_overlap(&self, owner: Owner, path: &str) -> bool;
}

impl Session {
    /// Starts one; its trees get owners from `first` on.
    pub fn new(location: &str, first: Owner) -> Session {
        Session { location: location.to_owned(), first, overlaps: BTreeMap::new(), ignored: Vec::new() }
    }

    /// Takes what happened when `owner` was staged.
    pub fn add(&mut self, owner: Owner, report: Report) {
        for (path, below) in report.overwritten {
            let first = self.first;
            let stack = self.overlaps.entry(path).or_insert_with(|| match below >= first {
                true => Stack { outside: 0, owners: vec![below] },
                false => Stack { outside: below, owners: Vec::new() },
            });
            stack.owners.push(owner);
        }
        if !report.ignored.is_empty() {
            self.ignored.push((owner, report.ignored));
        }
    }

    /// The warnings at the end of the session.
    pub fn warnings(&self, owners: &dyn Owners) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut inner = format!("Staged files overwrite existing files in staging area: {}\n", self.location);
        let mut outer = format!("Detected file overlaps while staging elements into: {}\n", self.location);
        let (mut has_inner, mut has_outer) = (false, false);
        for (path, stack) in &self.overlaps {
            let full = self.full(path);
            if let [above] = stack.owners[..] {
                has_outer = true;
                let (above, below) = (owners.name(above), owners.name(stack.outside));
                outer += &format!("{full}: {above} overlaps files previously staged by {below}\n");
                continue;
            }
            let above = stack.owners.iter().skip(1);
            let refused: Vec<String> =
                above.filter(|&&owner| !owners.may_overlap(owner, path)).map(|&owner| owners.name(owner)).collect();
            if refused.is_empty() {
                continue;
            }
            has_inner = true;
            let order: Vec<String> = stack.owners.iter().rev().map(|&owner| owners.name(owner)).collect();
            let verb = if refused.len() == 1 { "is" } else { "are" };
            inner += &format!(
                "{full}: {} {verb} not permitted to overlap other elements, order {}\n",
                refused.join(" and "),
                order.join(" above ")
            );
        }
        if has_inner {
            warnings.push(Warning { token: "overlaps", message: "Non-whitelisted overlaps detected", detail: inner });
        }
        if !self.ignored.is_empty() {
            warnings.push(self.unstaged(owners));
        }
        if has_outer {
            warnings.push(Warning { token: "overlaps", message: "Overlaps detected", detail: outer });
        }
        warnings
    }

    fn unstaged(&self, owners: &dyn Owners) -> Warning {
        let mut detail =
            format!("Not staging files which would replace non-empty directories in staging area: {}\n", self.location);
        for (owner, paths) in &self.ignored {
            detail += &format!("\nFrom {}:\n", owners.name(*owner));
            for path in paths {
                detail += &format!("  {}\n", self.full(path));
            }
        }
        Warning {
            token: "unstaged-files",
            message: "Not staging files which would have replaced non-empty directories",
            detail,
        }
    }

    fn full(&self, path: &str) -> String {
        join(self.location.trim_end_matches('/'), path)
    }
}
