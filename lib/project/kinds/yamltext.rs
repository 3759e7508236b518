//! YAML as Python's ruamel writes plain data of texts, lists and mappings: keys sorted, what holds only texts
//! on one line, long lines folded.

use serde_json::Value;

/// Longer lines are folded.
const WIDTH: usize = 80;

/// The text of a document.
pub fn dump(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    match value {
        Value::Object(_) | Value::Array(_) if !is_flat(value) => writer.block(value, 0),
        _ => writer.flow(value, 0),
    }
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    writer.out
}

/// Whether nothing in it has parts of its own.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_string),
        Value::Object(entries) => entries.values().all(Value::is_string),
        _ => true,
    }
}

struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.push_str(&" ".repeat(indent));
        self.column = indent;
    }

    /// One entry a line, at a column.
    fn block(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(entries) => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    if number > 0 {
                        self.line(indent);
                    }
                    self.text(key, indent, Context::Key);
                    self.put(":");
                    if is_flat(value) {
                        self.put(" ");
                        self.flow(value, indent + 2);
                    } else {
                        // A list stands under its key, a mapping further right.
                        let below = if value.is_array() { indent } else { indent + 2 };
                        self.line(below);
                        self.block(value, below);
                    }
                }
            }
            Value::Array(items) => {
                for (number, value) in items.iter().enumerate() {
                    if number > 0 {
                        self.line(indent);
                    }
                    self.put("- ");
                    if is_flat(value) { self.flow(value, indent + 2) } else { self.block(value, indent + 2) }
                }
            }
            other => self.flow(other, indent),
        }
    }

    /// On one line, as far as it goes. `indent`: of the lines that follow.
    fn flow(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(entries) => {
                self.put("{");
                for (number, (key, value)) in entries.iter().enumerate() {
                    self.separate(number, indent);
                    self.text(key, indent, Context::Flow);
                    self.put(": ");
                    self.flow_item(value, indent);
                }
                self.put("}");
            }
            Value::Array(items) => {
                self.put("[");
                for (number, value) in items.iter().enumerate() {
                    self.separate(number, indent);
                    self.flow_item(value, indent);
                }
                self.put("]");
            }
            Value::String(text) => self.text(text, indent, Context::Block),
            other => self.put(&other.to_string()),
        }
    }

    fn flow_item(&mut self, value: &Value, indent: usize) {
        match value {
            Value::String(text) => self.text(text, indent, Context::Flow),
            other => self.flow(other, indent),
        }
    }

    fn separate(&mut self, number: usize, indent: usize) {
        if number > 0 {
            self.put(",");
        }
        if self.column > WIDTH {
            self.line(indent);
        } else if number > 0 {
            self.put(" ");
        }
    }

    fn text(&mut self, text: &str, indent: usize, context: Context) {
        let fold = context != Context::Key;
        match style(text, context) {
            Style::Plain => self.words(text, indent, fold, WIDTH.saturating_sub(1)),
            Style::Single => {
                self.put("'");
                self.words(&text.replace('\'', "''"), indent, fold, WIDTH);
                self.put("'");
            }
            Style::Double => self.double(text, indent, fold),
        }
    }

    /// Breaks at single spaces inside once a line is longer than `width`.
    fn words(&mut self, text: &str, indent: usize, fold: bool, width: usize) {
        let mut rest = text;
        while let Some(space) = rest.find(' ') {
            let (word, after) = rest.split_at(space);
            self.put(word);
            let spaces = after.len() - after.trim_start_matches(' ').len();
            let is_inside = rest.len() != text.len() || !word.is_empty();
            rest = &after[spaces..];
            if spaces == 1 && fold && self.column > width && is_inside && !rest.is_empty() {
                self.line(indent);
            } else {
                self.put(&after[..spaces]);
            }
        }
        self.put(rest);
    }

    fn double(&mut self, text: &str, indent: usize, fold: bool) {
        self.put("\"");
        let count = text.chars().count();
        for (number, c) in text.chars().enumerate() {
            if c == ' ' && fold && self.column > WIDTH && 0 < number && number + 1 < count {
                self.line(indent);
            } else {
                self.put(&escaped(c));
            }
        }
        self.put("\"");
    }
}

fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        ' '..='~' | '\u{a1}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'.. => return c.to_string(),
        c if u32::from(c) < 0x100 => return format!("\\x{:02X}", u32::from(c)),
        c => return format!("\\u{:04X}", u32::from(c)),
    };
    format!("\\{short}")
}

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Block,
    Flow,
    Key,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

fn style(text: &str, context: Context) -> Style {
    let is_break = |c: char| matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let is_special = |c: char| {
        !is_break(c)
            && !matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
                | '\u{10000}'..)
    };
    let has_breaks = text.contains(is_break);
    if !text.is_empty() && is_plain(text, context) && !has_breaks && !text.contains(is_special) && !has_meaning(text) {
        return Style::Plain;
    }
    let is_broken_at_space = text.contains(" \n") || text.contains("\n ");
    if text.contains(is_special) || text.contains('\'') || has_breaks || is_broken_at_space {
        return Style::Double;
    }
    Style::Single
}

/// Whether no character of it is read as punctuation.
fn is_plain(text: &str, context: Context) -> bool {
    let is_white = |c: Option<char>| c.is_none_or(|c| " \t\r\n\0\u{85}\u{2028}\u{2029}".contains(c));
    let starts_badly = text.starts_with("---")
        || text.starts_with("...")
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text.starts_with(['#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`']);
    let first = text.chars().next();
    let is_mark = matches!(first, Some('?' | ':' | '-')) && is_white(text.chars().nth(1));
    let mut previous = None;
    let characters: Vec<char> = text.chars().collect();
    let inside = characters.iter().enumerate().skip(1).any(|(index, &c)| {
        previous = Some(characters[index - 1]);
        match c {
            ',' | '[' | ']' | '{' | '}' => context == Context::Flow,
            ':' => is_white(characters.get(index + 1).copied()),
            '#' => is_white(previous),
            _ => false,
        }
    });
    !starts_badly && !is_mark && !inside
}

/// Whether YAML 1.2 takes the text for something else than a text.
fn has_meaning(text: &str) -> bool {
    let words = [
        "true", "True", "TRUE", "false", "False", "FALSE", "~", "null", "Null", "NULL", "<<", "=", ".nan", ".NaN",
        ".NAN",
    ];
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    words.contains(&text)
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || is_integer(unsigned)
        || is_float(unsigned)
        || is_date(text)
}

fn is_integer(text: &str) -> bool {
    let only = |text: &str, digits: fn(char) -> bool| !text.is_empty() && text.chars().all(|c| c == '_' || digits(c));
    only(text, |c| c.is_ascii_digit())
        || text.strip_prefix("0b").is_some_and(|rest| only(rest, |c| matches!(c, '0' | '1')))
        || text.strip_prefix("0o").is_some_and(|rest| only(rest, |c| matches!(c, '0'..='7')))
        || text.strip_prefix("0x").is_some_and(|rest| only(rest, |c| c.is_ascii_hexdigit()))
}

fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let number = |text: &str| !text.is_empty() && text.chars().all(|c| c == '_' || c.is_ascii_digit());
    let is_exponent = |text: &str| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    };
    let fits = match mantissa.split_once('.') {
        Some(("", fraction)) => number(fraction),
        Some((whole, fraction)) => {
            whole.starts_with(|c: char| c.is_ascii_digit())
                && number(whole)
                && (fraction.is_empty() || number(fraction))
        }
        None => exponent.is_some() && mantissa.starts_with(|c: char| c.is_ascii_digit()) && number(mantissa),
    };
    fits && exponent.is_none_or(is_exponent)
}

/// `YYYY-MM-DD`, alone or with a time.
fn is_date(text: &str) -> bool {
    let digits = |text: &str, count: std::ops::RangeInclusive<usize>| {
        count.contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit())
    };
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    if !digits(year, 4..=4) {
        return false;
    }
    if digits(month, 2..=2) && digits(rest, 2..=2) {
        return true;
    }
    let Some((day, time)) = rest.split_once(['T', 't', ' ', '\t']) else { return false };
    let mut clock = time.trim_start_matches([' ', '\t']).splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (clock.next(), clock.next(), clock.next()) else { return false };
    digits(month, 1..=2)
        && digits(day, 1..=2)
        && digits(hour, 1..=2)
        && digits(minute, 2..=2)
        && second.get(..2).is_some_and(|second| digits(second, 2..=2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What ruamel.yaml 0.19 wrote for the same data.
    #[test]
    fn texts_are_written_as_ruamel_writes_them() {
        let data = json!({
            "name": "x", "version": "1.0", "base": "bare", "grade": "devel",
            "summary": format!("yes this is a long text {}", "word ".repeat(30)),
            "slots": {"a": {"interface": "content", "source": {"read": ["$SNAP/a", "$SNAP/b"]}}, "b": "yes"},
            "apps": {}, "list": ["1", "true", "~", ""], "multi": "a\nb\n", "z": ["x"], "uni": "ünï", "sp": " lead",
            "colon": "a: b", "hash": "a #b", "nested": [["a", "b"], ["c"]], "mix": [{"a": "b"}, "c"],
            "date": "2020-01-01", "num": "0x10", "null": "null", "e": "1e3", "dash": "- x", "q": "'x'", "perc": "%x",
            "at": "@x", "tab": "a\tb", "ctl": "\u{7}", "emoji": "\u{1F600}",
        });
        assert_eq!(dump(&data), include_str!("../../../tests/golden/kinds/snap.yaml"));
    }

    #[test]
    fn what_holds_only_texts_stands_on_one_line() {
        assert_eq!(dump(&json!({"a": "b", "c": "d"})), "{a: b, c: d}\n");
        assert_eq!(dump(&json!([])), "[]\n");
    }
}
