//! How sources become trees, compared with what BuildStream made of the same ones.

mod archives;
mod bombs;
mod kinds;
