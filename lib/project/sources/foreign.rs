//! Source kinds that are not native: what their helper program says (bst-plugin(7)).

use super::SourceView;
use super::draft::Draft;
use crate::project::helper::{self, Answer};
use crate::project::plugins::Family;
use crate::values::error::Domain;
use crate::values::record::Source;
use crate::values::{Code, Error, Result};
use serde_json::{Value, json};

pub fn configure(view: &SourceView) -> Result<Source> {
    let Some(program) = view.helpers.find(view.plugin) else { return Err(unknown(view)) };
    let place = |error: Error| error.or_at(|| view.mark.place());
    let answer = view.helpers.ask(&program, &question(view), Domain::Source).map_err(place)?;
    let Answer { unique_key, url, further_urls, data, .. } = answer;
    let mut draft = Draft::new(view).with_base().with_ref(super::draft::reference_json(view));
    if let Some(url) = url {
        draft = draft.with_url(&url, view.urls.resolve(&url, true)?);
    }
    for url in further_urls {
        draft = draft.with_further(&url, view.urls.resolve(&url, false)?);
    }
    if data != Value::Null {
        draft = draft.with("data", data);
    }
    Ok(draft.finish(unique_key))
}

fn question(view: &SourceView) -> Value {
    json!({
        "v": helper::VERSION,
        "ask": "source",
        "project_directory": view.project_directory.to_string_lossy(),
        "element": view.element,
        "index": view.index,
        "kind": view.kind,
        "config": view.config.to_json(),
        "refs": view.refs.map(|refs| refs.to_json()),
        "directory": view.directory,
    })
}

/// That nobody knows the kind.
fn unknown(view: &SourceView) -> Error {
    let whose = match &view.plugin.family {
        Family::Core => "BuildStream's own",
        Family::Package { name, .. } => name,
        Family::Own => "the project's own",
    };
    let message = format!(
        "the source kind \"{}\", {whose}, is not native, and there is no program bst-source-{} that knows it, neither \
         on the search path nor beside the kind's code; see bst-plugin(7)",
        view.kind, view.kind
    );
    Error::new(Code::Unsupported, message).at(view.mark.place())
}
