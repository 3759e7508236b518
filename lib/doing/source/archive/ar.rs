//! Packages of Debian: `ar` archives that have the files in a member `data.tar`.

use crate::values::{Code, Error, Result};
use std::io::{self, Read};

/// The content of the member that has the files.
pub(super) fn data<R: Read>(mut input: R) -> Result<io::Take<R>> {
    let broken = || Error::new(Code::Source, "the archive is no package of Debian, or has no data.tar");
    let mut magic = [0; 8];
    input.read_exact(&mut magic).map_err(|_| broken())?;
    if &magic != b"!<arch>\n" {
        return Err(broken());
    }
    loop {
        let mut header = [0; 60];
        input.read_exact(&mut header).map_err(|_| broken())?;
        let size = std::str::from_utf8(&header[48..58]).ok().and_then(|size| size.trim().parse::<u64>().ok());
        let size = size.filter(|_| header.ends_with(b"`\n")).ok_or_else(broken)?;
        if header[..16].windows(8).any(|part| part == b"data.tar") {
            return Ok(input.take(size));
        }
        // Members start at even places.
        let skipped = io::copy(&mut input.by_ref().take(size + size % 2), &mut io::sink());
        skipped.map_err(|_| broken())?;
    }
}
