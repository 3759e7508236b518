//! Cache keys: SHA-256 of the canonical JSON of what goes into a build (see `project::cachekey`).

use super::{Error, hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A cache key, 64 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from the hash that it is.
    pub fn new(hash: [u8; 32]) -> Key {
        Key(hash)
    }

    /// The hash.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight digits, as BuildStream names logs and shows keys.
    pub fn brief(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Key, Error> {
        hex::decode(text.as_bytes()).map(Key).ok_or_else(|| {
            Error::malformed(format!(
                "\"{}\" is no key; a key has 64 lower-case hexadecimal digits",
                text.escape_default()
            ))
        })
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        super::fields::from_text(deserializer, "a key")
    }
}
