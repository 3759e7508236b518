//! The tree of the sandbox's root, from the artifacts of the dependencies.

use super::dependency::Dependency;
use super::{Run, Stop};
use crate::doing::staging::merge;
use crate::doing::staging::overlaps::{Owners, Session, Warning};
use crate::doing::staging::split::{Selection, SplitRules};
use crate::doing::staging::tree::{Directory, Owner};
use crate::store::Store;
use crate::values::glob::Glob;
use crate::values::record::Layout;
use crate::values::{Code, Digest, Error, Result};
use std::collections::BTreeMap;

impl Run<'_> {
    /// Stages what the layout says: each location with the dependencies that belong there.
    pub(super) fn stage(&mut self, layout: &[Layout]) -> Result<Directory, Stop> {
        let everything = Selection { include: &[], exclude: &[], orphans: true };
        self.stage_selected(layout, &everything)
    }

    /// The same with a part of each artifact.
    pub(super) fn stage_selected(&mut self, layout: &[Layout], selection: &Selection) -> Result<Directory, Stop> {
        let mut tree = Directory::default();
        let mut staged = Staged { dependencies: self.dependencies, owners: vec![None], store: &self.builder.store };
        for (location, wanted) in self.locations(layout)? {
            let what = format!("Staging dependencies at: {location}");
            let since = self.log.begin(&what)?;
            self.stage_at(&mut tree, &location, &wanted, &mut staged, selection)?;
            self.log.end(since, true, &what)?;
        }
        Ok(tree)
    }

    /// Where the dependencies are staged: positions in `stage`, in staging order.
    pub(super) fn locations(&self, layout: &[Layout]) -> Result<BTreeMap<String, Vec<usize>>> {
        let mut direct: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for item in layout {
            direct.entry(item.location.clone()).or_default().push(self.position(item)?);
        }
        if layout.is_empty() {
            return Ok(BTreeMap::from([("/".to_owned(), (0..self.dependencies.len()).collect())]));
        }
        Ok(direct.into_iter().map(|(location, direct)| (location, self.job.with_runtime(&direct))).collect())
    }

    /// The trees that are staged apart, by the variable that gets the digest. They are put into the store:
    /// whoever is given a digest may look for what it names.
    pub(super) fn apart(&mut self, layout: &[Layout]) -> Result<BTreeMap<String, Digest>, Stop> {
        let mut wanted: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for item in layout {
            if let Some(variable) = &item.digest_environment {
                wanted.entry(variable).or_default().push(self.position(item)?);
            }
        }
        let mut digests = BTreeMap::new();
        for (variable, direct) in wanted {
            let what = format!("Staging dependencies for '{variable}' in subsandbox");
            let since = self.log.begin(&what)?;
            let mut staged = Staged { dependencies: self.dependencies, owners: vec![None], store: &self.builder.store };
            let mut tree = Directory::default();
            let everything = Selection { include: &[], exclude: &[], orphans: true };
            self.stage_at(&mut tree, "/", &self.job.with_runtime(&direct), &mut staged, &everything)?;
            digests.insert(variable.to_owned(), self.put_tree(&tree)?);
            self.log.end(since, true, &what)?;
        }
        Ok(digests)
    }

    fn position(&self, item: &Layout) -> Result<usize> {
        let found = self.job.stage.iter().position(|it| it.project == item.project && it.element == item.element);
        found.ok_or_else(|| {
            Error::malformed(format!("\"layout\" names {}, which \"stage\" lacks", item.element.escape_default()))
        })
    }

    fn stage_at(
        &mut self,
        tree: &mut Directory,
        location: &str,
        wanted: &[usize],
        staged: &mut Staged,
        selection: &Selection,
    ) -> Result<(), Stop> {
        let cas = self.builder.store.cas();
        let first = staged.next();
        let mut session = Session::new(location, first);
        let target = tree.make(&cas, location)?;
        for &at in wanted {
            let dependency = &self.dependencies[at];
            let owner = staged.add(at);
            let brief = dependency.staged.key.brief();
            self.log.say("STATUS", &format!("Staging {}/{brief}", dependency.name()))?;
            let upper = Directory::load(&cas, &dependency.files, owner)?;
            let report = if selection.is_everything() {
                merge::merge(target, upper, &cas, None)?
            } else {
                let rules = SplitRules::new(dependency.public(&self.builder.store)?)?;
                merge::merge(target, upper, &cas, Some(&|path| rules.takes(selection, path)))?
            };
            if let Some(path) = report.over_empty.first() {
                return Err(Error::new(
                    Code::Staging,
                    format!("{} stages a file over the empty directory /{path}", dependency.name()),
                )
                .into());
            }
            session.add(owner, report);
        }
        for warning in session.warnings(staged) {
            self.warn(warning)?;
        }
        Ok(())
    }

    /// Says it, or fails if the project has it among its fatal warnings.
    fn warn(&mut self, warning: Warning) -> Result<(), Stop> {
        let fatal = self.job.build.fatal_warnings.iter().any(|token| token == warning.token);
        let text = format!("[{}]: {}", warning.token, warning.message);
        self.log.say(if fatal { "FAILURE" } else { "WARNING" }, &text)?;
        self.log.detail(&warning.detail)?;
        if fatal {
            let message = format!("{text}, which the project takes for an error\n{}", warning.detail);
            return Err(Error::new(Code::Staging, message).into());
        }
        Ok(())
    }
}

/// Who staged what: each staging of an artifact is an owner of its own.
struct Staged<'a> {
    dependencies: &'a [Dependency],
    /// Positions of dependencies; owner 0 is nobody.
    owners: Vec<Option<usize>>,
    store: &'a Store,
}

impl Staged<'_> {
    fn next(&self) -> Owner {
        Owner::try_from(self.owners.len()).unwrap_or(Owner::MAX)
    }

    fn add(&mut self, at: usize) -> Owner {
        let owner = self.next();
        self.owners.push(Some(at));
        owner
    }

    fn dependency(&self, owner: Owner) -> Option<&Dependency> {
        let at = self.owners.get(usize::try_from(owner).ok()?).copied().flatten()?;
        self.dependencies.get(at)
    }
}

impl Owners for Staged<'_> {
    fn name(&self, owner: Owner) -> String {
        self.dependency(owner).map_or_else(|| "the sandbox".to_owned(), |dependency| dependency.name().to_owned())
    }

    fn may_overlap(&self, owner: Owner, path: &str) -> bool {
        // A whitelist that cannot be read allows nothing.
        let Some(dependency) = self.dependency(owner) else { return false };
        let list = dependency.public_list(self.store, "overlap-whitelist").unwrap_or_default();
        list.iter().any(|pattern| Glob::new(pattern).matches(path))
    }
}
