//! An artifact's message at a glance: what a look-up needs, borrowed from the bytes. The list of dependencies,
//! which is most of a message, is passed over.

use crate::values::record::ArtifactField;
use crate::values::{Digest, Key, hex, name::ArtifactName};

/// What a look-up needs of an artifact.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glance<'a> {
    version: u64,
    pub success: bool,
    pub error: &'a str,
    pub details: &'a str,
    strong: Option<Key>,
    pub weak: Option<Key>,
    pub files: Option<Digest>,
    public: Option<Digest>,
    pub log: Option<Digest>,
    pub log_name: &'a str,
    /// Further logs: BuildStream writes one.
    more_logs: bool,
    pub buildtree: Option<Digest>,
    pub sources: Option<Digest>,
    low: Option<Digest>,
    high: Option<Digest>,
    pub buildroot: Option<Digest>,
}

/// An artifact that is one.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    pub view: Glance<'a>,
    pub strong: Key,
    pub metadata: [Digest; 3],
    /// The last of `metadata`: where a result may travel.
    pub high: Digest,
}

impl<'a> Glance<'a> {
    /// What the bytes say; `None` where they are no message.
    pub fn at(bytes: &'a [u8]) -> Option<Glance<'a>> {
        let mut seen = Glance::default();
        let fields = Fields { rest: bytes };
        for field in fields {
            seen.take(field?)?;
        }
        Some(seen)
    }

    fn take(&mut self, (number, value): (u64, Value<'a>)) -> Option<()> {
        match (number, value) {
            (1, Value::Number(version)) => self.version = version,
            (2, Value::Number(success)) => self.success = success != 0,
            (3, Value::Bytes(text)) => self.error = std::str::from_utf8(text).ok()?,
            (4, Value::Bytes(text)) => self.details = std::str::from_utf8(text).ok()?,
            (5, Value::Bytes(text)) => self.strong = hex::decode(text).map(Key::new),
            (6, Value::Bytes(text)) => self.weak = hex::decode(text).map(Key::new),
            (8, Value::Bytes(message)) => self.files = Some(digest(message)?),
            (10, Value::Bytes(message)) => self.public = Some(digest(message)?),
            (11, Value::Bytes(_)) if self.log.is_some() => self.more_logs = true,
            (11, Value::Bytes(message)) => (self.log_name, self.log) = log(message)?,
            (12, Value::Bytes(message)) => self.buildtree = Some(digest(message)?),
            (13, Value::Bytes(message)) => self.sources = Some(digest(message)?),
            (14, Value::Bytes(message)) => self.low = Some(digest(message)?),
            (15, Value::Bytes(message)) => self.high = Some(digest(message)?),
            (17, Value::Bytes(message)) => self.buildroot = Some(digest(message)?),
            (1..=6 | 8 | 10..=15 | 17, _) => return None,
            _ => {}
        }
        Some(())
    }

    /// The artifact, if this has what BuildStream writes into every artifact. A failure says so: the mark of
    /// success is absent from a message that lost it, too, and then the words still say "succeeded", or
    /// nothing.
    pub fn whole(self) -> Option<Whole<'a>> {
        let says_so = self.success || !matches!(self.error, "" | "succeeded");
        self.weak?;
        let (strong, high) = (self.strong?, self.high?);
        (self.version > 0 && says_so).then_some(Whole {
            view: self,
            strong,
            metadata: [self.public?, self.low?, high],
            high,
        })
    }

    /// What a record says of the artifact.
    pub fn field(&self, name: &ArtifactName) -> ArtifactField {
        ArtifactField {
            buildroot: self.buildroot,
            buildtree: self.buildtree,
            files: self.files,
            log: self.log,
            reference: Some(name.clone()),
            sources: self.sources,
        }
    }

    /// The digests of all logs.
    pub fn logs(&self, bytes: &[u8]) -> Vec<Digest> {
        if !self.more_logs {
            return self.log.into_iter().collect();
        }
        let fields = Fields { rest: bytes };
        let logs = fields.filter_map(|field| match field? {
            (11, Value::Bytes(message)) => log(message)?.1,
            _ => None,
        });
        logs.collect()
    }
}

fn log(message: &[u8]) -> Option<(&str, Option<Digest>)> {
    let (mut name, mut found) = ("", None);
    for field in (Fields { rest: message }) {
        match field? {
            (1, Value::Bytes(text)) => name = std::str::from_utf8(text).ok()?,
            (2, Value::Bytes(message)) => found = Some(digest(message)?),
            _ => {}
        }
    }
    Some((name, found))
}

fn digest(message: &[u8]) -> Option<Digest> {
    let (mut hash, mut size) = (None, 0);
    for field in (Fields { rest: message }) {
        match field? {
            (1, Value::Bytes(text)) => hash = hex::decode(text),
            (2, Value::Number(number)) => size = number,
            _ => {}
        }
    }
    let size = i64::try_from(size).ok()?;
    Some(Digest::new(hash?, u64::try_from(size).ok()?))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The fields of a message in the wire format; `None` inside where it breaks off.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.bytes(8).map(|_| Value::Other)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Value::Other)?,
            _ => return None,
        };
        (tag >> 3 > 0).then_some((tag >> 3, value))
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::proto;
    use prost::Message;

    fn sample() -> proto::Artifact {
        let digest = |byte: u8| Some(Digest::of(&[byte]).to_proto());
        proto::Artifact {
            version: 2,
            build_success: true,
            build_error: "succeeded".into(),
            strong_key: "1".repeat(64),
            weak_key: "2".repeat(64),
            strict_key: "1".repeat(64),
            files: digest(1),
            build_deps: vec![proto::ArtifactDependency { project_name: "p".into(), ..Default::default() }; 5],
            public_data: digest(2),
            logs: vec![
                proto::LogFile { name: "a.log".into(), digest: digest(3) },
                proto::LogFile { name: "b.log".into(), digest: digest(4) },
            ],
            low_diversity_meta: digest(5),
            high_diversity_meta: digest(6),
            buildroot: digest(7),
            ..Default::default()
        }
    }

    #[test]
    fn a_glance_sees_what_reading_sees() {
        let bytes = sample().encode_to_vec();
        let whole = Glance::at(&bytes).and_then(Glance::whole).expect("an artifact");
        assert_eq!(whole.strong, Key::new([0x11; 32]));
        assert_eq!((whole.view.files, whole.view.buildroot), (Some(Digest::of(&[1])), Some(Digest::of(&[7]))));
        assert_eq!(whole.view.logs(&bytes), [Digest::of(&[3]), Digest::of(&[4])]);
        assert_eq!((whole.view.log_name, whole.high), ("a.log", Digest::of(&[6])));
    }

    #[test]
    fn what_is_cut_anywhere_before_its_metadata_is_none() {
        let bytes = sample().encode_to_vec();
        let end = (0..bytes.len()).rev().find(|&end| Glance::at(&bytes[..end]).and_then(Glance::whole).is_some());
        // Only the strict key and the build root can be cut off: BuildStream has artifacts without either.
        assert!(end.is_some_and(|end| end > bytes.len() - 160), "{end:?}");
        for end in 0..bytes.len() - 160 {
            assert!(Glance::at(&bytes[..end]).and_then(Glance::whole).is_none(), "{end}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let bytes = sample().encode_to_vec();
        for index in 0..bytes.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[index] = byte;
                let _ = Glance::at(&changed).and_then(Glance::whole).map(|whole| whole.view.logs(&changed));
            }
        }
    }
}
