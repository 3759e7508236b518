//! The text of a key: `HEAD dependencies REST` (spec: keys 3.6).

use super::Subject;
use crate::project::canonical::{list, object, string, value};
use crate::values::record::{Build, Sandbox, Source};
use crate::values::{Key, hex};

/// What every text starts with; the entries of the dependencies follow.
pub const HEAD: &[u8] = b"{\"core-artifact-version\":11,\"dependencies\":[";

/// The entry of a dependency without its key, open at the end.
pub fn pair(subject: Subject) -> Box<[u8]> {
    let mut out = Vec::with_capacity(subject.project.len() + subject.element.len() + 6);
    out.push(b'[');
    string(&mut out, subject.project);
    out.push(b',');
    string(&mut out, subject.element);
    out.into_boxed_slice()
}

/// The entry of a dependency with its key.
pub fn triple(pair: &[u8], key: Key) -> Box<[u8]> {
    [pair, b",\"", &hex::encode(key.bytes()), b"\"]"].concat().into_boxed_slice()
}

/// What follows the dependencies, open at the end; `None` if a source has no ref.
pub fn rest(subject: Subject) -> Option<Vec<u8>> {
    let build = subject.build;
    let mut out = Vec::with_capacity(4096);
    out.extend_from_slice(b"],\"element-base-key\":{\"build-root\":");
    string(&mut out, &build.build_root);
    out.extend_from_slice(b"},\"element-plugin-key\":");
    value(&mut out, &build.plugin_key);
    out.extend_from_slice(b",\"element-plugin-name\":");
    string(&mut out, subject.kind);
    out.extend_from_slice(b",\"element-plugin-version\":");
    number(&mut out, build.plugin_version);
    if build.runs_commands {
        out.extend_from_slice(b",\"environment\":");
        environment(&mut out, build);
    }
    out.extend_from_slice(b",\"fatal-warnings\":");
    list(&mut out, &build.fatal_warnings, |out, text| string(out, text));
    out.extend_from_slice(b",\"public\":");
    value(&mut out, &build.public);
    if build.runs_commands {
        out.extend_from_slice(b",\"sandbox\":");
        sandbox(&mut out, &build.sandbox);
    }
    out.extend_from_slice(b",\"sources\":");
    sources(&mut out, subject.sources)?;
    Some(out)
}

/// The value of `sources`; its hash is the name under which the store keeps an element's staged sources.
/// `None` if one has no ref.
pub fn sources(out: &mut Vec<u8>, sources: &[Source]) -> Option<()> {
    if sources.iter().any(|source| source.unique.is_none()) {
        return None;
    }
    list(out, sources, |out, source| {
        out.push(b'{');
        if let Some(directory) = &source.directory {
            out.extend_from_slice(b"\"directory\":");
            string(out, directory);
            out.push(b',');
        }
        out.extend_from_slice(b"\"key\":");
        if let Some(unique) = &source.unique {
            value(out, unique);
        }
        out.extend_from_slice(b",\"name\":");
        string(out, &source.kind);
        out.push(b'}');
    });
    Some(())
}

fn environment(out: &mut Vec<u8>, build: &Build) {
    let cached = build.environment.iter().filter(|(name, _)| !build.environment_nocache.contains(name));
    object(out, cached, |out, text| string(out, text));
}

fn sandbox(out: &mut Vec<u8>, sandbox: &Sandbox) {
    out.extend_from_slice(b"{\"build-arch\":");
    string(out, &sandbox.build_arch);
    if let Some(gid) = sandbox.build_gid {
        out.extend_from_slice(b",\"build-gid\":");
        number(out, gid.into());
    }
    out.extend_from_slice(b",\"build-os\":");
    string(out, &sandbox.build_os);
    if let Some(uid) = sandbox.build_uid {
        out.extend_from_slice(b",\"build-uid\":");
        number(out, uid.into());
    }
    if let Some(socket) = &sandbox.remote_apis_socket {
        out.extend_from_slice(b",\"remote-apis-socket\":{");
        if socket.action_cache_enable_update {
            out.extend_from_slice(b"\"action-cache-enable-update\":true,");
        }
        out.extend_from_slice(b"\"path\":");
        string(out, &socket.path);
        out.push(b'}');
    }
    out.push(b'}');
}

fn number(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

/// The end of a text that has the weak key in it.
pub fn end(weak: Key) -> Vec<u8> {
    [&b",\"weak-cache-key\":\""[..], &hex::encode(weak.bytes()), b"\"}"].concat()
}
