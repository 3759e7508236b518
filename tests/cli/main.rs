//! One file a program: each test runs the real program in a place of its own.

#[path = "../support/mod.rs"]
mod support;

mod at_once;
mod build;
mod cache_query;
mod cat;
mod checkout;
mod completions;
mod diff;
mod fsck;
mod gc;
mod key;
mod kinds;
mod log;
mod plumbing;
mod rm;
mod schedule;
mod shell;
mod show;
mod stock;
