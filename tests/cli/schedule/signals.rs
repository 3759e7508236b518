//! Interruptions.

use super::*;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Starts bst-schedule; its input ends at once.
fn start(place: &Place, options: &[&str], script: &str, records: &[Value]) -> Child {
    cmd(place, script);
    let mut command = place.command("bst-schedule");
    command.args(options).args(["--", "sh", "./cmd"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bst-schedule starts");
    child.stdin.take().expect("a pipe").write_all(lines(records).as_bytes()).expect("records");
    child
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: the process is a child that was not waited for.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

fn wait_for(place: &Place, file: &str) {
    let begun = Instant::now();
    while !place.path(file).exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{file} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn end(child: Child) -> Run {
    Run::from(child.wait_with_output().expect("its end"))
}

#[test]
fn the_first_signal_quits() {
    for number in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let place = Place::new();
        let records = [record("a", &[]), record("b", &["a"]), record("c", &[])];
        let child = start(&place, &["-j1"], "touch started; sleep 1; touch ended.$e", &records);
        wait_for(&place, "started");
        signal(&child, number);
        let run = end(child).exits(6);
        assert_eq!(actions(&run), ["a built", "b cancelled", "c cancelled"]);
        assert!(place.path("ended.a").exists() && !place.path("ended.c").exists());
    }
}

#[test]
fn the_second_signal_terminates_and_nothing_is_left() {
    let place = Place::new();
    let script = "trap 'touch cleaned; exit 1' TERM; setsid sleep 71 & touch started; sleep 72 & wait";
    let child = start(&place, &["-j2"], script, &[record("a", &[]), record("b", &["a"])]);
    wait_for(&place, "started");
    let begun = Instant::now();
    signal(&child, libc::SIGINT);
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, libc::SIGINT);
    let run = end(child).exits(6);
    assert!(begun.elapsed() < Duration::from_secs(8), "jobs are told to stop before they are killed");
    assert_eq!(actions(&run), ["a cancelled", "b cancelled"]);
    assert!(place.path("cleaned").exists(), "a job may clean up");
    assert_eq!(place.sh("ps -eo args | grep -E '^sleep 7[12]$'").out, "");
}

#[test]
fn jobs_begin_with_no_signal_blocked_and_none_ignored() {
    let place = Place::new();
    schedule(&place, &[], "grep -E 'SigBlk|SigIgn' /proc/self/status >mask", &[record("a", &[])]).exits(0);
    for line in read_lines(&place, "mask") {
        let (_, digits) = line.split_once('\t').expect("digits");
        // Above are signals that the C library keeps for itself.
        let usual = u64::from_str_radix(digits, 16).expect("digits") & 0x7fff_ffff;
        assert_eq!(usual, 0, "{line}");
    }
}

#[test]
fn who_was_told_to_stop_while_records_still_come_gives_each_its_record() {
    let place = Place::new();
    cmd(&place, "touch started; sleep 60");
    let (first, second) = (lines(&[record("a", &[])]), lines(&[record("b", &["a"]), record("c", &[])]));
    let script = format!(
        "(printf '%s' '{first}'; until test -e started; do sleep 0.05; done; sleep 0.5; printf '%s' '{second}') |
         {{ bst-schedule -j1 -- sh ./cmd & pid=$!; until test -e started; do sleep 0.05; done
            kill -INT $pid; sleep 1; kill -INT $pid; wait $pid; }}"
    );
    // A background job of a shell without job control has no stdin and ignores SIGINT unless it is told.
    let script = script.replace("bst-schedule -j1 -- sh ./cmd &", "bst-schedule -j1 -- sh ./cmd <&4 &");
    let script = script.replace("{ bst-schedule", "{ exec 4<&0; bst-schedule").replace("kill -INT", "kill -TERM");
    let run = place.sh(&script).exits(6);
    assert_eq!(actions(&run), ["a cancelled", "b cancelled", "c cancelled"]);
}

#[test]
fn a_reader_that_leaves_ends_the_run_and_its_jobs() {
    let place = Place::new();
    cmd(&place, "test $e = a && exit 0; sleep 73");
    place.write("in", lines(&[record("a", &[]), record("b", &[])]));
    let begun = Instant::now();
    let run = place.sh("(bst-schedule -j2 -- sh ./cmd <in 2>/dev/null; echo $? >code) | true; cat code");
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(run.out, "141\n");
    assert_eq!(place.sh("ps -eo args | grep '^sleep 73$'").out, "");
}

#[test]
fn children_from_before_are_not_ours_to_kill() {
    let place = Place::new();
    place.write("in", lines(&[record("a", &[])]));
    let run = place.sh("sleep 3 & echo $! >pid; exec bst-schedule -q -- true <in").exits(0);
    assert_eq!(actions(&run), ["a built"]);
    place.sh("kill -0 $(cat pid)").exits(0);
}
