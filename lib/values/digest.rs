//! The name of a blob: SHA-256 and size, as in the Remote Execution API.

use super::{Error, hex, proto};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// SHA-256 and size in bytes of a blob. Its text is `HASH/SIZE`, the hash in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    hash: [u8; 32],
    size: u64,
}

impl Digest {
    /// The empty blob, which is also the empty Directory.
    pub const EMPTY: Digest = Digest {
        hash: [
            0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
            0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
        ],
        size: 0,
    };

    /// The digest whose hash is already known.
    pub fn new(hash: [u8; 32], size: u64) -> Digest {
        Digest { hash, size }
    }

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest { hash: Sha256::digest(bytes).into(), size: bytes.len() as u64 }
    }

    /// SHA-256 of the blob.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Bytes in the blob.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The 64 digits of the hash.
    pub fn hex(&self) -> String {
        Hex(&self.hash).to_string()
    }

    /// The message form. Size 0 is left out by the encoding.
    pub fn to_proto(self) -> proto::Digest {
        proto::Digest { hash: self.hex(), size_bytes: self.size as i64 }
    }

    /// Reads the message form; refuses a hash that is none and a negative size.
    pub fn from_proto(message: &proto::Digest) -> Result<Digest, Error> {
        let hash = hex::decode(message.hash.as_bytes());
        let size = u64::try_from(message.size_bytes).ok();
        match (hash, size) {
            (Some(hash), Some(size)) => Ok(Digest { hash, size }),
            _ => Err(Error::damaged(format!(
                "a message holds \"{}/{}\" where a digest should be",
                message.hash.escape_default(),
                message.size_bytes
            ))),
        }
    }
}

struct Hex<'a>(&'a [u8; 32]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(self.0, f)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Hex(&self.hash), self.size)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Digest, Error> {
        parse(text).ok_or_else(|| {
            Error::malformed(format!(
                "\"{}\" is no digest; write 64 lower-case hexadecimal digits, \"/\" and the size in bytes",
                text.escape_default()
            ))
        })
    }
}

fn parse(text: &str) -> Option<Digest> {
    let (hash, size) = text.split_once('/')?;
    if size.is_empty() || !size.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(Digest { hash: hex::decode(hash.as_bytes())?, size: size.parse().ok()? })
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        super::fields::from_text(deserializer, "a digest")
    }
}

/// Hashes a blob that comes in pieces.
#[derive(Clone, Default)]
pub struct Hasher {
    sha: Sha256,
    size: u64,
}

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// The digest of all pieces together.
    pub fn finish(self) -> Digest {
        Digest { hash: self.sha.finalize().into(), size: self.size }
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_there_and_back() {
        let digest = Digest::of(b"hello\n");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert_eq!(Digest::of(b""), Digest::EMPTY);
        for bad in ["", "/", "e3b0/0", &format!("{}/+1", digest.hex()), &digest.hex()] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut hasher = Hasher::default();
        hasher.update(b"hel");
        hasher.update(b"lo\n");
        assert_eq!(hasher.finish(), Digest::of(b"hello\n"));
    }
}
