//! What is passed around: values with a text form, no input or output.

pub mod assembly;
pub mod digest;
pub mod directory;
pub mod error;
pub mod exit;
mod fields;
pub mod glob;
pub mod hex;
pub mod key;
pub mod name;
pub mod proto;
pub mod record;
pub mod result;
#[cfg(test)]
mod schema;
pub mod time;
pub mod transfer;
pub mod yaml;

pub use digest::Digest;
pub use error::{Code, Error, Place, Result};
pub use exit::Exit;
pub use key::Key;
pub use record::Record;
