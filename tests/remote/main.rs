//! The programs that talk to the network, against a server in memory that can be told to misbehave.

#[path = "../cli/stock.rs"]
#[allow(dead_code)]
mod stock;
#[path = "../support/mod.rs"]
mod support;

mod configuration;
mod credentials;
mod execution;
mod faults;
mod goods;
mod proxy;
mod pull;
mod push;
mod server;
mod sources;
