//! From what a CMD left to what became of its element.

use super::job::Remains;
use crate::values::record::{Identity, Record};
use crate::values::result::{BuildResult, FailureClass};
use crate::values::{Code, Exit, Result, record, time::Time};
use rustix::process::WaitStatus;

/// What became of an element.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What CMD answered, and what its exit status says where it answered nothing: fields that go over those
    /// of the element's record.
    pub answer: Record,
    pub result: BuildResult,
    /// `None`: it is there.
    pub failure: Option<Failure>,
    /// The complete log or artifact was stored before the job was stopped.
    pub stored: bool,
}

/// How it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: FailureClass,
    pub exit: Exit,
}

/// What is known about a run of CMD apart from what it left.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    pub identity: &'a Identity,
    /// CMD as a person would write it.
    pub shown: &'a str,
    /// Whether CMD may answer nothing.
    pub silent: bool,
    pub started: Time,
    pub duration_ms: u64,
}

/// Understands what a CMD left.
pub fn outcome(remains: &Remains, about: &Circumstances<'_>) -> Outcome {
    match answer_of(&remains.output, about.identity) {
        Ok(Some(answer)) => of_answer(answer, remains, about),
        Ok(None) if about.silent || worst(&remains.statuses).is_some() => of_status(Record::default(), remains, about),
        Ok(None) => unusable("it answered nothing", about),
        Err(problem) => unusable(&problem, about),
    }
}

/// The one record that CMD wrote.
fn answer_of(output: &[u8], identity: &Identity) -> Result<Option<Record>, String> {
    let mut lines = output.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let Some(line) = lines.next() else { return Ok(None) };
    let more = lines.count();
    if more > 0 {
        return Err(format!("it answered {} lines, expected one record", more + 1));
    }
    let record = Record::parse(line).map_err(|error| error.message().to_owned())?;
    for (field, expected) in [("element", &identity.element), ("project", &identity.project)] {
        match record.get::<String>(field) {
            Ok(None) => {}
            Ok(Some(found)) if found == *expected => {}
            Ok(Some(found)) => return Err(format!("it answered for the {field} \"{}\"", found.escape_default())),
            Err(error) => return Err(error.message().to_owned()),
        }
    }
    Ok(Some(record))
}

fn of_answer(answer: Record, remains: &Remains, about: &Circumstances<'_>) -> Outcome {
    let fields = answer.get::<ErrorField>("error").and_then(|error| Ok((error, answer.get::<BuildResult>("result")?)));
    let stored = answer.has("artifact");
    match fields {
        Err(error) => unusable(error.message(), about),
        Ok((Some(error), result)) => {
            let class = result.as_ref().and_then(|result| result.class).unwrap_or(class_of(error.code));
            let failure = Some(Failure { class, exit: error.code.exit() });
            let result = result.unwrap_or_else(|| BuildResult { description: error.message, ..plain(class, about) });
            Outcome { answer, result, failure, stored }
        }
        Ok((None, Some(result))) => {
            let class = result.class.unwrap_or(FailureClass::Unknown);
            let failure = (!result.success).then(|| Failure { class, exit: class.exit() });
            Outcome { answer, result, failure, stored }
        }
        Ok((None, None)) => of_status(answer, remains, about),
    }
}

/// What is needed of an `error` field.
#[derive(serde::Deserialize)]
struct ErrorField {
    code: Code,
    message: String,
}

/// The result is the exit status: that of the first program of a pipeline that did not succeed.
fn of_status(mut answer: Record, remains: &Remains, about: &Circumstances<'_>) -> Outcome {
    let Some(status) = worst(&remains.statuses) else {
        let result = BuildResult {
            success: true,
            description: "succeeded".to_owned(),
            builder: Some(about.shown.to_owned()),
            duration_ms: Some(about.duration_ms),
            started: Some(about.started),
            finished: Some(Time::now()),
            ..BuildResult::default()
        };
        return finish(answer, result, None);
    };
    let class = class_of_status(status);
    let tail = String::from_utf8_lossy(&remains.tail).into_owned();
    let result = BuildResult {
        description: describe(status),
        command: Some(about.shown.to_owned()),
        exit: status.exit_status(),
        signal: status.terminating_signal(),
        log_tail: Some(tail).filter(|tail| !tail.is_empty()),
        ..plain(class, about)
    };
    answer.remove("error");
    finish(answer, result, Some(Failure { class, exit: class.exit() }))
}

/// CMD broke its word: that is no fact about the key.
fn unusable(problem: &str, about: &Circumstances<'_>) -> Outcome {
    let class = FailureClass::Sandbox;
    let result = BuildResult {
        description: format!("{} gave no usable answer", about.shown),
        detail: Some(problem.to_owned()),
        ..plain(class, about)
    };
    finish(Record::default(), result, Some(Failure { class, exit: class.exit() }))
}

/// CMD could not even be started.
pub fn not_started(error: &crate::values::Error, about: &Circumstances<'_>) -> Outcome {
    let class = if error.os_error() == Some(libc::ENOMEM) { FailureClass::Resource } else { FailureClass::Sandbox };
    let result = BuildResult { description: error.message().to_owned(), ..plain(class, about) };
    finish(Record::default(), result, Some(Failure { class, exit: class.exit() }))
}

fn finish(mut answer: Record, result: BuildResult, failure: Option<Failure>) -> Outcome {
    // The result is plain data, which can always be written.
    if let Err(error) = answer.set("result", &result) {
        debug_assert!(false, "{error}");
    }
    Outcome { answer, result, failure, stored: false }
}

fn plain(class: FailureClass, about: &Circumstances<'_>) -> BuildResult {
    BuildResult {
        success: false,
        class: Some(class),
        retryable: Some(class.retryable()),
        builder: Some(about.shown.to_owned()),
        duration_ms: Some(about.duration_ms),
        started: Some(about.started),
        finished: Some(Time::now()),
        ..BuildResult::default()
    }
}

/// The first status that is no success.
fn worst(statuses: &[WaitStatus]) -> Option<WaitStatus> {
    statuses.iter().copied().find(|status| status.exit_status() != Some(0))
}

/// What an exit status means, with the words of those who wrap commands: timeout, sh, EX_TEMPFAIL; and 7 of
/// the suite's own programs.
fn class_of_status(status: WaitStatus) -> FailureClass {
    match status.exit_status() {
        Some(75) => FailureClass::Temporary,
        Some(124) => FailureClass::Timeout,
        Some(126 | 127) => FailureClass::Sandbox,
        Some(code) if code == i32::from(Exit::Environment.code()) => FailureClass::Sandbox,
        Some(code) if code > 128 => FailureClass::Signal,
        Some(_) => FailureClass::Command,
        None => FailureClass::Signal,
    }
}

fn describe(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("Exited with {code}"),
        (None, Some(signal)) => format!("Killed by signal {signal}"),
        (None, None) => "Ended in an unknown way".to_owned(),
    }
}

fn class_of(code: Code) -> FailureClass {
    match code {
        Code::Source | Code::NoRef => FailureClass::Source,
        Code::Staging | Code::FailedArtifact => FailureClass::Staging,
        Code::Network => FailureClass::Network,
        Code::Disk => FailureClass::Resource,
        Code::Cancelled => FailureClass::Cancelled,
        Code::Usage
        | Code::Malformed
        | Code::Project
        | Code::Unsupported
        | Code::NotFound
        | Code::Sandbox
        | Code::Damaged => FailureClass::Sandbox,
    }
}

/// The digest of a failure's log, wherever it says so.
pub fn log_of(record: &Record, result: &BuildResult) -> Option<crate::values::Digest> {
    let stored = record.get::<record::ArtifactField>("artifact").ok().flatten();
    result.log.or(stored.and_then(|artifact| artifact.log))
}

#[cfg(test)]
mod tests {
    use super::*;

    // It is waited for by its number.
    #[allow(clippy::zombie_processes)]
    fn judged(output: &str, status: i32, silent: bool) -> Outcome {
        let identity = Identity { element: "a.bst".into(), project: "p".into() };
        let about = Circumstances { identity: &identity, shown: "cmd", silent, started: Time::now(), duration_ms: 1 };
        let child = std::process::Command::new("sh").arg("-c").arg(format!("exit {status}")).spawn().unwrap();
        let status = loop {
            let pid = rustix::process::Pid::from_child(&child);
            if let Some((_, status)) =
                rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap()
            {
                break status;
            }
        };
        let remains = Remains { statuses: vec![status], output: output.into(), tail: Vec::new(), killed: false };
        outcome(&remains, &about)
    }

    #[test]
    fn silence_is_as_good_as_its_exit_status() {
        assert_eq!(judged("", 0, true).failure, None);
        let class = |status| judged("", status, true).failure.map(|failure| failure.class);
        assert_eq!(class(1), Some(FailureClass::Command));
        assert_eq!(class(75), Some(FailureClass::Temporary));
        assert_eq!(class(124), Some(FailureClass::Timeout));
        assert_eq!(class(127), Some(FailureClass::Sandbox));
        assert_eq!(class(137), Some(FailureClass::Signal));
        assert!(judged("", 0, false).failure.is_some());
    }

    #[test]
    fn the_record_is_the_truth_and_the_status_its_summary() {
        assert_eq!(judged("{\"result\":{\"success\":true}}", 3, false).failure, None);
        let failed = judged("{\"result\":{\"success\":false,\"class\":\"timeout\"}}", 0, false);
        assert_eq!(failed.failure.map(|failure| failure.class), Some(FailureClass::Timeout));
        let error = judged("{\"error\":{\"code\":\"network\",\"message\":\"m\"}}", 0, false);
        assert_eq!(error.failure, Some(Failure { class: FailureClass::Network, exit: Exit::Environment }));
        assert_eq!(judged("{\"note\":1}\n", 0, false).failure, None);
    }

    #[test]
    fn nonsense_is_no_answer() {
        for bad in ["nonsense", "{}\n{}", "{\"element\":\"b.bst\"}", "{\"result\":1}", "{\"error\":{}}"] {
            let outcome = judged(bad, 0, true);
            assert_eq!(outcome.failure.map(|failure| failure.class), Some(FailureClass::Sandbox), "{bad}");
            assert!(outcome.answer.has("result"));
        }
    }
}
