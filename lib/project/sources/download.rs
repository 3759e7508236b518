//! Kinds that are one file to download: remote, tar, zip and deb.

use super::draft::{Draft, check_keys, need, reference, version};
use super::{Resolved, SourceView, refuse};
use crate::values::Result;
use crate::values::record::Source;
use serde_json::{Value, json};

const KEYS: [&str; 4] = ["url", "ref", "version-guess-pattern", "version"];

/// What all of them read.
struct Download<'a> {
    url: &'a str,
    resolved: Resolved,
    reference: Option<&'a str>,
    /// What enters the key, so far.
    unique: Vec<Value>,
}

impl<'a> Download<'a> {
    fn read(view: &SourceView<'a>) -> Result<Download<'a>> {
        let url = need(view, "url")?;
        view.config.text("ref")?;
        let resolved = view.urls.resolve(url, true)?;
        let reference = reference(view)?;
        let mut unique = vec![json!(url), json!(reference)];
        unique.extend(version(view)?.map(|(_, text)| json!(text)));
        Ok(Download { url, resolved, reference, unique })
    }

    fn finish(mut self, draft: Draft, more: impl IntoIterator<Item = Value>) -> Source {
        self.unique.extend(more);
        let unique = self.reference.map(|_| Value::Array(self.unique));
        draft.with_url(self.url, self.resolved).with_ref(self.reference).finish(unique)
    }
}

/// Kind remote: the file as it is.
pub fn remote(view: &SourceView) -> Result<Source> {
    let download = Download::read(view)?;
    // The alias's own URL decides, not the text.
    let default = download.resolved.url.rsplit('/').next().unwrap_or_default().to_owned();
    let filename = view.config.text("filename")?.map_or(default, str::to_owned);
    let executable = view.config.bool("executable")?.unwrap_or(false);
    if filename.contains('/') {
        let message = format!("\"filename\" is \"{}\"; give a name without directories", filename.escape_default());
        return Err(refuse(view, "filename-contains-directory", message));
    }
    check_keys(view, &[&KEYS[..], &["filename", "executable"]].concat())?;
    let draft = Draft::new(view).with("filename", filename.as_str()).with("executable", executable);
    Ok(download.finish(draft, [json!(filename), json!(executable)]))
}

/// Kinds tar, zip and deb: what is in the file.
pub fn archive(view: &SourceView) -> Result<Source> {
    let download = Download::read(view)?;
    let base = view.config.text("base-dir")?.unwrap_or("*");
    check_keys(view, &[&KEYS[..], &["base-dir"]].concat())?;
    Ok(download.finish(Draft::new(view).with("base-dir", base), [json!(base)]))
}
