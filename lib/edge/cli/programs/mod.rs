//! The tables, one file a program.

mod ask;
mod build;
mod cache_query;
mod cat;
mod checkout;
mod commit_artifact;
mod completions;
mod diff;
mod fetch;
mod fsck;
mod gc;
mod key;
mod log;
mod pull;
mod push;
mod remote_execute;
mod remote_query;
mod remotes;
mod rm;
mod schedule;
mod selection;
mod shell;
mod show;
mod track;

pub use ask::ASK;
pub use build::BUILD;
pub use cache_query::CACHE_QUERY;
pub use cat::CAT;
pub use checkout::CHECKOUT;
pub use commit_artifact::COMMIT_ARTIFACT;
pub use completions::COMPLETIONS;
pub use diff::DIFF;
pub use fetch::FETCH;
pub use fsck::FSCK;
pub use gc::GC;
pub use key::KEY;
pub use log::LOG;
pub use pull::PULL;
pub use push::PUSH;
pub use remote_execute::REMOTE_EXECUTE;
pub use remote_query::REMOTE_QUERY;
pub use rm::RM;
pub use schedule::SCHEDULE;
pub use shell::SHELL;
pub use show::SHOW;
pub use track::TRACK;

use super::Program;

/// Every program of the suite, by name.
pub const ALL: &[&Program] = &[
    &ASK,
    &BUILD,
    &CACHE_QUERY,
    &CAT,
    &CHECKOUT,
    &COMMIT_ARTIFACT,
    &COMPLETIONS,
    &FETCH,
    &DIFF,
    &FSCK,
    &GC,
    &KEY,
    &LOG,
    &PULL,
    &PUSH,
    &REMOTE_EXECUTE,
    &REMOTE_QUERY,
    &RM,
    &SCHEDULE,
    &SHELL,
    &SHOW,
    &TRACK,
];
