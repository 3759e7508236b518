//! Failures of the network: which of them pass, and how long to wait.

use bst_plumbing::values::{Code, Error};
use std::time::Duration;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Why something could not be had from one place.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether the same may work later, and if the server says so, when.
    pub(super) again: Option<Option<Duration>>,
}

impl Failure {
    /// The network or the server is to blame: it may work later.
    pub(super) fn passing(message: impl Into<String>) -> Failure {
        Failure { error: Error::new(Code::Network, message), again: Some(None) }
    }

    /// It will not work from this place.
    pub(super) fn lasting(code: Code, message: impl Into<String>) -> Failure {
        Failure { error: Error::new(code, message), again: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, again: None }
    }
}

/// Tries, and tries again at most `retries` times as long as the failure may pass.
pub(super) fn retrying<T>(retries: u32, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut pause = FIRST;
    let mut left = retries;
    loop {
        match attempt() {
            Err(Failure { again: Some(after), .. }) if left > 0 => {
                left -= 1;
                std::thread::sleep(after.unwrap_or(pause).min(LONGEST));
                pause = (pause * 2).min(LONGEST);
            }
            outcome => return outcome,
        }
    }
}
