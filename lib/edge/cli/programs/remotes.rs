//! The flags that the programs share that talk to servers.

use crate::edge::cli::{Flag, Takes};

pub const ARTIFACT_REMOTE: Flag = Flag {
    short: None,
    long: "artifact-remote",
    takes: Takes::Value("SERVER"),
    help: "a server of artifacts, instead of those of the user's configuration: a URL, or url=URL,KEY=VALUE,...",
};

pub const COMPRESS: Flag = Flag {
    short: None,
    long: "compress",
    takes: Takes::Choice(&["auto", "always", "never"]),
    help: "compress what is on its way, where the server can; auto, which is the default: not on this machine",
};

pub const DIRECTORY: Flag = Flag {
    short: Some('C'),
    long: "directory",
    takes: Takes::Value("DIR"),
    help: "the directory of the project whose servers are used too, instead of the current one",
};

pub const IGNORE_PROJECT_ARTIFACT_REMOTES: Flag = Flag {
    short: None,
    long: "ignore-project-artifact-remotes",
    takes: Takes::Nothing,
    help: "leave out the servers of artifacts that projects recommend",
};

pub const JOBS: Flag = Flag {
    short: Some('j'),
    long: "jobs",
    takes: Takes::Value("N"),
    help: "treat up to N records at once; 4 if not given",
};

pub const SOURCE_REMOTE: Flag = Flag {
    short: None,
    long: "source-remote",
    takes: Takes::Value("SERVER"),
    help: "a server of sources, instead of those of the user's configuration: a URL, or url=URL,KEY=VALUE,...",
};

pub const IGNORE_PROJECT_SOURCE_REMOTES: Flag = Flag {
    short: None,
    long: "ignore-project-source-remotes",
    takes: Takes::Nothing,
    help: "leave out the servers of sources that projects recommend",
};
