//! What the documents say is what the programs do, and the sources keep to the rules of the house.

#[path = "../support/mod.rs"]
mod support;

mod completions;
mod emitted;
mod examples;
mod page;
mod pages;
mod readme;
mod schema;
mod sources;
