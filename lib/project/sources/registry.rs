//! Kinds that find a file at a place which publishes many: pip of buildstream-plugins; pypi, cpan, gnu and
//! anitya of buildstream-plugins-community.

use super::draft::{Draft, check_keys, need, reference, reference_json, version, with_version};
use super::gitcommunity::VERSIONS;
use super::{SourceView, object, plugincode};
use crate::project::node::{Mapping, Scalar};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Value, json};

pub fn pip(view: &SourceView) -> Result<Source> {
    check_keys(view, &["url", "packages", "ref", "requirements-files"])?;
    view.config.text("ref")?;
    let url = plugincode::url(view, "url", "_PYPI_INDEX_URL =")?;
    let resolved = view.urls.resolve(&url, true)?;
    let packages = view.config.texts("packages")?.unwrap_or_default();
    let files = view.config.texts("requirements-files")?.unwrap_or_default();
    if packages.is_empty() && files.is_empty() {
        return Err(object(view, "the source has neither \"packages\" nor \"requirements-files\"; give one"));
    }
    let reference = reference(view)?;
    let unique = reference.map(|reference| json!([url, reference]));
    Ok(Draft::new(view).with_url(&url, resolved).with_ref(reference).finish(unique))
}

/// Which file, below the URL, and its hash.
struct File<'a> {
    suffix: &'a str,
    sha256: &'a str,
}

impl<'a> File<'a> {
    /// As a ref that is a mapping has it.
    fn read(view: &SourceView<'a>) -> Result<Option<File<'a>>> {
        let reference = view.refs.map_or(Ok(None), |refs| refs.mapping("ref"))?;
        let Some(reference) = reference.filter(|reference| !reference.is_empty()) else { return Ok(None) };
        let file = File { suffix: reference.require_text("suffix")?, sha256: reference.require_text("sha256sum")? };
        Ok(Some(file).filter(|file| !file.suffix.is_empty() && !file.sha256.is_empty()))
    }

    fn to_json(&self) -> Value {
        json!({"sha256sum": self.sha256, "suffix": self.suffix})
    }

    fn unique(&self, version: Option<(&str, &str)>) -> Value {
        let mut unique = vec![json!(self.suffix), json!(self.sha256)];
        unique.extend(version.map(|(_, text)| json!(text)));
        Value::Array(unique)
    }
}

/// Adds the URL, where one is configured or the kind's code names one: it is in no key.
fn with_default<'a, 'b>(view: &SourceView<'a>, draft: Draft<'a, 'b>, key: &str, marker: &str) -> Result<Draft<'a, 'b>> {
    let url = match view.config.text(key)? {
        Some(url) => Some(url.to_owned()),
        None => plugincode::find(view, marker)?,
    };
    match url {
        Some(url) => Ok(draft.with_url(&url, view.urls.resolve(&url, true)?)),
        None => Ok(draft),
    }
}

pub fn pypi(view: &SourceView) -> Result<Source> {
    let keys = ["url", "name", "ref", "prereleases", "include", "exclude"];
    check_keys(view, &with_version(&keys, !view.plugin.is_before(VERSIONS)))?;
    need(view, "name")?;
    view.config.bool("prereleases")?;
    view.config.texts("include")?;
    view.config.texts("exclude")?;
    let draft = with_default(view, Draft::new(view), "url", "STORAGE_ROOT =")?;
    let version = version(view)?;
    let file = File::read(view)?;
    Ok(draft.with_ref(file.as_ref().map(File::to_json)).finish(file.map(|file| file.unique(version))))
}

/// Its ref is not under `ref`: it is `suffix` and `sha256sum`.
pub fn cpan(view: &SourceView) -> Result<Source> {
    let keys = ["name", "suffix", "sha256sum", "index"];
    check_keys(view, &with_version(&keys, !view.plugin.is_before(VERSIONS)))?;
    need(view, "name")?;
    let draft = with_default(view, Draft::new(view), "index", "\"index\",")?;
    let version = version(view)?;
    let text = |key: &str| view.refs.map_or(Ok(None), |refs: &Mapping| refs.text(key));
    let file = match (text("suffix")?, text("sha256sum")?) {
        (Some(suffix), Some(sha256)) => Some(File { suffix, sha256 }),
        _ => None,
    };
    Ok(draft.with_ref(file.as_ref().map(File::to_json)).finish(file.map(|file| file.unique(version))))
}

pub fn gnu(view: &SourceView) -> Result<Source> {
    check_keys(view, &["name", "dirname", "mirror", "track"])?;
    need(view, "name")?;
    view.config.text("dirname")?;
    view.config.bool("track")?;
    let file = File::read(view)?;
    let draft = with_default(view, Draft::new(view), "mirror", "\"mirror\",")?;
    Ok(draft.with_ref(file.as_ref().map(File::to_json)).finish(file.map(|file| file.unique(None))))
}

pub fn anitya(view: &SourceView) -> Result<Source> {
    check_keys(view, &["project-id", "url", "ref", "exclude", "api-url"])?;
    view.config.text("api-url")?;
    view.config.scalar("project-id")?.map_or_else(|| view.config.require("project-id").map(|_| 0), Scalar::int)?;
    let template = need(view, "url")?;
    let exclude = view.config.texts("exclude")?.unwrap_or_default();
    let prefix = template.split('{').next().unwrap_or_default();
    let resolved = view.urls.resolve(prefix, true)?;
    let unique = match view.refs.map_or(Ok(None), |refs| refs.mapping("ref"))? {
        Some(reference) => {
            reference.check_keys(&["version", "sha256sum"])?;
            let (version, sha256) = (reference.require_text("version")?, reference.require_text("sha256sum")?);
            Some(json!([template, version, sha256, exclude]))
        }
        None => None,
    };
    Ok(Draft::new(view).with_url(template, resolved).with_ref(reference_json(view)).finish(unique))
}
