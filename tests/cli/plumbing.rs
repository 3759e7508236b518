//! What holds for every program.

use crate::support::{Place, Run, binary};
use bst_plumbing::edge::cli::{Program, programs};
use bst_plumbing::values::Exit;
use std::process::Stdio;

/// The programs that are built. Those of bins/remote are a package of their own.
fn built() -> Vec<&'static Program> {
    programs::ALL.iter().copied().filter(|program| binary(program.name).exists()).collect()
}

/// The filters: how each is called to read records from stdin.
const FILTERS: &[(&str, &[&str])] = &[
    ("bst-build", &[]),
    ("bst-cache-query", &[]),
    ("bst-commit-artifact", &[]),
    ("bst-fetch", &[]),
    ("bst-pull", &[]),
    ("bst-push", &[]),
    ("bst-remote-query", &[]),
];

#[test]
fn every_program_is_built() {
    let missing: Vec<_> = programs::ALL.iter().map(|p| p.name).filter(|name| !binary(name).exists()).collect();
    assert!(missing.is_empty(), "{missing:?} are not built: cargo build --workspace");
}

#[test]
fn help_and_version_are_answers() {
    let place = Place::new();
    for program in built() {
        for word in ["-h", "--help"] {
            let run = place.run(program.name, &[word], "").exits(0);
            assert!(run.err.is_empty() && run.out.contains(program.summary), "{}: {run:?}", program.name);
            for flag in program.flags {
                assert!(run.out.contains(&format!("--{}", flag.long)), "{} --{}", program.name, flag.long);
            }
        }
        let run = place.run(program.name, &["--version"], "").exits(0);
        assert_eq!(run.out, format!("{} {}\n", program.name, env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn an_unknown_flag_is_one_line_and_exit_2() {
    let place = Place::new();
    for program in built() {
        for word in ["--no-such-flag", "-%"] {
            let run = place.run(program.name, &[word], "").exits(2);
            assert!(run.out.is_empty(), "{}: {}", program.name, run.out);
            assert!(run.err.starts_with(&format!("{}: ", program.name)), "{}", run.err);
            assert_eq!(run.err.lines().count(), 1, "{}", run.err);
            assert!(run.err.contains(word), "{}", run.err);
        }
    }
}

#[test]
fn a_flag_without_its_value_and_a_word_that_is_none_of_its_words_are_named() {
    use bst_plumbing::edge::cli::Takes;
    let place = Place::new();
    for program in built() {
        for flag in program.flags {
            let long = format!("--{}", flag.long);
            if flag.takes != Takes::Nothing {
                let run = place.run(program.name, &[&long], "").exits(2);
                assert!(run.err.contains(&long), "{} {long}: {}", program.name, run.err);
            }
            if matches!(flag.takes, Takes::Choice(_) | Takes::Choices(_)) {
                let run = place.run(program.name, &[&long, "no-such-word"], "").exits(2);
                assert!(run.err.contains(&long) && run.err.contains("no-such-word"), "{}", run.err);
            }
        }
    }
}

#[test]
fn a_reader_that_left_ends_a_program_by_signal_and_in_silence() {
    let place = Place::new();
    for program in built() {
        let mut command = place.shell("sleep 0.2; exec \"$0\" --help");
        let mut child =
            command.arg(program.name).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        drop(child.stdout.take());
        let run = Run::from(child.wait_with_output().expect("its end"));
        assert_eq!((run.code, run.err.as_str()), (128 + libc::SIGPIPE, ""), "{}", program.name);
    }
}

#[test]
fn descriptors_that_are_closed_are_no_reason_to_panic() {
    let place = Place::new();
    for program in built() {
        for closed in ["<&-", "2>&-", ">&-"] {
            let mut command = place.shell(&format!("exec timeout 20 \"$0\" {closed}"));
            let run = Run::of(command.arg(program.name), "");
            assert_tame(program.name, &run);
        }
    }
}

#[test]
fn a_line_that_is_no_record_is_an_error_and_the_rest_goes_on() {
    let place = Place::new();
    for (program, arguments) in FILTERS {
        let good = r#"{"element":"a b.bst","project":"p","x-mine":{"b":1,"a":[2]}}"#;
        let run = place.run(program, arguments, &format!("no json\n\n{good}\n[1]\n"));
        assert_eq!(run.code, 2, "{program}: {}", run.err);
        let records = run.records();
        assert_eq!(records.len(), 3, "{program}: {}", run.out);
        for broken in [&records[0], &records[2]] {
            assert_eq!(broken["error"]["code"], "malformed", "{program}: {}", run.out);
        }
        assert_eq!(records[1]["element"], "a b.bst", "{program}: {}", run.out);
        assert!(
            run.out.contains(r#""x-mine":{"b":1,"a":[2]}"#),
            "{program} passes on what it does not know: {}",
            run.out
        );
    }
}

#[test]
fn the_first_error_of_a_pipeline_is_the_one_that_is_seen() {
    let place = Place::new();
    for (program, arguments) in FILTERS {
        for (code, exit) in [("project", 2), ("network", 7), ("a-word-of-later", 2)] {
            let line =
                format!(r#"{{"element":"a.bst","error":{{"code":"{code}","message":"not here"}},"project":"p"}}"#);
            let run = place.run(program, arguments, &format!("{line}\n"));
            assert_eq!((run.code, run.out, run.err), (exit, format!("{line}\n"), String::new()), "{program}");
        }
    }
}

#[test]
fn no_record_is_no_record() {
    let place = Place::new();
    for (program, arguments) in FILTERS {
        for input in ["", "\n", " \n\n"] {
            let run = place.run(program, arguments, input).exits(0);
            assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""), "{program}");
        }
    }
}

#[test]
fn hostile_lines_end_in_errors() {
    let place = Place::new();
    let deep = "[".repeat(100_000);
    let long = format!("{{\"element\":\"{}\"}}", "a".repeat(2_000_000));
    let lines = [
        deep.as_str(),
        long.as_str(),
        "{\"element\":null}",
        "{\"element\":\"\\u0000\"}",
        "{\"element\":\"../../x.bst\",\"project\":\"..\",\"key\":\"../x\"}",
        "{\"element\":1,\"project\":[],\"key\":{},\"sources\":3,\"build\":\"x\",\"result\":0,\"work\":[1]}",
        "{\"a\":1,\"a\":2}",
        "\u{feff}{}",
        "{\"element\":\"a.bst\"",
    ];
    for (program, arguments) in FILTERS {
        for line in lines {
            let run = place.run(program, arguments, &format!("{line}\n"));
            assert_tame(program, &run);
            assert!(run.out.lines().count() <= 1, "{program}: {}", run.out);
        }
        // What is no text at all, without a line end.
        let mut command = place.shell("printf '\\377\\376{\\000' | \"$@\"");
        let run = Run::of(command.arg("sh").arg(program).args(*arguments), "");
        assert_tame(program, &run);
    }
    assert!(!place.path("x").exists() && !place.path("x.bst").exists());
}

#[test]
fn a_store_that_cannot_be_written_is_the_environments_fault() {
    let place = Place::new();
    place.write("file", "no directory");
    for (program, arguments) in FILTERS {
        for store in ["file", "file/below", "/proc/none"] {
            let record = format!(r#"{{"element":"a.bst","key":"{0}","project":"p","weak_key":"{0}"}}"#, "a".repeat(64));
            let mut command = place.command(program);
            let run = Run::of(command.args(*arguments).env("BST_STORE", place.path(store)), &(record + "\n"));
            assert_tame(program, &run);
            assert!(!run.err.is_empty() || run.code <= 1, "{program} with {store}: exit {} in silence", run.code);
        }
    }
}

/// Fails unless the run ended by itself, with a code of the table and without a backtrace.
#[track_caller]
fn assert_tame(program: &str, run: &Run) {
    let known = Exit::ALL.iter().any(|exit| i32::from(exit.code()) == run.code);
    assert!(known, "{program}: exit {}: {}", run.code, run.err);
    assert!(!run.err.contains("panicked") && !run.err.contains("RUST_BACKTRACE"), "{program}: {}", run.err);
}
