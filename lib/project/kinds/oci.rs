//! Kind oci of buildstream-plugins-community: container images. Building is left to a helper program.

use super::{Configured, ElementView, Kind, object};
use crate::project::node::{Mapping, Node, Scalar};
use crate::values::record::Instructions;
use crate::values::{Error, Result};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub const KIND: Kind = Kind::new(configure);

const IMAGE_KEYS: [&str; 11] = [
    "parent",
    "layer",
    "architecture",
    "variant",
    "os",
    "os.version",
    "os.features",
    "author",
    "comment",
    "config",
    "annotations",
];
const CONFIG_KEYS: [&str; 7] = ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir"];
const DOCKER_KEYS: [&str; 4] = ["Memory", "MemorySwap", "CpuShares", "Healthcheck"];
const OCI_KEYS: [&str; 2] = ["Labels", "StopSignal"];

fn configure(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    config.check_keys(&["mode", "gzip", "images", "annotations"])?;
    let is_docker = match config.scalar("mode")? {
        None => false,
        Some(mode) => match &*mode.text {
            "docker" => true,
            "oci" => false,
            _ => return Err(mode.expected("\"docker\" or \"oci\"")),
        },
    };
    let gzip = config.bool("gzip")?.unwrap_or(!is_docker);
    if config.get("annotations").is_some() {
        // The released kind reads the list of images in their place, which fails there.
        let message = "\"annotations\" of all images together do not work in BuildStream; give each image its own";
        let place = config.get("images").map_or(config.mark, Node::mark).place();
        return Err(Error::load("invalid-data", message).at(place));
    }
    let image = |node: &Node| image(view, node.mapping()?, is_docker);
    let images = config.require("images")?.list()?.items.iter().map(image).collect::<Result<Vec<_>>>()?;
    let plugin_key = json!({"annotations": null, "gzip": gzip, "images": images});
    Ok(Configured::new(plugin_key, Instructions::Helper { data: Value::Null }))
}

fn image(view: &ElementView, node: &Mapping, is_docker: bool) -> Result<Value> {
    let docker_only: &[&str] = if is_docker { &["tags"] } else { &[] };
    node.check_keys(&[&IMAGE_KEYS, docker_only].concat())?;
    let mut image = Map::new();
    if let Some(parent) = node.mapping("parent")?.filter(|parent| !parent.is_empty()) {
        parent.check_keys(&["element", "image"])?;
        let number = parent.scalar("image")?.map_or(Ok(0), Scalar::int)?;
        image.insert("parent".to_owned(), json!({"element": parent.require_text("element")?, "image": number}));
    }
    node.require_text("architecture")?;
    node.require_text("os")?;
    copy_texts(node, &["architecture", "os", "os.version", "author", "comment"], &mut image)?;
    copy_lists(node, &["layer", "tags", "os.features"], &mut image)?;
    if node.get("os.features").is_some() {
        image.insert("variant".to_owned(), node.require_text("variant")?.into());
    }
    if let Some(config) = node.mapping("config")? {
        image.insert("config".to_owned(), self::config(view, config, is_docker)?);
    }
    if let Some(annotations) = node.mapping("annotations")? {
        let pair = |(key, value): (&Arc<str>, &Node)| Ok((key.to_string(), Value::from(&*value.scalar()?.text)));
        image.insert("annotations".to_owned(), Value::Object(annotations.iter().map(pair).collect::<Result<_>>()?));
    }
    Ok(Value::Object(image))
}

fn config(view: &ElementView, node: &Mapping, is_docker: bool) -> Result<Value> {
    let own: &[&str] = if is_docker { &DOCKER_KEYS } else { &OCI_KEYS };
    node.check_keys(&[&CONFIG_KEYS, own].concat())?;
    if node.get("Labels").is_some() {
        return Err(object(view, "BuildStream itself cannot compute the key of an image with \"Labels\"; remove them"));
    }
    let mut config = Map::new();
    copy_texts(node, &["User", "WorkingDir", "StopSignal"], &mut config)?;
    copy_numbers(node, &["Memory", "MemorySwap", "CpuShares"], &mut config)?;
    copy_lists(node, &["ExposedPorts", "Volumes", "Env", "Entrypoint", "Cmd"], &mut config)?;
    if let Some(check) = node.mapping("Healthcheck")? {
        check.check_keys(&["Test", "Interval", "Timeout", "Retries"])?;
        let mut health = Map::new();
        copy_lists(check, &["Test"], &mut health)?;
        copy_numbers(check, &["Interval", "Timeout", "Retries"], &mut health)?;
        config.insert("Healthcheck".to_owned(), Value::Object(health));
    }
    Ok(Value::Object(config))
}

fn copy_texts(node: &Mapping, keys: &[&str], to: &mut Map<String, Value>) -> Result<()> {
    for key in keys {
        if let Some(text) = node.text(key)? {
            to.insert((*key).to_owned(), text.into());
        }
    }
    Ok(())
}

fn copy_lists(node: &Mapping, keys: &[&str], to: &mut Map<String, Value>) -> Result<()> {
    for key in keys {
        if let Some(texts) = node.texts(key)? {
            to.insert((*key).to_owned(), json!(texts));
        }
    }
    Ok(())
}

fn copy_numbers(node: &Mapping, keys: &[&str], to: &mut Map<String, Value>) -> Result<()> {
    for key in keys {
        if let Some(number) = node.scalar(key)? {
            to.insert((*key).to_owned(), number.int()?.into());
        }
    }
    Ok(())
}
