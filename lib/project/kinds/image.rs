//! Kinds of buildstream-plugins-community that make images: x86image, fastboot_bootimg and fastboot_ext4,
//! which are scripts in steps, and tar_element.

use super::layout::{Placed, places};
use super::script::Script;
use super::{Configured, ElementView, Kind, object, texts};
use crate::values::Result;
use crate::values::assembly::{Compression, TarElement};
use crate::values::record::Instructions;
use serde_json::json;

pub const X86: Kind = steps(|view| {
    configure_steps(
        view,
        &[
            "filesystem-tree-setup-commands",
            "filesystem-image-creation-commands",
            "partition-commands",
            "final-commands",
        ],
        true,
    )
});
pub const FASTBOOT_BOOTIMG: Kind =
    steps(|view| configure_steps(view, &["create_dtb", "create_img", "install_img"], false));
pub const FASTBOOT_EXT4: Kind =
    steps(|view| configure_steps(view, &["create_dev_proc_shadow", "create_img", "install_img"], true));
pub const TAR: Kind = Kind::of_build_depends(configure_tar);

const fn steps(configure: fn(&ElementView) -> Result<Configured>) -> Kind {
    Kind { takes_dependency_config: true, ..Kind::of_build_depends(configure) }
}

fn configure_steps(view: &ElementView, steps: &[&str], only: bool) -> Result<Configured> {
    if only {
        view.config.check_keys(steps)?;
    }
    let mut script = Script::new(view)?;
    for step in steps {
        if only && view.config.get(step).is_none() {
            return Err(object(view, format!("\"config\" has no commands \"{step}\"; add them, if need be none: []")));
        }
        script.add(*step, texts(view.config, step)?);
    }
    script.root_read_only = true;
    script.writable.push("/buildstream".to_owned());
    script.placed = inputs(view)?;
    if script.placed.iter().all(|place| !place.is_input) {
        return Err(object(view, "no dependency is the input; give one \"config: {input: True}\""));
    }
    Ok(script.configured())
}

/// The build dependencies: those that say `input` at the build root, others at `/`.
pub fn inputs<'a>(view: &ElementView<'a>) -> Result<Vec<Placed<'a>>> {
    let build_root = view.variables.variable("build-root")?.unwrap_or_default();
    places(view, |dependency, config| {
        if let Some(config) = config {
            config.check_keys(&["input"])?;
            if config.bool("input")?.unwrap_or(false) {
                return Ok(Placed { is_input: true, ..Placed::at(&*build_root, dependency) });
            }
        }
        Ok(Placed::at("/", dependency))
    })
}

fn configure_tar(view: &ElementView) -> Result<Configured> {
    view.config.check_keys(&["filename", "compression"])?;
    let filename = view.config.require_text("filename")?;
    let word = view.config.require_text("compression")?;
    let (compression, extension) = match word {
        "none" => (Compression::None, ".tar"),
        "gzip" => (Compression::Gzip, ".tar.gz"),
        "xz" => (Compression::Xz, ".tar.xz"),
        "bzip2" => (Compression::Bzip2, ".tar.bz2"),
        other => {
            let message =
                format!("expected the compression none, gzip, xz or bzip2, found \"{}\"", other.escape_default());
            return Err(object(view, message));
        }
    };
    let plugin_key = json!({"filename": filename, "compression": word});
    let instructions = Instructions::TarElement(TarElement { compression, filename: format!("{filename}{extension}") });
    Ok(Configured { strict_rebuild: true, ..Configured::new(plugin_key, instructions) })
}
