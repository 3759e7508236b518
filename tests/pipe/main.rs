//! Pipelines as users type them: each script of this directory runs with the programs on its search path, in a fresh
//! place with a copy of the demo's project in `project`, and prints what the file beside it says.
//!
//! `PIPE=word` runs only the scripts whose names hold the word; `BLESS=1` writes what was printed.

mod cookbook;
#[allow(dead_code)]
#[path = "../docs/page.rs"]
mod page;
mod scenarios;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, atomic::AtomicUsize, atomic::Ordering};
use support::{Place, Run};

/// How many scripts run side by side.
const TOGETHER: usize = 4;

#[test]
fn scripts_print_what_is_expected() {
    let scripts = scripts();
    assert!(!scripts.is_empty());
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = check(script) {
                        failures.lock().expect("no other thread failed").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread failed");
    assert!(failures.is_empty(), "{} of {} scripts:\n\n{}", failures.len(), scripts.len(), failures.join("\n"));
}

fn scripts() -> Vec<PathBuf> {
    let wanted = std::env::var("PIPE").unwrap_or_default();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pipe");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("tests/pipe")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(&wanted)))
        .collect();
    scripts.sort();
    scripts
}

/// Runs one script and compares.
fn check(script: &Path) -> Result<(), String> {
    let place = Place::new();
    place.demo_project("project");
    let mut command = place.shell(". \"$0\"");
    command.arg(script).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let run = Run::of(&mut command, "");
    let mut printed = normal(&run.out, &place);
    if run.code != 0 {
        printed += &format!("[exit {}]\n", run.code);
    }
    let file = script.with_extension("out");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &printed).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if printed == expected {
        return Ok(());
    }
    Err(format!("== {}\n-- expected\n{expected}-- found\n{printed}-- stderr\n{}", script.display(), run.err))
}

/// What differs from run to run is replaced by what it is: keys and hashes, times, durations, the place, the host.
fn normal(text: &str, place: &Place) -> String {
    let text = text.replace(&place.path("").display().to_string(), "PLACE/");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let text = match host.trim() {
        "" => text,
        host => text.replace(&format!("\"{host}\""), "\"HOST\""),
    };
    let text = replace_runs(&text, 64, "KEY", |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    replace_times(&text)
}

/// Replaces each run of exactly `length` bytes of a kind.
fn replace_runs(text: &str, length: usize, by: &str, is_kind: impl Fn(u8) -> bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.bytes().position(&is_kind) {
        let run = rest[start..].bytes().take_while(|&byte| is_kind(byte)).count();
        out += &rest[..start];
        out += if run == length { by } else { &rest[start..start + run] };
        rest = &rest[start + run..];
    }
    out + rest
}

/// Replaces times and durations.
fn replace_times(text: &str) -> String {
    let shape = b"0000-00-00T00:00:00Z";
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_time = rest.len() >= shape.len()
            && shape
                .iter()
                .zip(rest.bytes())
                .all(|(&shape, byte)| if shape == b'0' { byte.is_ascii_digit() } else { shape == byte });
        if is_time {
            out += "TIME";
            rest = &rest[shape.len()..];
        } else if let Some(tail) = rest.strip_prefix("_ms\":") {
            out += "_ms\":N";
            rest = tail.trim_start_matches(|c: char| c.is_ascii_digit());
        } else {
            let first = rest.chars().next().map_or(1, char::len_utf8);
            out += &rest[..first];
            rest = &rest[first..];
        }
    }
    out
}

#[test]
fn what_changes_from_run_to_run_is_replaced() {
    let place = Place::new();
    let text = format!("{{\"d_ms\":17,\"k\":\"{}\",\"t\":\"2026-01-31T12:00:00Z\",\"x\":\"abc\"}}", "ab".repeat(32));
    assert_eq!(normal(&text, &place), "{\"d_ms\":N,\"k\":\"KEY\",\"t\":\"TIME\",\"x\":\"abc\"}");
}
