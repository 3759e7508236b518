//! URLs that a kind's released code names as its defaults: they belong to the package, so they are read from it
//! when they are needed.

use super::{SourceView, object};
use crate::store::fs::read_if_there;
use crate::values::Result;

/// The URL that stands first as a text after `marker` in the code of the kind; none where the code is not at hand
/// or does not have it.
pub fn find(view: &SourceView, marker: &str) -> Result<Option<String>> {
    let Some(path) = &view.plugin.code else { return Ok(None) };
    let bytes = read_if_there(path)?.unwrap_or_default();
    let code = String::from_utf8_lossy(&bytes);
    let after = code.find(marker).map(|at| &code[at + marker.len()..]);
    Ok(after.and_then(first_text).filter(|text| text.contains("://")))
}

/// The URL as configured, else that of the code.
pub fn url(view: &SourceView, key: &str, marker: &str) -> Result<String> {
    if let Some(url) = view.config.text(key)? {
        return Ok(url.to_owned());
    }
    find(view, marker)?.ok_or_else(|| {
        let message = format!(
            "the source has no \"{key}\", and the default that the code of kind {} names cannot be read from {}; give \
             \"{key}\"",
            view.kind,
            view.plugin.code.as_deref().map_or("it".into(), |path| path.display().to_string())
        );
        object(view, message)
    })
}

/// The first text in quotes, if nothing but white space, `=`, `,` and `(` is before it.
fn first_text(code: &str) -> Option<String> {
    let start = code.find(|c: char| !c.is_whitespace() && !matches!(c, '=' | ',' | '('))?;
    let quote = code[start..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let rest = &code[start + 1..];
    Some(rest[..rest.find(quote)?].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_after_a_marker_is_found() {
        assert_eq!(first_text(", \"https://a/b\")").as_deref(), Some("https://a/b"));
        assert_eq!(first_text(",\n            'https://a'\n").as_deref(), Some("https://a"));
        assert_eq!(first_text(" = f(\"x\")"), None);
        assert_eq!(first_text(" \"open"), None);
    }
}
