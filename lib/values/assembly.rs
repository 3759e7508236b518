//! What building does for kinds that put files together themselves, with no commands or few: fields of
//! `record::Instructions`. Each says all that building needs apart from the artifacts of what is staged.

use super::record::{Layout, is_false};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `flatpak_image`: the content of a flatpak.
///
/// Every entry of `layout` is staged at its location with what it needs to run, locations in order, nothing
/// integrated; at `/buildstream/allfiles` only what `include` and `exclude` take, orphans included. Then
/// `command`, if there is one, runs in `/` with a read-only root in which `/buildstream/allfiles` and
/// `/buildstream/install` can be written to. Then the artifact's files, `/buildstream/install`, get:
/// `files/`; `export/` if `form` is `application`; `files/DIR/` for each of `extensions`; in `files/` the
/// content of `/buildstream/allfiles` + `directory`, if that is there; if `form` is `runtime`, in `files/etc/`
/// the content of `/buildstream/allfiles/etc`, if that is there; and the file `metadata`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlatpakImage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    pub directory: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    pub form: FlatpakForm,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layout: Vec<Layout>,
    /// The text of the file, mode 0644.
    pub metadata: String,
}

/// What a flatpak is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FlatpakForm {
    Application,
    Runtime,
    RuntimeExtension,
}

/// `snap_image`: the content of a snap.
///
/// Everything of `stage` is staged at `/`, split as `include`, `exclude` and `include_orphans` say, nothing
/// integrated. The file `directory`/meta/snap.yaml gets the text `metadata`. The artifact's files are those of
/// `directory`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SnapImage {
    pub directory: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    #[serde(default)]
    pub include_orphans: bool,
    pub metadata: String,
}

/// `collect_integration`: a script of all integration commands.
///
/// Nothing is staged. The artifact's files are the one executable file `script`: the lines `#!/bin/sh` and
/// `set -e`, an empty line, and for each element of `stage` in order whose name in its project is not in
/// `ignore` and whose artifact's public data has `bst.integration-commands`: a line
/// `# integration commands from NAME`, then each command followed by an empty line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CollectIntegration {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    pub script: String,
}

/// `collect_manifest`: which sources everything below is made of.
///
/// Nothing is staged. For each element of `stage` in order there is an entry: its name, what its public data
/// says under `cpe`, and its sources, which `stage` carries for this kind. An element whose artifact's public
/// data has `cpe-manifest` (the result of another collect_manifest) gives the entries of that instead. The
/// entries become the public data `cpe-manifest` and, with `source_provenance`, `source-info-manifest` of the
/// artifact, and the file `path`, if there is one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CollectManifest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub source_provenance: bool,
    /// The file is an SPDX document with this; absent, it is like a manifest of flatpak-builder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spdx: Option<Spdx>,
}

/// The header of an SPDX document.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spdx {
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creators: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_license: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `check_forbidden`: fails if something is in the build scope that must not be there.
///
/// Nothing is staged and the artifact has no files. Elements that were found make it fail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckForbidden {
    /// For each that was found the way to it: names of elements, from a direct dependency to the forbidden one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Vec<String>>,
}

/// `tar_element`: everything below as one archive.
///
/// Everything of `stage` is staged at `/`, nothing integrated. The artifact's files are the one file
/// `filename`, an archive of that: entries in order of their paths, owner 0, BuildStream's fixed time, members
/// as Python's tarfile writes them (PAX format).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TarElement {
    pub compression: Compression,
    /// With its extension.
    pub filename: String,
}

/// How an archive is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    None,
    Gzip,
    Xz,
    Bzip2,
}

/// A source as `collect_manifest` reports it, an entry of `stage` of such an element: what BuildStream calls a
/// SourceInfo.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct SourceInfo {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra_data: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_tracker: Option<String>,
    pub kind: String,
    pub medium: String,
    pub url: String,
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_guess: Option<String>,
    pub version_type: String,
}
