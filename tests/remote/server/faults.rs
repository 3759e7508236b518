//! How a server misbehaves.

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The call fails with this code.
    Status(tonic::Code),
    /// No answer, ever.
    Hang,
    /// The stream of the call is reset.
    Reset,
    /// The answer is no message.
    Garbage,
    /// Blobs come with a byte changed.
    Corrupt,
    /// A stream of bytes breaks off after so many of them.
    BreakAfter(usize),
    /// A stream of bytes ends well, too early.
    EndAfter(usize),
    /// More bytes come than the digest says.
    TooMuch,
    /// What the client sends is taken and forgotten.
    Forget,
    /// An execution goes on for ever.
    Endless,
    /// A name stands for this blob.
    Name(bst_plumbing::values::Digest),
}

/// A fault of one method, by the last part of its name.
#[derive(Clone, Debug)]
pub struct Fault {
    pub method: &'static str,
    pub kind: Kind,
    /// Calls that go well before.
    pub after: usize,
    /// Calls that go wrong then.
    pub times: usize,
}

impl Fault {
    /// Always.
    pub fn new(method: &'static str, kind: Kind) -> Fault {
        Fault { method, kind, after: 0, times: usize::MAX }
    }

    /// The fault for the next call of a method, if it is one.
    pub fn next(faults: &mut [Fault], method: &str) -> Option<Kind> {
        let fault = faults.iter_mut().find(|fault| fault.method == method && fault.times > 0)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.kind.clone())
    }
}
