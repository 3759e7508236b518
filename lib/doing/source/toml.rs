//! TOML as `tomlkit` writes it, with which BuildStream's plugins write configurations of cargo: values first,
//! then tables, each with its whole name, in the order of the input.

use toml::{Table, Value};

/// A document.
pub(super) fn write(table: &Table) -> String {
    let mut text = String::new();
    write_table(&mut text, "", table);
    text
}

/// A text with its quotes.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            c if c.is_control() => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn write_table(text: &mut String, name: &str, table: &Table) {
    let (tables, values): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| is_table(value));
    for (name, value) in values {
        *text += &format!("{} = {}\n", key(name), inline(value));
    }
    for (below, value) in tables {
        let name = if name.is_empty() { key(below) } else { format!("{name}.{}", key(below)) };
        match value {
            Value::Table(table) => {
                // A table of nothing but tables needs no header of its own.
                if table.is_empty() || table.values().any(|value| !is_table(value)) {
                    header(text, &format!("[{name}]"));
                }
                write_table(text, &name, table);
            }
            Value::Array(tables) => {
                for table in tables.iter().filter_map(Value::as_table) {
                    header(text, &format!("[[{name}]]"));
                    write_table(text, &name, table);
                }
            }
            _ => {}
        }
    }
}

fn header(text: &mut String, header: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    *text += header;
    text.push('\n');
}

fn is_table(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(Value::is_table),
        _ => false,
    }
}

fn key(name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain { name.to_owned() } else { string(name) }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let pairs: Vec<_> =
                table.iter().map(|(name, value)| format!("{} = {}", key(name), inline(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_come_after_values_with_their_whole_names() {
        let text = "[b.\"x.y\"]\nk = {z = 1}\nv = [\"a\", 2, true]\n[[t]]\nn = 1\n[[t]]\n[e]\n";
        let expected = "[b.\"x.y\"]\nv = [\"a\", 2, true]\n\n[b.\"x.y\".k]\nz = 1\n\n[[t]]\nn = 1\n\n[[t]]\n\n[e]\n";
        assert_eq!(super::write(&text.parse().unwrap()), expected);
    }
}
