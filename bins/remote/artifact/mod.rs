//! Artifacts between the store and servers.

pub mod message;
pub mod pull;
pub mod push;
pub mod query;

use bst_plumbing::values::name::ArtifactName;

/// The name under which servers know an artifact.
pub fn uri(name: &ArtifactName) -> String {
    format!("urn:fdc:buildstream.build:2020:artifact:{name}")
}
