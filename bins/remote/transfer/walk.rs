//! Which blobs belong to a tree.

use bst_plumbing::store::cas::Cas;
use bst_plumbing::values::{Code, Digest, Result, directory};
use std::collections::HashSet;

/// Remembers digests in little space: half of the hash tells them apart as well.
#[derive(Default)]
pub struct Seen {
    known: HashSet<[u8; 16]>,
}

impl Seen {
    /// More than this are not remembered where it is only a matter of not doing a thing twice.
    const ENOUGH: usize = 1 << 20;

    /// Whether a digest comes for the first time.
    pub fn first(&mut self, digest: &Digest) -> bool {
        self.known.insert(half(digest))
    }

    /// The same, where a false "yes" does no harm.
    pub fn perhaps_first(&mut self, digest: &Digest) -> bool {
        if self.known.len() < Seen::ENOUGH { self.first(digest) } else { !self.known.contains(&half(digest)) }
    }
}

fn half(digest: &Digest) -> [u8; 16] {
    std::array::from_fn(|index| digest.hash()[index])
}

/// Visits every blob of trees in the store once: directories and files. What the store does not have of the
/// directories is returned; whether it has the files is the visitor's matter.
pub fn trees(cas: &Cas, roots: &[Digest], mut visit: impl FnMut(Digest) -> Result<()>) -> Result<Vec<Digest>> {
    let mut absent = Vec::new();
    let mut directories = Seen::default();
    let mut files = Seen::default();
    for root in roots {
        let mut waiting = vec![*root];
        while let Some(digest) = waiting.pop() {
            if !directories.first(&digest) {
                continue;
            }
            let bytes = match cas.read(&digest) {
                Ok(bytes) => bytes,
                Err(error) if error.code() == Code::NotFound => {
                    absent.push(digest);
                    continue;
                }
                Err(error) => return Err(error),
            };
            visit(digest)?;
            let directory = directory::decode(&bytes)?;
            for node in &directory.files {
                let digest = directory::node_digest(&node.digest, &node.name)?;
                if digest != Digest::EMPTY && files.perhaps_first(&digest) {
                    visit(digest)?;
                }
            }
            for node in &directory.directories {
                waiting.push(directory::node_digest(&node.digest, &node.name)?);
            }
        }
    }
    Ok(absent)
}

/// Whether the store has all of a tree.
pub fn is_complete(cas: &Cas, root: Digest) -> Result<bool> {
    let mut complete = true;
    let absent = trees(cas, &[root], |digest| {
        complete = complete && cas.has(&digest);
        Ok(())
    })?;
    Ok(complete && absent.is_empty())
}
