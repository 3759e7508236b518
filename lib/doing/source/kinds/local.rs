//! Kind `local`: a file or a directory of the project.

use super::super::config;
use super::Kind;
use crate::store::{Store, cas::Cas};
use crate::values::{Code, Digest, Error, Result, directory, proto, record::Source};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub(super) struct Local;

impl Kind for Local {
    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let path = Path::new(source.base.as_deref().unwrap_or("/")).join(config::need(source, "path")?);
        let meta = std::fs::symlink_metadata(&path).map_err(|error| Error::io("cannot read", &path, error))?;
        if meta.is_dir() { store_directory(&store.cas(), &path) } else { store_single(&store.cas(), &path) }
    }
}

fn store_single(cas: &Cas, path: &Path) -> Result<Digest> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let mut message = proto::Directory::default();
    message.files.push(store_file(cas, path, name, 0o111)?);
    cas.put(&directory::encode(&message))
}

fn store_file(cas: &Cas, path: &Path, name: String, bits: u32) -> Result<proto::FileNode> {
    let failed = |error| Error::io("cannot read", path, error);
    let bytes = std::fs::read(path).map_err(failed)?;
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    let digest = cas.put(&bytes)?;
    Ok(proto::FileNode {
        name,
        digest: Some(digest.to_proto()),
        is_executable: mode & bits != 0,
        node_properties: None,
    })
}

fn store_directory(cas: &Cas, path: &Path) -> Result<Digest> {
    let failed = |error| Error::io("cannot read", path, error);
    let mut message = proto::Directory::default();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| Error::new(Code::Source, format!("{}: the name is no UTF-8", path.join(name).display())))?;
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            let digest = Some(store_directory(cas, &path)?.to_proto());
            message.directories.push(proto::DirectoryNode { name, digest });
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&path).map_err(failed)?;
            let target = target
                .into_os_string()
                .into_string()
                .map_err(|_| Error::new(Code::Source, format!("{}: the link's target is no UTF-8", path.display())))?;
            message.symlinks.push(proto::SymlinkNode { name, target, node_properties: None });
        } else if kind.is_file() {
            message.files.push(store_file(cas, &path, name, 0o100)?);
        }
    }
    directory::sort(&mut message);
    cas.put(&directory::encode(&message))
}
