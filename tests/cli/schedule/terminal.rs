//! At a terminal.

use super::*;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Both ends of a new terminal. Programs of other tests, which run beside, do not get them.
fn open_terminal() -> (OwnedFd, OwnedFd) {
    let size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let mut name = [0_u8; 128];
    // SAFETY: the descriptor is new and nobody else's; the name fits, or the call fails.
    let ours = unsafe {
        let ours = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        assert!(ours >= 0);
        assert_eq!(libc::grantpt(ours) | libc::unlockpt(ours) | libc::ioctl(ours, libc::TIOCSWINSZ, &size), 0);
        assert_eq!(libc::ptsname_r(ours, name.as_mut_ptr().cast(), name.len()), 0);
        OwnedFd::from_raw_fd(ours)
    };
    let path = std::ffi::CStr::from_bytes_until_nul(&name).expect("a name").to_str().expect("a path");
    let mut options = File::options();
    options.read(true).write(true);
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOCTTY);
    (ours, options.open(path).expect("the terminal").into())
}

/// A terminal with a program in it.
struct Session {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
}

impl Session {
    /// Runs a line of shell as the session of a new terminal; stdin, stdout and stderr are the terminal.
    fn new(place: &Place, script: &str) -> Session {
        let (ours, theirs) = open_terminal();
        let stdio = || Stdio::from(theirs.try_clone().expect("a descriptor"));
        let mut command: Command = place.shell(script);
        command.env("TERM", "xterm").stdin(stdio()).stdout(stdio()).stderr(stdio());
        // SAFETY: only calls that are allowed between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().expect("a shell");
        drop(command);
        drop(theirs);
        let keyboard = File::from(ours);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut reader, copy) = (keyboard.try_clone().expect("a descriptor"), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = reader.read(&mut buffer) {
                if length == 0 {
                    break;
                }
                copy.lock().expect("the screen").push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        Session { child, keyboard, screen }
    }

    fn screen(&self) -> String {
        self.screen.lock().expect("the screen").clone()
    }

    /// Waits until a text was shown, `times` times.
    fn expect(&self, text: &str, times: usize) {
        let begun = Instant::now();
        while self.screen().matches(text).count() < times {
            assert!(begun.elapsed() < Duration::from_secs(20), "no \"{text}\" in\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the keyboard");
    }

    fn end(mut self) -> (i32, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the session") {
                std::thread::sleep(Duration::from_millis(50));
                return (status.code().unwrap_or(-1), self.screen());
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it never ended:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn the_display_shows_what_runs_and_what_is_left() {
    let place = Place::new();
    cmd(&place, "sleep 0.7; test $e = a");
    place.write("in", lines(&[record("a", &[]), record("b", &[]), record("c", &["a"])]));
    let session = Session::new(&place, "bst-schedule -j2 --on-error=continue -- sh ./cmd <in >out");
    session.expect("0/3 done, 2 running, 1 waiting", 1);
    session.expect("00:00", 1);
    let (code, screen) = session.end();
    assert_eq!(code, 3, "{screen}");
    assert!(screen.contains("\u{1b}[31m   failed\u{1b}[0m"), "{screen}");
    assert!(screen.trim_end().ends_with("1 built, 2 failed"), "the display is gone at the end: {screen}");
    assert_eq!(read_lines(&place, "out").len(), 3);
}

/// A run that asks about `bad`, with other builds beside.
fn asked(place: &Place, script: &str) -> Session {
    cmd(place, script);
    place.write("in", lines(&[record("bad", &[]), record("slow", &[]), record("up", &["bad"])]));
    let session = Session::new(place, "bst-schedule -j2 --on-error=exec:bst-ask -- sh ./cmd <in >out; echo code $?");
    session.expect("Choice [continue]: ", 1);
    session
}

#[test]
fn a_person_is_asked_while_builds_go_on() {
    let place = Place::new();
    let mut session =
        asked(&place, "case $e in bad) echo x >>tries; test $(wc -l <tries) = 2;; *) sleep 1; touch $e.done;; esac");
    let begun = Instant::now();
    while !place.path("slow.done").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "builds wait for the person");
        std::thread::sleep(Duration::from_millis(20));
    }
    session.press("x\n");
    session.expect("is none of continue, quit, terminate, retry", 1);
    session.press("re\n");
    let (_, screen) = session.end();
    assert!(screen.contains("code 0"), "{screen}");
    assert!(screen.contains("Build failure on element:"), "{screen}");
}

#[test]
fn control_c_at_the_prompt_terminates_and_hits_nobody_else() {
    let place = Place::new();
    let mut session = asked(&place, "test $e = bad && exit 1; sleep 74");
    session.press("\u{3}");
    let (_, screen) = session.end();
    assert!(screen.contains("code 6"), "{screen}");
    let actions: Vec<_> = read_lines(&place, "out")
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("a record")["schedule"]["action"].clone())
        .collect();
    assert_eq!(actions, [json!("built"), json!("cancelled"), json!("blocked")]);
    assert_eq!(place.sh("ps -eo args | grep '^sleep 74$'").out, "");
}

#[test]
fn enter_continues_and_quit_quits() {
    for (keys, code) in [("\n", "code 3"), ("q\n", "code 3"), ("\u{4}", "code 6")] {
        let place = Place::new();
        let mut session = asked(&place, "test $e = bad && exit 1; sleep 2");
        session.press(keys);
        let (_, screen) = session.end();
        assert!(screen.contains(code), "{keys:?}: {screen}");
    }
}

#[test]
fn without_a_terminal_nobody_is_asked_and_the_default_holds() {
    let place = Place::new();
    cmd(&place, "exit 1");
    place.write("in", lines(&[record("a", &[])]));
    let script = "setsid bst-schedule --on-error=exec:bst-ask --on-error-default=continue -- sh ./cmd <in";
    let run = place.sh(script).exits(3);
    assert!(run.err.contains("there is nobody to ask"), "{}", run.err);
    assert_eq!(run.records()[0]["schedule"]["decisions"][0]["by"], "fallback");
}

#[test]
fn a_terminal_that_goes_away_ends_the_run_in_order() {
    let place = Place::new();
    let session = asked(&place, "test $e = bad && exit 1; sleep 1; touch $e.done");
    drop(session.keyboard);
    let mut child = session.child;
    let begun = Instant::now();
    while child.try_wait().expect("the session").is_none() {
        if begun.elapsed() > Duration::from_secs(1) {
            // The reader's copy keeps the terminal open; the system hangs up when the session's leader goes.
            child.kill().expect("the shell");
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    while read_lines(&place, "out").len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", read_lines(&place, "out"));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(place.path("slow.done").exists());
}
