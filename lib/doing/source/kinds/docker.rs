//! Kind `docker`: an image of a registry, its layers one over the other.

use super::super::archive::layers;
use super::super::config;
use super::super::original::{Download, Original};
use super::super::tree::Tree;
use super::{Kind, publish};
use crate::store::{Store, fs};
use crate::values::{Code, Digest, Error, Result, hex, record::Source};
use serde_json::Value;

pub(super) struct Docker;

/// What manifests a registry may send.
pub const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json,\
     application/vnd.docker.distribution.manifest.list.v2+json,application/vnd.oci.image.index.v1+json,\
     application/vnd.oci.image.manifest.v1+json";

/// No manifest is larger.
const LARGEST: usize = 1 << 24;

impl Kind for Docker {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        let manifest = manifest(source, store)?;
        let mut originals = vec![Original::File(manifest.clone())];
        // The layers are known when the manifest is there.
        if manifest.path.is_file() {
            originals.extend(layers_of(source, store, &manifest)?.into_iter().map(Original::File));
        }
        Ok(originals)
    }

    fn stage(&self, source: &Source, store: &Store, _before: &Digest) -> Result<Digest> {
        let manifest = manifest(source, store)?;
        manifest.open()?;
        let cas = store.cas();
        let batch = cas.batch()?;
        let mut buffer = Vec::new();
        let mut layers = Vec::new();
        for layer in layers_of(source, store, &manifest)? {
            layer.open()?;
            let mut sink = |content: &mut dyn std::io::Read| batch.put_reader_with(content, &mut buffer);
            let (digest, content) = layers::read(&layer.path, &mut sink)?;
            layer.verify(&digest)?;
            layers.push(content?);
        }
        batch.finish()?;
        let mut tree = Tree::default();
        for layer in layers::trees(layers)? {
            tree.import(&cas, &publish(&layer, store)?)?;
        }
        publish(&tree, store)
    }
}

/// Where the registry has something of the image.
fn urls(source: &Source, kind: &str, digest: &str) -> Vec<String> {
    let image = config::text(source, "image");
    let of = |url: &String| {
        let (registry, image) = match image {
            Some(image) => (url.trim_end_matches('/'), image),
            // The image is the path of the URL.
            None => {
                let host = url.find("://").map_or(0, |at| at + 3);
                url.split_at(url[host..].find('/').map_or(url.len(), |at| host + at))
            }
        };
        format!("{registry}/v2/{}/{kind}/{digest}", image.trim_matches('/'))
    };
    source.urls.iter().map(of).collect()
}

fn download(source: &Source, store: &Store, kind: &str, digest: &str, suffix: &str) -> Result<Download> {
    let sha256 = digest.strip_prefix("sha256:").filter(|sha256| hex::decode(sha256.as_bytes()).is_some());
    let sha256 = sha256.ok_or_else(|| {
        Error::malformed(format!("expected sha256: and 64 hexadecimal digits, found \"{}\"", digest.escape_default()))
    })?;
    Ok(Download {
        urls: urls(source, kind, digest),
        sha256: sha256.to_owned(),
        path: store.sources().directory(&source.kind)?.join(format!("{digest}{suffix}")),
        accept: (kind == "manifests").then_some(MANIFESTS),
    })
}

fn manifest(source: &Source, store: &Store) -> Result<Download> {
    download(source, store, "manifests", &format!("sha256:{}", config::reference(source)?), ".manifest.json")
}

fn layers_of(source: &Source, store: &Store, manifest: &Download) -> Result<Vec<Download>> {
    let bytes = fs::read_if_there(&manifest.path)?.unwrap_or_default();
    manifest.verify(&Digest::of(&bytes))?;
    let broken = |what: &str| Error::new(Code::Source, format!("the manifest of the image {what}"));
    let value: Option<Value> = (bytes.len() <= LARGEST).then(|| serde_json::from_slice(&bytes).ok()).flatten();
    let layers = value.as_ref().and_then(|value| value.get("layers")?.as_array());
    let layers = layers.ok_or_else(|| broken("has no layers: it is not that of a single image"))?;
    let mut downloads = Vec::new();
    for layer in layers {
        let text = |name: &str| layer.get(name).and_then(Value::as_str).unwrap_or_default();
        let known =
            ["application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"];
        if !known.contains(&text("mediaType")) {
            return Err(broken(&format!("has a layer of type \"{}\"", text("mediaType").escape_default())));
        }
        downloads.push(download(source, store, "blobs", text("digest"), ".tar.gz")?);
    }
    Ok(downloads)
}
