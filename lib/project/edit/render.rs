//! Values as YAML.

use serde_json::Value;

/// What follows a key and its colon: a blank and a scalar, or a block on lines of its own.
pub(super) fn value(value: &Value, column: usize, newline: &str) -> String {
    match value {
        Value::Array(items) if !items.is_empty() => {
            format!("{newline}{}{}", " ".repeat(column), block(value, column, newline))
        }
        Value::Object(entries) if !entries.is_empty() => {
            format!("{newline}{}{}", " ".repeat(column + 2), block(value, column + 2, newline))
        }
        value => format!(" {}", flow(value)),
    }
}

/// Whether a value takes lines of its own.
pub(super) fn is_block(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        _ => false,
    }
}

/// A block whose first line is indented already, and the others by `column`.
pub(super) fn block(value_: &Value, column: usize, newline: &str) -> String {
    let between = format!("{newline}{}", " ".repeat(column));
    match value_ {
        Value::Array(items) if !items.is_empty() => {
            let lines: Vec<String> =
                items.iter().map(|item| format!("- {}", block(item, column + 2, newline))).collect();
            lines.join(&between)
        }
        Value::Object(entries) if !entries.is_empty() => {
            let lines: Vec<String> =
                entries.iter().map(|(key, item)| format!("{}:{}", scalar(key), value(item, column, newline))).collect();
            lines.join(&between)
        }
        value => flow(value),
    }
}

/// A value on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let pairs: Vec<_> =
                entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text: as it is where nothing can be misread, else in quotes.
pub(super) fn scalar(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_./+=@%~-:".contains(&b);
    let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b"_./".contains(&b));
    if starts && text.bytes().all(plain) && !text.ends_with(':') {
        return text.to_owned();
    }
    // JSON's strings are YAML's.
    Value::from(text).to_string()
}
