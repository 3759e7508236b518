//! Which failed calls are made again, and when.

use super::Server;
use std::time::Duration;
use tonic::{Code, Status};

/// How persistent a client is.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Calls after the first one.
    pub limit: u32,
    /// Before the second call; it doubles with each further one.
    pub delay: Duration,
    /// How long a call may take, or a stream may stand still.
    pub timeout: Duration,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { limit: 4, delay: Duration::from_millis(200), timeout: Duration::from_secs(120) }
    }
}

/// No pause is longer, however often a call failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The tries of one call.
pub struct Tries<'a> {
    server: &'a Server,
    failed: u32,
    renewed: bool,
}

impl<'a> Tries<'a> {
    /// None failed yet.
    pub fn new(server: &'a Server) -> Tries<'a> {
        Tries { server, failed: 0, renewed: false }
    }

    /// Something was got across: what fails from here on is another failure.
    pub fn progressed(&mut self) {
        self.failed = 0;
    }

    /// After a failed try: comes back when it is time for the next one, or gives the failure back.
    pub async fn after(&mut self, status: Status) -> Result<(), Status> {
        if status.code() == Code::Unauthenticated && !self.renewed {
            self.renewed = true;
            return if self.server.renew_token() { Ok(()) } else { Err(status) };
        }
        if !may_help(&status) {
            return Err(status);
        }
        let policy = self.server.policy();
        if self.failed >= policy.limit {
            self.server.gave_up(&status);
            return Err(status);
        }
        let pause = policy.delay.saturating_mul(1 << self.failed.min(16)).min(LONGEST_PAUSE);
        self.failed += 1;
        tokio::time::sleep(jitter(pause)).await;
        Ok(())
    }
}

/// Up to a quarter more, so that many clients of a server that comes back do not come at once.
fn jitter(pause: Duration) -> Duration {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    pause + pause / 4 * (nanos % 1000) / 1000
}

/// Whether the same call can succeed a moment later.
pub fn may_help(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal => !is_about_trust(status),
        Code::Aborted | Code::DeadlineExceeded => true,
        _ => false,
    }
}

/// Whether the connection was refused because one side does not trust the other: TLS says so by data that it
/// calls invalid.
pub fn is_about_trust(status: &Status) -> bool {
    causes(status).any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData)
    })
}

/// The errors below a failure that this side of the connection found.
pub fn causes(status: &Status) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(status);
    std::iter::successors(first, |error| error.source())
}
