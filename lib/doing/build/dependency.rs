//! The artifacts that a build stages.

use crate::store::Store;
use crate::values::record::Staged;
use crate::values::{Code, Digest, Error, Result, name::ArtifactName, name::local_name, proto, yaml};
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// One artifact that is staged: a good one.
pub struct Dependency {
    pub staged: Staged,
    pub files: Digest,
    artifact: proto::Artifact,
    public: OnceCell<Value>,
}

impl Dependency {
    /// Finds the artifact of an element; refuses one that is not there or that failed.
    pub fn find(store: &Store, staged: &Staged) -> Result<Dependency> {
        let name = ArtifactName::new(&staged.project, &staged.element, staged.key)?;
        let label = staged.element.escape_default();
        let artifact = store.artifacts().read(&name)?.ok_or_else(|| {
            Error::not_found(format!("the dependency {label} has no artifact {name} in the store; build it first"))
        })?;
        if !artifact.build_success {
            return Err(Error::new(
                Code::FailedArtifact,
                format!("the dependency {label} is a failed build ({name}): {}", artifact.build_error),
            ));
        }
        let files = artifact.files.as_ref().ok_or_else(|| {
            Error::new(Code::FailedArtifact, format!("the dependency {label} ({name}) was built but has no files"))
        })?;
        let files = Digest::from_proto(files)?;
        Ok(Dependency { staged: staged.clone(), files, artifact, public: OnceCell::new() })
    }

    /// The name of its element in messages.
    pub fn name(&self) -> &str {
        local_name(&self.staged.element)
    }

    /// Its public data as its artifact has it.
    pub fn public(&self, store: &Store) -> Result<&Value> {
        if let Some(public) = self.public.get() {
            return Ok(public);
        }
        let public = self.metadata(store, &self.artifact.public_data)?;
        Ok(self.public.get_or_init(|| public))
    }

    /// A list of texts of its public data in the domain `bst`.
    pub fn public_list(&self, store: &Store, name: &str) -> Result<Vec<String>> {
        let list = self.public(store)?["bst"][name].as_array();
        Ok(list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The environment that its own commands have.
    pub fn environment(&self, store: &Store) -> Result<BTreeMap<String, String>> {
        let meta = self.metadata(store, &self.artifact.low_diversity_meta)?;
        let environment = meta["environment"].as_object();
        let pairs = environment.into_iter().flatten();
        Ok(pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect())
    }

    fn metadata(&self, store: &Store, digest: &Option<proto::Digest>) -> Result<Value> {
        let Some(digest) = digest else { return Ok(Value::Null) };
        let bytes = store.cas().read(&Digest::from_proto(digest)?)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::damaged(format!("the metadata of {} is no UTF-8", self.name().escape_default())))?;
        yaml::parse(&text)
    }
}
