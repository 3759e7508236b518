//! What the documents say is what the programs do, and the sources keep to the rules of the house.

#[path = "../support/mod.rs"]
mod support;

mod completions;
mod page;
mod pages;
mod schema;
mod sources;
