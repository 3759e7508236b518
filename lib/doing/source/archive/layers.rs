//! Layers of an image: archives one over the other, in which a name may also say that something is gone.

use super::member::{Kind, Member};
use super::{Hashing, PIECE, Sink, compression, tar, unpack};
use crate::doing::source::tree::Tree;
use crate::values::digest::Hasher;
use crate::values::{Digest, Error, Result};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// One layer.
pub(in crate::doing::source) struct Layer {
    members: Vec<Member>,
    /// Names that the layers below lose.
    gone: Vec<Vec<u8>>,
    /// Directories of which the layers below lose everything, with `/` at their end; the root has no name.
    emptied: Vec<Vec<u8>>,
}

/// Reads a layer: the hash of its file, and what is in it.
pub(in crate::doing::source) fn read(path: &Path, sink: Sink) -> Result<(Digest, Result<Layer>)> {
    let failed = |error| Error::io("cannot read", path, error);
    let mut hashing = Hashing { input: File::open(path).map_err(failed)?, hasher: Hasher::default() };
    let members = {
        let input = BufReader::with_capacity(PIECE, &mut hashing);
        let decoder = compression::decompress(input).map_err(failed)?;
        tar::read(BufReader::with_capacity(PIECE, decoder), sink)
    };
    io::copy(&mut hashing, &mut io::sink()).map_err(failed)?;
    Ok((hashing.hasher.finish(), members.map(sort_out)))
}

fn sort_out(members: Vec<Member>) -> Layer {
    let mut layer = Layer { members: Vec::new(), gone: Vec::new(), emptied: Vec::new() };
    for member in members {
        let slash = member.path.iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1);
        let (above, name) = member.path.split_at(slash);
        if name == b".wh..wh..opq" {
            layer.emptied.push(above.to_vec());
        } else if let Some(name) = name.strip_prefix(b".wh.") {
            layer.gone.push([above, name].concat());
        } else if !member.path.starts_with(b"dev/") && member.kind != Kind::Device {
            match layer.members.iter_mut().rev().take(RECENT).find(|known| known.path == member.path) {
                Some(known) => *known = member,
                None => layer.members.push(member),
            }
        }
    }
    layer
}

/// Archives that name a file twice do so at once.
const RECENT: usize = 64;

/// The trees of the layers, from the lowest on, without what higher layers take away.
pub(in crate::doing::source) fn trees(mut layers: Vec<Layer>) -> Result<Vec<Tree>> {
    for index in 1..layers.len() {
        let (below, this) = layers.split_at_mut(index);
        let Some(Layer { gone, emptied, .. }) = this.first() else { continue };
        let gone: std::collections::HashSet<&[u8]> = gone.iter().map(Vec::as_slice).collect();
        let lost = |path: &[u8]| gone.contains(path) || emptied.iter().any(|directory| path.starts_with(directory));
        for layer in below {
            layer.members.retain(|member| !lost(&member.path));
        }
    }
    layers.iter().map(|layer| unpack::unpack(&layer.members, &vec![true; layer.members.len()])).collect()
}
