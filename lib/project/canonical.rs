//! The one text form that keys are hashes of: JSON without white space, in ASCII, keys sorted (spec: keys
//! 3.9).

use crate::values::Key;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Appends a value. The keys of objects are sorted by their maps.
pub fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => string(out, text),
        Value::Array(items) => list(out, items, self::value),
        Value::Object(entries) => object(out, entries, self::value),
    }
}

/// Appends a list of what `item` writes.
pub fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, item: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, value) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        item(out, value);
    }
    out.push(b']');
}

/// Appends an object; the entries come sorted.
pub fn object<'a, T>(
    out: &mut Vec<u8>,
    entries: impl IntoIterator<Item = (&'a String, T)>,
    item: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(out, key);
        out.push(b':');
        item(out, value);
    }
    out.push(b'}');
}

/// Appends a text in quotes.
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(plain) = bytes[from..].iter().position(|&byte| is_escaped(byte)) {
        out.extend_from_slice(&bytes[from..from + plain]);
        from += plain;
        // What is escaped starts a character: no byte of a longer one is below 0x80.
        let Some(c) = text[from..].chars().next() else { break };
        escape(out, c);
        from += c.len_utf8();
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0x80
}

fn escape(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
    }
}

/// The key of a value: the hash of its text.
pub fn key(of: &Value) -> Key {
    let mut text = Vec::new();
    value(&mut text, of);
    Key::new(Sha256::digest(&text).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(of: Value) -> String {
        let mut out = Vec::new();
        value(&mut out, &of);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn texts_are_written_as_buildstream_writes_them() {
        assert_eq!(text(json!("a/b<>&'\u{7f}")), "\"a/b<>&'\u{7f}\"");
        assert_eq!(text(json!("\"\\\u{8}\u{c}\n\r\t\u{1}\u{1f}\0")), r#""\"\\\b\f\n\r\t\u0001\u001f\u0000""#);
        assert_eq!(text(json!("wörld \u{1F600}\u{FEFF}é")), r#""w\u00f6rld \ud83d\ude00\ufeff\u00e9""#);
        assert_eq!(text(json!([1, -2, true, false, null, [], {}])), "[1,-2,true,false,null,[],{}]");
    }

    #[test]
    fn keys_are_sorted_by_code_point() {
        // In UTF-16, as some serialisers sort, the second would come first.
        assert_eq!(
            text(json!({"\u{1F600}": 1, "\u{FF5E}": 2, "a": 3, "B": 4})),
            r#"{"B":4,"a":3,"\uff5e":2,"\ud83d\ude00":1}"#
        );
    }

    #[test]
    fn the_empty_list_of_sources_has_the_key_that_buildstream_gives() {
        assert_eq!(key(&json!([])).to_string(), "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945");
    }
}
