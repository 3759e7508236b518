//! Archives that are small and claim to be huge: refused at once, with little memory.

use bst_plumbing::doing::source;
use bst_plumbing::store::Store;
use bst_plumbing::values::record::Source;
use bst_plumbing::values::{Code, Digest};
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};

/// A tar header; `size` and `real` as text of their fields.
fn header(name: &str, kind: u8, size: u64) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = kind;
    finish(&mut block);
    block
}

fn finish(block: &mut [u8; 512]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// The error that staging an archive gives, and nothing of it stays in the store's cache of sources.
fn refused(name: &str, bytes: &[u8]) -> String {
    let place = tempfile::tempdir().expect("a directory");
    let store = Store::new(place.path());
    let hash = Digest::of(bytes).hex();
    let kind = if name.ends_with(".zip") { "zip" } else { "tar" };
    let mirror = store.sources().mirror(kind, "u").expect("a place");
    std::fs::create_dir_all(&mirror).expect("a directory");
    std::fs::write(mirror.join(&hash), bytes).expect("a download");
    let source = json!({"config": {"base-dir": ""}, "kind": kind, "ref": hash, "unique": hash, "url": "u"});
    let source: Source = serde_json::from_value(source).expect("a source");
    let begin = Instant::now();
    let error = source::stage(&[source], &store).expect_err(name);
    assert!(begin.elapsed() < Duration::from_secs(20), "{name} took {:?}", begin.elapsed());
    assert_eq!(error.code(), Code::Source, "{name}: {error}");
    assert!(!place.path().join("source_protos").exists() && !place.path().join("elementsources").exists());
    error.message().to_owned()
}

fn gzip(parts: &[&[u8]], zeros: u64) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for part in parts {
        encoder.write_all(part).expect("compressed");
    }
    let block = vec![0; 1 << 20];
    for _ in 0..zeros >> 20 {
        encoder.write_all(&block).expect("compressed");
    }
    encoder.finish().expect("compressed")
}

#[test]
fn a_name_or_header_without_end_is_refused() {
    for kind in [b'L', b'K', b'x', b'g'] {
        let archive = gzip(&[&header("././@LongLink", kind, 1 << 30)], 64 << 20);
        assert!(refused("long.tar.gz", &archive).contains("longer than 1 MiB"));
    }
}

#[test]
fn holes_without_end_are_refused() {
    let mut sparse = header("hole", b'S', 0);
    // 2^60 bytes, of which the archive has none.
    sparse[483] = 0x80;
    sparse[483 + 4] = 0x10;
    finish(&mut sparse);
    assert!(refused("sparse.tar", &sparse).contains("1 TiB"));
    let records = b"30 GNU.sparse.realsize=9999999999999\n22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n";
    let mut body = [0; 512];
    body[..records.len()].copy_from_slice(records);
    let mut map = [0; 512];
    map[..2].copy_from_slice(b"0\n");
    let archive = [header("pax", b'x', records.len() as u64), body, header("file", b'0', 512), map].concat();
    assert!(refused("pax.tar", &archive).contains("broken"));
}

#[test]
fn a_map_of_holes_without_end_is_refused() {
    let records = b"27 GNU.sparse.realsize=9999\n22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n";
    let mut body = [0; 512];
    body[..records.len()].copy_from_slice(records);
    let mut start = [b'1'; 512];
    start[..11].copy_from_slice(b"9999999999\n");
    let archive =
        gzip(&[&header("pax", b'x', records.len() as u64), &body, &header("file", b'0', 1 << 32), &start], 8 << 20);
    assert!(refused("map.tar.gz", &archive).contains("broken"));
}

#[test]
fn sizes_that_lie_are_refused() {
    let mut huge = header("file", b'0', 0);
    huge[124] = 0x80;
    huge[125..136].copy_from_slice(&[0xff; 11]);
    finish(&mut huge);
    // A number that is none is no header, and an archive cannot start with it.
    assert!(refused("huge.tar", &huge).contains("no tar archive"));
    let cut = [&header("file", b'0', 1 << 32)[..], &[b'x'; 512]].concat();
    assert!(refused("cut.tar", &cut).contains("ends in the middle"));

    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("file", zip::write::SimpleFileOptions::default()).expect("a member");
    zip.write_all(&vec![0; 100_000]).expect("content");
    let mut bytes = zip.finish().expect("an archive").into_inner();
    for at in 0..bytes.len() - 4 {
        if bytes[at..at + 4] == 100_000_u32.to_le_bytes() {
            bytes[at..at + 4].copy_from_slice(&7_u32.to_le_bytes());
        }
    }
    assert!(refused("small.zip", &bytes).contains("broken"));
}
