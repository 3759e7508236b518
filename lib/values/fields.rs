//! The top-level fields of a record: what came in stays in the line that it came in, and is neither copied nor
//! understood until somebody asks.

use serde::de::{MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// Fields by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    line: Box<str>,
    /// Sorted by name.
    list: Vec<(Name, Value)>,
}

#[derive(Clone, Debug)]
enum Name {
    InLine(Range<usize>),
    Own(Box<str>),
}

#[derive(Clone, Debug)]
enum Value {
    InLine(Range<usize>),
    Own(Box<RawValue>),
}

impl Fields {
    /// The fields of a line that holds one JSON object. Of two with one name the last counts.
    pub fn parse(line: &[u8]) -> serde_json::Result<Fields> {
        let text = std::str::from_utf8(line).map_err(<serde_json::Error as serde::de::Error>::custom)?;
        let text = text.trim_end();
        let mut found = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_map(Collect { text, found: &mut found })?;
        deserializer.end()?;
        let mut fields = Fields { line: text.into(), list: Vec::with_capacity(found.len() + 3) };
        for (name, value) in found {
            let name_text = match &name {
                Name::InLine(range) => &text[range.clone()],
                Name::Own(name) => name,
            };
            match fields.place(name_text) {
                Ok(index) => fields.list[index].1 = Value::InLine(value),
                Err(index) => fields.list.insert(index, (name, Value::InLine(value))),
            }
        }
        Ok(fields)
    }

    /// The text of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.place(name).ok().map(|index| self.text(index))
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.place(name) {
            Ok(index) => self.list[index].1 = Value::Own(value),
            Err(index) => self.list.insert(index, (Name::Own(name.into()), Value::Own(value))),
        }
    }

    /// Removes a field.
    pub fn remove(&mut self, name: &str) {
        if let Ok(index) = self.place(name) {
            self.list.remove(index);
        }
    }

    /// Every field with its text, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.list.len()).map(|index| (self.name(index), self.text(index)))
    }

    /// Appends the object.
    pub fn write(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        out.push(b'{');
        for index in 0..self.list.len() {
            if index > 0 {
                out.push(b',');
            }
            match &self.list[index].0 {
                // It came without escapes, so it needs none.
                Name::InLine(range) => {
                    out.push(b'"');
                    out.extend_from_slice(self.line[range.clone()].as_bytes());
                    out.push(b'"');
                }
                Name::Own(name) => serde_json::to_writer(&mut *out, name)?,
            }
            out.push(b':');
            out.extend_from_slice(self.text(index).as_bytes());
        }
        out.push(b'}');
        Ok(())
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        // Few fields: a search from the start is quicker than one by halves.
        for index in 0..self.list.len() {
            match self.name(index).cmp(name) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(index),
                std::cmp::Ordering::Greater => return Err(index),
            }
        }
        Err(self.list.len())
    }

    fn name(&self, index: usize) -> &str {
        match &self.list[index].0 {
            Name::InLine(range) => &self.line[range.clone()],
            Name::Own(name) => name,
        }
    }

    fn text(&self, index: usize) -> &str {
        match &self.list[index].1 {
            Value::InLine(range) => &self.line[range.clone()],
            Value::Own(value) => value.get(),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.list.len()))?;
        for (name, text) in self.iter() {
            let value: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Finds where names and values lie in the text.
struct Collect<'a> {
    text: &'a str,
    found: &'a mut Vec<(Name, Range<usize>)>,
}

impl Collect<'_> {
    fn range(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + part.len()
    }
}

impl<'de> Visitor<'de> for Collect<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Word<'de>>()? {
            let value: &'de RawValue = map.next_value()?;
            let name = match key {
                Word::InLine(name) => Name::InLine(self.range(name)),
                Word::Own(name) => Name::Own(name),
            };
            let range = self.range(value.get());
            self.found.push((name, range));
        }
        Ok(())
    }
}

enum Word<'de> {
    InLine(&'de str),
    Own(Box<str>),
}

impl<'de> Deserialize<'de> for Word<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word<'de>, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Word<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Word<'de>, E> {
                Ok(Word::InLine(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Word<'de>, E> {
                Ok(Word::Own(text.into()))
            }
        }
        deserializer.deserialize_str(Words)
    }
}

/// Reads a value from its text without copying that: for types whose text form is short.
pub(super) fn from_text<'de, T, D>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err = super::Error>,
    D: Deserializer<'de>,
{
    struct Text<T>(&'static str, std::marker::PhantomData<T>);
    impl<T: std::str::FromStr<Err = super::Error>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text(expected, std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(line: &str) -> String {
        let mut out = Vec::new();
        Fields::parse(line.as_bytes()).expect("fields").write(&mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn fields_come_out_sorted_and_as_they_were() {
        assert_eq!(through("{}"), "{}");
        assert_eq!(through(" {\"b\" : [1, 2] ,\"a\":\"\\u00e9\"}\r\n"), "{\"a\":\"\\u00e9\",\"b\":[1, 2]}");
        assert_eq!(through("{\"q\\\"x\":1,\"\\u0061\":2,\"é\":3}"), "{\"a\":2,\"q\\\"x\":1,\"é\":3}");
        assert_eq!(through("{\"a\":1,\"a\":2}"), "{\"a\":2}");
        for bad in ["", "[]", "{", "{\"a\"}", "{\"a\":1}{", "{\"a\":}", "{a:1}", "null"] {
            assert!(Fields::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Fields::parse(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn fields_can_be_set_and_removed() {
        let mut fields = Fields::parse(b"{\"b\":1,\"d\":2}").expect("fields");
        let raw = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
        fields.set("a", raw("0"));
        fields.set("d", raw("[]"));
        fields.set("e\"", raw("{}"));
        fields.remove("b");
        fields.remove("nothing");
        let mut out = Vec::new();
        fields.write(&mut out).expect("written");
        assert_eq!(String::from_utf8(out).expect("text"), "{\"a\":0,\"d\":[],\"e\\\"\":{}}");
        assert_eq!((fields.get("d"), fields.get("b")), (Some("[]"), None));
        assert_eq!(serde_json::to_string(&fields).expect("JSON"), "{\"a\":0,\"d\":[],\"e\\\"\":{}}");
    }
}
