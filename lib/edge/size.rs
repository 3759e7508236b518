//! Sizes as people write them.

use crate::values::{Error, Result};

/// The units, each 1024 of the one before.
const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];

/// Reads a size: a number of bytes, or of a unit: `500M`, `50G`, `1.5T`.
pub fn parse(text: &str) -> Result<u64> {
    let wrong =
        || Error::usage(format!("\"{}\" is no size; write a number of bytes, or as 500M, 50G", text.escape_default()));
    let trimmed = text.trim_end_matches("iB").trim_end_matches('B');
    let last = trimmed.chars().last().ok_or_else(wrong)?;
    let unit = UNITS.iter().position(|unit| *unit == last.to_ascii_uppercase());
    let (number, factor) = match unit {
        Some(power) => (&trimmed[..trimmed.len() - 1], 1024_f64.powi(i32::try_from(power).unwrap_or(0) + 1)),
        None => (trimmed, 1.0),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(wrong());
    }
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * factor;
    // Within the range of whole numbers, and any quota beyond it is none.
    Ok(if bytes >= 9e18 { u64::MAX } else { bytes as u64 })
}

/// Writes a size with three digits or so.
pub fn show(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = ' ';
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}iB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes) in [("0", 0), ("17", 17), ("1K", 1024), ("1.5M", 1_572_864), ("2GiB", 2 << 30), ("1kB", 1024)]
        {
            assert_eq!(parse(text).expect(text), bytes);
        }
        for bad in ["", "K", "-1", "1e9", "1X", "1..5M", "inf"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!((show(5), show(1536), show(3 << 30)), ("5 B".into(), "1.5 KiB".into(), "3.0 GiB".into()));
    }
}
