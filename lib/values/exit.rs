//! Exit codes: the summary of a run. The records are the truth.

use std::process::{ExitCode, Termination};

/// What a program exits with. `man/bst.7` has the same table; a test compares them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Exit {
    /// Done, every answer positive.
    #[default]
    Done = 0,
    /// Done, the answer is no: absent, nothing matched.
    No = 1,
    /// Usage, or a malformed record, project or element.
    Usage = 2,
    /// A build failed now.
    Failed = 3,
    /// A cached failure, not run again.
    CachedFailure = 4,
    /// Only blocked elements are left.
    Blocked = 5,
    /// Stopped by policy.
    Stopped = 6,
    /// Environment: network, disk, memory, sandbox. A retry may help.
    Environment = 7,
    /// The store is damaged.
    Damaged = 8,
}

impl Exit {
    /// Every exit, in the order of the table.
    pub const ALL: [Exit; 9] = [
        Exit::Done,
        Exit::No,
        Exit::Usage,
        Exit::Failed,
        Exit::CachedFailure,
        Exit::Blocked,
        Exit::Stopped,
        Exit::Environment,
        Exit::Damaged,
    ];

    /// Of several records the first that applies of 2, 8, 6, 7, 3, 4, 5, 1 speaks for the run.
    const PRECEDENCE: [Exit; 8] = [
        Exit::Usage,
        Exit::Damaged,
        Exit::Stopped,
        Exit::Environment,
        Exit::Failed,
        Exit::CachedFailure,
        Exit::Blocked,
        Exit::No,
    ];

    /// The number of the process's exit status.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit of a run of which one part ended with `self` and another with `other`.
    #[must_use]
    pub fn and(self, other: Exit) -> Exit {
        Exit::PRECEDENCE.into_iter().find(|&exit| exit == self || exit == other).unwrap_or(Exit::Done)
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_speaks_in_the_order_of_the_table() {
        assert_eq!(Exit::Done.and(Exit::Done), Exit::Done);
        assert_eq!(Exit::Done.and(Exit::No), Exit::No);
        assert_eq!(Exit::Failed.and(Exit::Stopped), Exit::Stopped);
        assert_eq!(Exit::Damaged.and(Exit::Usage), Exit::Usage);
        assert_eq!(Exit::Blocked.and(Exit::CachedFailure), Exit::CachedFailure);
    }
}
