//! From URLs with aliases to where they lead (spec: keys 2.5).

use super::{Project, UNALIASED_URL};
use crate::project::node::Mark;
use crate::project::plugins;
use crate::project::sources::{Resolved, Urls};
use crate::project::userconfig::UriPolicy;
use crate::values::error::Domain;
use crate::values::{Error, Result};
use std::sync::Arc;

/// What stands before the first colon of a URL, unless it is a scheme, and what stands behind it.
pub fn split_alias(url: &str) -> Option<(&str, &str)> {
    let (alias, rest) = url.split_once(':')?;
    let schemes = ["http", "https", "ftp", "file", "git", "sftp", "ssh"];
    let is_scheme = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(alias));
    (!is_scheme && !alias.is_empty()).then_some((alias, rest))
}

/// The aliases that a source sees.
pub struct ProjectUrls<'a> {
    pub project: &'a Arc<Project>,
    /// Whether it belongs to a junction.
    pub first_pass: bool,
    /// Where the source stands.
    pub mark: Mark,
}

impl Urls for ProjectUrls<'_> {
    fn resolve(&self, url: &str, _primary: bool) -> Result<Resolved> {
        let Some((alias, rest)) = split_alias(url) else {
            if self.project.is_fatal(UNALIASED_URL) {
                let message = format!(
                    "the URL \"{}\" uses no alias, and the project refuses that; give it an alias under \"aliases\"",
                    url.escape_default()
                );
                return Err(plugins::refuse(UNALIASED_URL, message).at(self.mark.place()));
            }
            // What looks like a scheme may still be an alias that the project declares.
            let resolved = match url.split_once(':') {
                Some((alias, rest)) => self.translate(self.project, alias, rest)?,
                None => None,
            };
            let url = resolved.unwrap_or_else(|| url.to_owned());
            return Ok(Resolved { urls: vec![url.clone()], url });
        };
        if !self.exists(self.project, alias)? {
            let message = format!(
                "the alias \"{}\" of the URL \"{}\" is not declared; add it to \"aliases\" of project.conf",
                alias.escape_default(),
                url.escape_default()
            );
            return Err(self.error("invalid-source-alias", message));
        }
        let urls = self.fetch_urls(self.project, alias, rest)?;
        let resolved = self.translate(self.project, alias, rest)?.unwrap_or_else(|| url.to_owned());
        match urls {
            Some(urls) if urls.is_empty() => {
                let message = format!("the user's configuration allows no URL of the alias \"{alias}\"");
                Err(self.error("missing-source-alias-target", message))
            }
            Some(urls) => Ok(Resolved { url: resolved, urls }),
            None => Ok(Resolved { urls: vec![resolved.clone()], url: resolved }),
        }
    }
}

impl ProjectUrls<'_> {
    fn error(&self, reason: &str, message: String) -> Error {
        Error::of_project(Domain::Source, reason, message).at(self.mark.place())
    }

    /// The alias's own URL in the project.
    fn declared(&self, project: &Arc<Project>, alias: &str) -> Result<Option<String>> {
        let config = project.config(self.first_pass)?;
        Ok(config.aliases.text(alias)?.map(str::to_owned))
    }

    fn exists(&self, project: &Arc<Project>, alias: &str) -> Result<bool> {
        let Some(junction) = &project.junction else { return Ok(self.declared(project, alias)?.is_some()) };
        match junction.parent_alias(alias)? {
            Some(mapped) if self.exists(&junction.project, mapped)? => Ok(true),
            Some(mapped) => Err(self.error(
                "invalid-source-alias",
                format!(
                    "the alias \"{alias}\" is mapped to \"{mapped}\" by {}, whose project does not declare that",
                    junction.full_name
                ),
            )),
            None if junction.project.disallow_subproject_uris => Err(self.unmapped(alias)),
            None => Ok(self.declared(project, alias)?.is_some()),
        }
    }

    fn unmapped(&self, alias: &str) -> Error {
        let message = format!(
            "the project above allows only URLs of its own, and maps nothing to the alias \"{alias}\"; add it to \
             \"aliases\" of the junction"
        );
        self.error("missing-alias-mapping", message)
    }

    /// The URL with the alias replaced; `None` where the project does not declare it.
    fn translate(&self, project: &Arc<Project>, alias: &str, rest: &str) -> Result<Option<String>> {
        let Some(own) = self.declared(project, alias)?.filter(|own| !own.is_empty()) else { return Ok(None) };
        if let Some(junction) = &project.junction {
            if let Some(mapped) = junction.parent_alias(alias)?.filter(|mapped| !mapped.is_empty()) {
                let above = self.translate(&junction.project, mapped, rest)?;
                return Ok(Some(above.unwrap_or_else(|| format!("{mapped}:{rest}"))));
            }
            if junction.project.disallow_subproject_uris {
                return Err(self.unmapped(alias));
            }
        }
        Ok(Some(own + rest))
    }

    /// Where to fetch, best first; `None` where nothing is known of the alias.
    fn fetch_urls(&self, project: &Arc<Project>, alias: &str, rest: &str) -> Result<Option<Vec<String>>> {
        let config = project.config(self.first_pass)?;
        let Some(own) = config.aliases.text(alias)? else { return Ok(None) };
        if let Some(junction) = &project.junction {
            if let Some(mapped) = junction.parent_alias(alias)? {
                return self.fetch_urls(&junction.project, mapped, rest);
            }
            if junction.project.disallow_subproject_uris {
                return Ok(None);
            }
        }
        let policy = project.settings().user.fetch;
        let mut urls = Vec::new();
        let mirrors = matches!(policy, UriPolicy::All | UriPolicy::Mirrors)
            || (policy == UriPolicy::User && config.mirrors_of_user);
        for mirror in config.mirrors.iter().filter(|_| mirrors) {
            let of_mirror = mirror.urls(alias, rest);
            let at = if config.default_mirror.as_ref() == Some(&mirror.name) { 0 } else { urls.len() };
            urls.splice(at..at, of_mirror);
        }
        if matches!(policy, UriPolicy::All | UriPolicy::Aliases) {
            urls.push(format!("{own}{rest}"));
        }
        Ok(Some(urls))
    }
}
