//! The configuration of the sandbox (spec: keys 3.6).

use super::arch;
use super::node::{Mapping, Scalar, excerpt};
use super::settings::Machine;
use crate::values::record::{RemoteApisSocket, Sandbox};
use crate::values::{Error, Result};

/// Reads the composed and expanded `sandbox` of an element; what it does not say is the machine's.
pub fn read(config: &Mapping, machine: &Machine) -> Result<Sandbox> {
    config.check_keys(&["build-uid", "build-gid", "build-os", "build-arch", "remote-apis-socket"])?;
    let set = |key| Ok::<_, Error>(config.scalar(key)?.filter(|scalar| !scalar.text.is_empty()));
    let build_os = set("build-os")?.map_or(machine.os.to_lowercase(), |scalar| scalar.text.to_lowercase());
    let build_arch = match set("build-arch")? {
        Some(scalar) => architecture(&scalar.text).ok_or_else(|| unknown(&scalar.text).at(scalar.mark.place()))?,
        None => architecture(&machine.arch).ok_or_else(|| unknown(&machine.arch))?,
    };
    Ok(Sandbox {
        build_arch,
        build_gid: config.scalar("build-gid")?.map(id).transpose()?,
        build_os,
        build_uid: config.scalar("build-uid")?.map(id).transpose()?,
        remote_apis_socket: config
            .mapping("remote-apis-socket")?
            .filter(|it| !it.is_empty())
            .map(socket)
            .transpose()?,
    })
}

fn architecture(name: &str) -> Option<String> {
    arch::canonical(name).map(str::to_owned)
}

fn unknown(name: &str) -> Error {
    Error::load("invalid-data", format!("\"{}\" is no architecture that BuildStream knows", excerpt(name)))
}

fn id(scalar: &Scalar) -> Result<u32> {
    u32::try_from(scalar.int()?).map_err(|_| scalar.expected("the number of a user or a group"))
}

fn socket(config: &Mapping) -> Result<RemoteApisSocket> {
    config.check_keys(&["path", "action-cache-enable-update"])?;
    Ok(RemoteApisSocket {
        action_cache_enable_update: config.bool("action-cache-enable-update")?.unwrap_or(false),
        path: config.require_text("path")?.to_owned(),
    })
}
