//! The YAML of an artifact's metadata: mappings, lists and texts. Projects are read elsewhere, with the
//! place of each value.

use super::{Error, Result};
use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

/// Deeper data is refused.
const DEEPEST: usize = 100;

/// Reads one document; every scalar is a text. No document at all is an empty mapping.
pub fn parse(text: &str) -> Result<Value> {
    let mut parser = Parser::new_from_str(text);
    let mut next = || -> Result<Event> {
        match parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(Error::damaged(format!("metadata is no YAML: {error}"))),
            None => Ok(Event::StreamEnd),
        }
    };
    loop {
        match next()? {
            Event::StreamEnd => return Ok(Value::Object(Map::new())),
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            event => return value(event, &mut next, 0),
        }
    }
}

fn value<'a>(event: Event<'a>, next: &mut impl FnMut() -> Result<Event<'a>>, depth: usize) -> Result<Value> {
    if depth > DEEPEST {
        return Err(Error::damaged(format!("metadata is nested more than {DEEPEST} deep")));
    }
    match event {
        Event::Scalar(text, ..) => Ok(Value::String(text.into_owned())),
        Event::SequenceStart(..) => {
            let mut list = Vec::new();
            loop {
                match next()? {
                    Event::SequenceEnd => return Ok(Value::Array(list)),
                    event => list.push(value(event, next, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                match next()? {
                    Event::MappingEnd => return Ok(Value::Object(map)),
                    Event::Scalar(key, ..) => {
                        let event = next()?;
                        map.insert(key.into_owned(), value(event, next, depth + 1)?);
                    }
                    _ => return Err(Error::damaged("metadata has a key that is no text")),
                }
            }
        }
        _ => Err(Error::damaged("metadata has YAML that BuildStream does not write, or ends early")),
    }
}

/// Writes a document in block style, texts in double quotes, so that whoever reads it takes them for texts.
pub fn emit(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                out.extend(std::iter::repeat_n(' ', indent));
                text(key, out);
                out.push(':');
                below(value, indent, out);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                out.extend(std::iter::repeat_n(' ', indent));
                out.push('-');
                below(value, indent, out);
            }
        }
        value => {
            flow(value, out);
            out.push('\n');
        }
    }
}

/// What follows a key or a dash.
fn below(value: &Value, indent: usize, out: &mut String) {
    let is_block = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    out.push(if is_block { '\n' } else { ' ' });
    block(value, indent + 2, out);
}

fn flow(value: &Value, out: &mut String) {
    match value {
        Value::String(string) => text(string, out),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        Value::Null => out.push_str("\"\""),
        other => out.push_str(&other.to_string()),
    }
}

/// A text in double quotes. Both YAML and JSON read it.
fn text(string: &str, out: &mut String) {
    out.push('"');
    for c in string.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // What YAML does not call printable.
            '\0'..=' ' if c != ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again() {
        let hard = "a\"\\\n\t\u{0}\u{7f}\u{85}\u{2028}é😀: - #x";
        let value = json!({"a": {"b": ["x", {"c": hard}, [], {}]}, hard: "", "n": []});
        assert_eq!(parse(&emit(&value)).unwrap(), value);
    }

    #[test]
    fn what_buildstream_writes_is_read() {
        let text = "bst:\n  split-rules:\n    runtime:\n    - /usr/bin\n  # comment\n  n: 1\nm: {}\nl: |\n  a\n  b\n";
        let expected = json!({"bst": {"split-rules": {"runtime": ["/usr/bin"]}, "n": "1"}, "m": {}, "l": "a\nb\n"});
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse("").unwrap(), json!({}));
        for bad in ["a: [", "? [a]\n: b", "a: *x", "a: {b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
