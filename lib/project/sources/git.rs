//! Kind git of buildstream-plugins, and what the kind git_tag has in common with it.

use super::draft::{Draft, check_keys, need, reference, version, with_version};
use super::{SourceView, refuse};
use crate::project::node::Mapping;
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Map, Value, json};

const KEYS: [&str; 8] =
    ["url", "track", "ref", "submodules", "checkout-submodules", "ref-format", "track-tags", "tags"];

pub fn configure(view: &SourceView) -> Result<Source> {
    check_keys(view, &with_version(&KEYS, !view.plugin.is_before([2, 5, 0])))?;
    tags(view.config)?;
    view.config.bool("track-tags")?;
    let url = need(view, "url")?;
    ref_format(view)?;
    let version = version(view)?;
    check_ref_or_track(view)?;
    let submodules = Submodules::read(view)?;
    let draft = submodules.add_urls(view, Draft::new(view))?;
    let resolved = view.urls.resolve(url, true)?;

    let reference = reference(view)?;
    let unique = match reference {
        None => None,
        Some(reference) => {
            let mut unique = vec![json!(url), json!(commit(reference))];
            let tags = view.refs.map_or(Ok(Map::new()), tags)?;
            if !tags.is_empty() {
                unique.push(json!({"tags": tags}));
            }
            submodules.add_to_key(&mut unique);
            unique.extend(version.map(|(_, text)| json!(text)));
            Some(Value::Array(unique))
        }
    };
    let draft = match view.refs.and_then(|refs| refs.get("tags")) {
        Some(tags) => draft.with("tags", tags.to_json()),
        None => draft,
    };
    let draft = draft.with("checkout-submodules", submodules.checkout).with_url(url, resolved);
    Ok(draft.with_ref(reference).finish(unique))
}

/// A ref may say which tag it is near: `TAG-COUNT-gCOMMIT`.
fn commit(reference: &str) -> &str {
    reference.rsplit_once("-g").map_or(reference, |(_, commit)| commit)
}

/// The tags that go along: name to commit and whether it is annotated.
fn tags(refs: &Mapping) -> Result<Map<String, Value>> {
    let mut tags = Map::new();
    let Some(list) = refs.list("tags")? else { return Ok(tags) };
    for tag in list.items.iter() {
        let tag = tag.mapping()?;
        tag.check_keys(&["tag", "commit", "annotated"])?;
        let annotated = tag.require("annotated")?.scalar()?.bool()?;
        tags.insert(tag.require_text("tag")?.to_owned(), json!([tag.require_text("commit")?, annotated]));
    }
    Ok(tags)
}

/// Checks how refs are to be written.
pub fn ref_format(view: &SourceView) -> Result<()> {
    match view.config.scalar("ref-format")? {
        Some(format) if !matches!(&*format.text, "sha1" | "git-describe") => {
            Err(format.expected("\"sha1\" or \"git-describe\""))
        }
        _ => Ok(()),
    }
}

/// Without either there is nothing to build and nothing to look for.
pub fn check_ref_or_track(view: &SourceView) -> Result<()> {
    if view.config.text("ref")?.is_none() && view.config.text("track")?.is_none() {
        return Err(refuse(view, "missing-track-and-ref", "the source has neither \"ref\" nor \"track\"; give one"));
    }
    Ok(())
}

/// What is said about submodules.
pub struct Submodules<'a> {
    pub checkout: bool,
    entries: Vec<(&'a str, Option<&'a str>, Option<bool>)>,
}

impl<'a> Submodules<'a> {
    pub fn read(view: &SourceView<'a>) -> Result<Submodules<'a>> {
        let checkout = view.config.bool("checkout-submodules")?.unwrap_or(true);
        let mut entries = Vec::new();
        if let Some(modules) = view.config.mapping("submodules")? {
            for (path, module) in modules.iter() {
                let module = module.mapping()?;
                entries.push((&**path, module.text("url")?, module.bool("checkout")?));
            }
        }
        Ok(Submodules { checkout, entries })
    }

    /// Adds where their URLs lead.
    pub fn add_urls<'b>(&self, view: &SourceView<'a>, mut draft: Draft<'a, 'b>) -> Result<Draft<'a, 'b>> {
        for url in self.entries.iter().filter_map(|(_, url, _)| *url).filter(|url| !url.is_empty()) {
            draft = draft.with_further(url, view.urls.resolve(url, false)?);
        }
        Ok(draft)
    }

    /// Adds what is not as usual.
    pub fn add_to_key(&self, unique: &mut Vec<Value>) {
        if !self.checkout {
            unique.push(json!({"checkout_submodules": false}));
        }
        let urls: Map<String, Value> =
            self.entries.iter().map(|(path, url, _)| ((*path).to_owned(), json!(url))).collect();
        if !urls.is_empty() {
            unique.push(Value::Object(urls));
        }
        let checkouts =
            self.entries.iter().filter_map(|(path, _, checkout)| Some(((*path).to_owned(), json!((*checkout)?))));
        let checkouts: Map<String, Value> = checkouts.collect();
        if !checkouts.is_empty() {
            unique.push(json!({"submodule_checkout_overrides": checkouts}));
        }
    }
}
