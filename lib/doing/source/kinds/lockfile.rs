//! Kind `gen_cargo_lock`: a `Cargo.lock` that the ref itself holds.

use super::super::config;
use super::super::tree::{Entry, Tree};
use super::Kind;
use crate::store::Store;
use crate::values::{Digest, Error, Result, record::Source};

pub(super) struct CargoLock;

impl Kind for CargoLock {
    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let text = decode(config::reference(source)?)
            .ok_or_else(|| Error::malformed("the ref of a source of kind gen_cargo_lock is no base64"))?;
        let batch = store.cas().batch()?;
        let digest = batch.put(&text)?;
        let name = "Cargo.lock".to_owned();
        let mut tree = Tree::default();
        tree.insert(name.clone(), Entry::file(name, &digest, false));
        let tree = tree.store(&batch)?;
        batch.finish()?;
        Ok(tree)
    }
}

/// Decodes base64; characters that are none are passed over, as Python does.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for c in text.bytes() {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(digit);
        count += 1;
        if count % 4 == 0 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    match count % 4 {
        0 => {}
        2 => bytes.push((bits >> 4).to_be_bytes()[3]),
        3 => bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        _ => return None,
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_is_decoded() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9v\nYmFy", "foobar")] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode("Z"), None);
    }
}
