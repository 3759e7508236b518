//! Names of projects, elements and artifacts.

use super::{Error, Key};
use std::{fmt, str::FromStr};

/// The part of an element's full name that its own project knows: what stands after the last colon
/// (`junction.bst:sub/app.bst` is `sub/app.bst`). Keys and artifacts use it (spec: keys 3.1).
pub fn local_name(element: &str) -> &str {
    element.rsplit_once(':').map_or(element, |(_, local)| local)
}

/// The element part of an artifact's name: `/` becomes `-`, the last extension goes, and what is not
/// in `[0-9A-Za-z._-]` becomes `_` (spec: artifacts 1). `element` may be a full name.
pub fn normal_name(element: &str) -> String {
    let local = local_name(element);
    let stem = match local.rfind('.') {
        // Like os.path.splitext: a leading dot of the last component begins no extension.
        Some(dot) if !local[..dot].is_empty() && !local[..dot].ends_with('/') => &local[..dot],
        _ => local,
    };
    stem.chars()
        .map(|c| match c {
            '/' => '-',
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
            _ => '_',
        })
        .collect()
}

/// Where an artifact is found: `PROJECT/ELEMENT/KEY`, the element in its normal form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ArtifactName {
    project: String,
    element: String,
    key: Key,
}

impl ArtifactName {
    /// The name of an element's artifact; refuses a name that would leave its directory in the store.
    pub fn new(project: &str, element: &str, key: Key) -> Result<ArtifactName, Error> {
        ArtifactName::from_normal(project, &normal_name(element), key)
    }

    /// The same where the element's name has its normal form already.
    pub fn from_normal(project: &str, normal: &str, key: Key) -> Result<ArtifactName, Error> {
        for part in [project, normal] {
            if !is_component(part) {
                return Err(Error::malformed(format!(
                    "\"{}\" cannot be part of an artifact's name, which is PROJECT/ELEMENT/KEY",
                    part.escape_default()
                )));
            }
        }
        Ok(ArtifactName { project: project.to_owned(), element: normal.to_owned(), key })
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The element's normal name.
    pub fn element(&self) -> &str {
        &self.element
    }

    /// The key.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The same element under another key.
    #[must_use]
    pub fn with_key(&self, key: Key) -> ArtifactName {
        ArtifactName { key, ..self.clone() }
    }
}

/// A name that is one component of a path: not empty, no `/`, no NUL, neither `.` nor `..`.
pub fn is_component(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.project, self.element, self.key)
    }
}

impl FromStr for ArtifactName {
    type Err = Error;

    fn from_str(text: &str) -> Result<ArtifactName, Error> {
        let mut parts = text.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(project), Some(element), Some(key), None) => {
                ArtifactName::from_normal(project, element, key.parse()?)
            }
            _ => Err(Error::malformed(format!(
                "\"{}\" is no artifact's name; write PROJECT/ELEMENT/KEY",
                text.escape_default()
            ))),
        }
    }
}

impl serde::Serialize for ArtifactName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ArtifactName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ArtifactName, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_normal_as_in_buildstream() {
        assert_eq!(normal_name("base/root.bst"), "base-root");
        assert_eq!(normal_name("j.bst:a/b c.v1.bst"), "a-b_c.v1");
        assert_eq!(normal_name("a/.bst"), "a-.bst");
    }

    #[test]
    fn names_stay_inside_the_store() {
        let key = Key::new([0; 32]);
        for bad in ["", "..", ".", "a/b", "a\0b"] {
            assert!(ArtifactName::from_normal(bad, "e", key).is_err(), "{bad}");
            assert!(ArtifactName::from_normal("p", bad, key).is_err(), "{bad}");
        }
    }
}
