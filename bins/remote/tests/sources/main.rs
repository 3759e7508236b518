//! bst-fetch and bst-track against servers of our own, which do what servers do on bad days.

mod fetch;
mod server;
#[path = "../../../../tests/support/mod.rs"]
mod support;
mod track;
