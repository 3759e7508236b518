//! Finds out from its first bytes how a file is compressed.

use std::io::{self, BufRead, Read};

/// What a decoder may take for its dictionary.
const MOST_MEMORY_KIB: u32 = 2 << 20;

/// The content of a file that may be compressed.
pub(super) fn decompress<'a>(mut input: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let start = input.fill_buf()?;
    Ok(if start.starts_with(b"\x1f\x8b") {
        Box::new(flate2::bufread::MultiGzDecoder::new(input))
    } else if start.starts_with(b"BZh") {
        Box::new(bzip2::bufread::MultiBzDecoder::new(input))
    } else if start.starts_with(b"\xfd7zXZ\0") {
        Box::new(lzma_rust2::XzReader::new(input, true))
    } else if start.starts_with(b"LZIP") {
        Box::new(lzma_rust2::LzipReader::new(input))
    } else if start.starts_with(b"\x28\xb5\x2f\xfd") {
        Box::new(zstd::stream::read::Decoder::with_buffer(input)?)
    } else if start.starts_with(b"\x5d\0\0") {
        Box::new(lzma_rust2::LzmaReader::new_mem_limit(input, MOST_MEMORY_KIB, None)?)
    } else {
        Box::new(input)
    })
}
