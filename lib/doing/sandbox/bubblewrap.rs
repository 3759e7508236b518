//! The words that bubblewrap gets.

use super::{Root, Sandbox};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The arguments, each ended by NUL, as `--args` wants them. `json` is the descriptor for its reports.
pub(super) fn arguments(sandbox: &Sandbox, json: Option<i32>) -> Vec<u8> {
    let mut words = Words::default();
    words.add(&["--unshare-pid", "--die-with-parent"]);
    let root = match &sandbox.root {
        Root::Plain(path) => path.clone(),
        Root::Overlay(overlay) => overlay.base.join(&overlay.mount),
    };
    words.path(if sandbox.read_only { "--ro-bind" } else { "--bind" }, root.into_os_string(), "/");
    for bind in &sandbox.binds {
        words.path("--bind", bind.from.clone().into_os_string(), &bind.to);
    }
    if !sandbox.network {
        words.add(&["--unshare-net"]);
    }
    words.add(&["--unshare-uts", "--hostname", "buildbox", "--unshare-ipc", "--chdir", &sandbox.cwd]);
    let (uid, gid) = (sandbox.uid.to_string(), sandbox.gid.to_string());
    words.add(&["--unshare-user", "--uid", &uid, "--gid", &gid, "--cap-drop", "ALL", "--clearenv"]);
    for (name, value) in &sandbox.environment {
        words.add(&["--setenv", name, value]);
    }
    words.add(&["--proc", "/proc", "--tmpfs", "/tmp", "--dev", "/dev"]);
    if let Some(json) = json {
        words.add(&["--json-status-fd", &json.to_string()]);
    }
    words.0
}

#[derive(Default)]
struct Words(Vec<u8>);

impl Words {
    fn add(&mut self, words: &[&str]) {
        for word in words {
            self.bytes(word.as_bytes());
        }
    }

    fn path(&mut self, option: &str, from: OsString, to: &str) {
        self.bytes(option.as_bytes());
        self.bytes(&from.into_vec());
        self.bytes(to.as_bytes());
    }

    fn bytes(&mut self, word: &[u8]) {
        self.0.extend_from_slice(word);
        self.0.push(0);
    }
}
