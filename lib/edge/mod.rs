//! The command line. Only here the environment is read and something is printed.

pub mod ask;
pub mod cli;
pub mod colour;
pub mod difference;
pub mod environment;
pub mod long;
pub mod pipe;
pub mod schedule;
pub mod selection;
pub mod shell;
pub mod show;
pub mod sibling;
pub mod signals;
pub mod size;
pub mod words;
