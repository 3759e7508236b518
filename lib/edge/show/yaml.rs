//! YAML as BuildStream prints it for `%{vars}`, `%{public}` and their like: every scalar is a text, lists are
//! not indented. Maps come in the order of their names, for records have no other.

use serde_json::Value;

/// The text of a value, with a line end behind each line.
pub(super) fn dump(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if map.is_empty() => out.push_str("{}\n"),
        Value::Array(list) if list.is_empty() => out.push_str("[]\n"),
        Value::Object(_) | Value::Array(_) => block(value, 0, &mut out),
        scalar => {
            out.push_str(&text_of(scalar));
            out.push('\n');
        }
    }
    out
}

/// A map or list that is not empty; the cursor is where its first line begins.
fn block(value: &Value, indent: usize, out: &mut String) {
    let mut first = true;
    let mut begin = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push_str(&" ".repeat(indent));
        }
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                begin(out);
                out.push_str(&if key.is_empty() { "''".to_owned() } else { scalar(key) });
                out.push(':');
                match value {
                    Value::Object(inner) if !inner.is_empty() => nested(value, indent + 2, out),
                    Value::Array(inner) if !inner.is_empty() => nested(value, indent, out),
                    _ => {
                        let text = text_of(value);
                        if !text.is_empty() {
                            out.push(' ');
                        }
                        out.push_str(&text);
                        out.push('\n');
                    }
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                begin(out);
                out.push_str("- ");
                match value {
                    Value::Object(inner) if !inner.is_empty() => block(value, indent + 2, out),
                    Value::Array(inner) if !inner.is_empty() => block(value, indent + 2, out),
                    _ => {
                        out.push_str(&text_of(value));
                        out.push('\n');
                    }
                }
            }
        }
        _ => {}
    }
}

fn nested(value: &Value, indent: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    block(value, indent, out);
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Null => String::new(),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => scalar(&other.to_string()),
    }
}

/// A text in the plainest style that reads back as the same.
fn scalar(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    if text.chars().any(is_special) {
        return double_quoted(text);
    }
    if is_plain(text) {
        text.to_owned()
    } else if text.contains('\'') {
        double_quoted(text)
    } else {
        format!("'{text}'")
    }
}

fn is_special(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text of printable characters can stand without quotes in a block (YAML 1.1, chapter 9.1.3).
fn is_plain(text: &str) -> bool {
    if text.starts_with(' ') || text.ends_with(' ') || text.starts_with("---") || text.starts_with("...") {
        return false;
    }
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let ends = rest.peek().is_none_or(|&next| next == ' ');
        let is_indicator = match (before, c) {
            (None, '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`') => {
                true
            }
            (None, '?' | '-') | (_, ':') => ends,
            (Some(' '), '#') => true,
            _ => false,
        };
        if is_indicator {
            return false;
        }
        before = Some(c);
    }
    true
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if is_special(c) && u32::from(c) <= 0xff => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            c if is_special(c) => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_looks_as_buildstream_prints_it() {
        let value = json!({
            "bst": {"integration-commands": ["echo \"hi\"", "multi  \n\nx\nline"], "split-rules": {"debug": ["/usr/lib/debug/**"]}},
            "colon": "a: b", "empty": "", "lists": [], "maps": {}, "none": [""], "percent": "%%x", "quoted": "it's: # no",
            "sources": [{"kind": "local", "url": "files"}], "star": "*x", "tab": "a\tb", "uni": "é☃",
        });
        let expected = "\
bst:
  integration-commands:
  - echo \"hi\"
  - \"multi  \\n\\nx\\nline\"
  split-rules:
    debug:
    - /usr/lib/debug/**
colon: 'a: b'
empty:
lists: []
maps: {}
none:
- 
percent: '%%x'
quoted: \"it's: # no\"
sources:
- kind: local
  url: files
star: '*x'
tab: \"a\\tb\"
uni: é☃
";
        assert_eq!(dump(&value), expected);
        assert_eq!(dump(&json!([])), "[]\n");
        assert_eq!(dump(&json!({})), "{}\n");
    }
}
