//! The one error type of the library: what went wrong, where, and what to do.

use super::Exit;
use serde::{Deserialize, Serialize};
use std::{fmt, io, path::Path, sync::Arc};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of error it is: the word in the `code` field of a record's `error`, and the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The command line is wrong.
    Usage,
    /// A record or a value in it is not of the form of bst-record(5).
    Malformed,
    /// A project or element cannot be loaded.
    Project,
    /// A kind that is neither native nor has a helper.
    Unsupported,
    /// A source has no ref: there is no key.
    NoRef,
    /// What was asked for is not there.
    NotFound,
    /// An artifact that is a failure was asked for as if it were good.
    FailedArtifact,
    /// Staging or a source did not work; the key is not to blame.
    Source,
    /// Dependencies cannot be put together.
    Staging,
    /// The sandbox cannot be had.
    Sandbox,
    /// The network or a server.
    Network,
    /// The disk: full, unreadable, unwritable.
    Disk,
    /// Interrupted.
    Cancelled,
    /// The store holds something that it should not.
    Damaged,
}

impl Code {
    /// The exit that this kind of error asks for.
    pub fn exit(self) -> Exit {
        match self {
            Code::Usage | Code::Malformed | Code::Project | Code::Unsupported | Code::NoRef => Exit::Usage,
            Code::NotFound => Exit::No,
            Code::FailedArtifact => Exit::CachedFailure,
            Code::Source | Code::Staging | Code::Sandbox | Code::Network | Code::Disk => Exit::Environment,
            Code::Cancelled => Exit::Stopped,
            Code::Damaged => Exit::Damaged,
        }
    }
}

/// BuildStream's domain of an error of a project.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    Load,
    Plugin,
    Element,
    Source,
}

/// A place in a project's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file as BuildStream shows it: relative to its project.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 0, as BuildStream counts.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// An error: its message says what was found, what was expected and what to do.
#[derive(Clone, Debug)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    message: String,
    place: Option<Place>,
    domain: Option<Domain>,
    reason: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a kind with its message.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error(Box::new(Parts { code, message: message.into(), place: None, domain: None, reason: None, source: None }))
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(Code::Usage, message)
    }

    /// A record or value of the wrong form.
    pub fn malformed(message: impl Into<String>) -> Error {
        Error::new(Code::Malformed, message)
    }

    /// Something in the store that should not be as it is.
    pub fn damaged(message: impl Into<String>) -> Error {
        Error::new(Code::Damaged, message)
    }

    /// Something that is not there.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error::new(Code::NotFound, message)
    }

    /// An error of BuildStream's load domain, with its reason in kebab case.
    pub fn load(reason: &str, message: impl Into<String>) -> Error {
        Error::of_project(Domain::Load, reason, message)
    }

    /// An error of a project in one of BuildStream's domains, with BuildStream's reason in kebab case.
    pub fn of_project(domain: Domain, reason: &str, message: impl Into<String>) -> Error {
        let mut error = Error::new(Code::Project, message);
        error.0.domain = Some(domain);
        error.0.reason = Some(reason.to_owned());
        error
    }

    /// The same where BuildStream gives no reason.
    pub fn in_domain(domain: Domain, message: impl Into<String>) -> Error {
        let mut error = Error::new(Code::Project, message);
        error.0.domain = Some(domain);
        error
    }

    /// A system error while doing `what` ("cannot read") to `path`.
    pub fn io(what: &str, path: &Path, source: impl Into<io::Error>) -> Error {
        let source = source.into();
        let mut error = Error::new(Code::Disk, format!("{what} {}: {source}", path.display()));
        error.0.source = Some(Arc::new(source));
        error
    }

    /// The same error, at a place. A place without a file is none.
    #[must_use]
    pub fn at(mut self, place: Place) -> Error {
        self.0.place = Some(place).filter(|place| !place.file.is_empty());
        self
    }

    /// The same error, at a place unless it has one.
    #[must_use]
    pub fn or_at(self, place: impl FnOnce() -> Place) -> Error {
        if self.0.place.is_none() { self.at(place()) } else { self }
    }

    /// The same error with another kind.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Error {
        self.0.code = code;
        self
    }

    /// The same error with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of error it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The words for people, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in a project.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// BuildStream's reason in kebab case.
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The operating system's error number below this error, if there is one.
    pub fn os_error(&self) -> Option<i32> {
        self.0.source.as_ref()?.downcast_ref::<io::Error>()?.raw_os_error()
    }

    /// The form that records carry.
    pub fn to_record(&self) -> ErrorRecord {
        let parts = &self.0;
        ErrorRecord {
            code: parts.code,
            column: parts.place.as_ref().map(|place| place.column),
            domain: parts.domain,
            file: parts.place.as_ref().map(|place| place.file.clone()),
            line: parts.place.as_ref().map(|place| place.line),
            message: parts.message.clone(),
            reason: parts.reason.clone(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The message already holds the words of a system error; a chain would print them twice.
        None
    }
}

/// The `error` field of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorRecord {
    pub code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
