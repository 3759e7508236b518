//! What the environment says: where the store and programs are, what the user configured, what machine this is.

use crate::project::plugins::python::Hints;
use crate::project::settings::Machine;
use crate::project::userconfig::UserConfig;
use crate::store::Store;
use crate::values::{Error, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The store: `$BST_STORE`, else `cachedir` of the user's buildstream.conf, else the place where BuildStream
/// keeps its cache.
pub fn store_root() -> Result<PathBuf> {
    match variable("BST_STORE") {
        Some(path) => Ok(path),
        None => store_of(&user_config(None)?),
    }
}

/// The store, where the user's configuration is at hand.
pub fn store_of(config: &UserConfig) -> Result<PathBuf> {
    match variable("BST_STORE").or_else(|| config.directories.cache.clone()) {
        Some(path) => Ok(path),
        None => Ok(home_dir("XDG_CACHE_HOME", ".cache")?.join("buildstream")),
    }
}

/// The store with the user's directory for downloads of sources, `sourcedir` of buildstream.conf.
pub fn store_with_downloads(config: &UserConfig) -> Result<Store> {
    let downloads = if variable("BST_STORE").is_none() { config.directories.source.clone() } else { None };
    Ok(Store::new(store_of(config)?).with_downloads(downloads))
}

/// The user's configuration: a file that was named, else `buildstream2.conf` or `buildstream.conf` of
/// `$XDG_CONFIG_HOME`, else none.
pub fn user_config(file: Option<&Path>) -> Result<UserConfig> {
    if let Some(file) = file {
        return UserConfig::load(file, &expand);
    }
    let Ok(directory) = home_dir("XDG_CONFIG_HOME", ".config") else { return Ok(UserConfig::default()) };
    let found = ["buildstream2.conf", "buildstream.conf"].map(|name| directory.join(name));
    match found.iter().find(|path| path.exists()) {
        Some(path) => UserConfig::load(path, &expand),
        None => Ok(UserConfig::default()),
    }
}

/// The machine, as `uname` and the scheduler describe it.
pub fn machine() -> Machine {
    let uname = rustix::system::uname();
    let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
    let cpus = rustix::thread::sched_getaffinity(None).map(|set| set.count() as usize);
    Machine { os: text(uname.sysname()), arch: text(uname.machine()), processors: cpus.unwrap_or(1).max(1) }
}

/// Where Python packages may be: `$BST_PLUGIN_PATH`, `$VIRTUAL_ENV`, the environments of programs, and where
/// pipx and uv install programs. `$BST_VENV`, or `real-bst` in the user's cache, is the BuildStream that this
/// suite is compared with.
pub fn python() -> Hints {
    let home = |path: &str| variable("HOME").map(|home| home.join(path));
    let compared = variable("BST_VENV").or_else(|| Some(home_dir("XDG_CACHE_HOME", ".cache").ok()?.join("real-bst")));
    let installers = [".local/share/pipx/venvs", ".local/pipx/venvs", ".local/share/uv/tools"].map(home);
    let paths = |name| std::env::var_os(name).map(|value| std::env::split_paths(&value).collect()).unwrap_or_default();
    Hints {
        configured: paths("BST_PLUGIN_PATH"),
        virtual_env: variable("VIRTUAL_ENV"),
        programs: paths("PATH"),
        home: variable("HOME"),
        installed: installers.into_iter().flatten().chain(compared).collect(),
    }
}

/// Where helper programs of kinds are looked for: `$BST_HELPER_PATH`, the search path, and what is installed with
/// this program, or lies in the source tree that it was built in.
pub fn helper_directories() -> Vec<PathBuf> {
    let paths = |name| std::env::var_os(name).map(|value| std::env::split_paths(&value).collect::<Vec<_>>());
    let mut directories: Vec<PathBuf> = ["BST_HELPER_PATH", "PATH"].into_iter().filter_map(paths).flatten().collect();
    let program = std::env::current_exe().ok();
    if let Some(bin) = program.as_deref().and_then(Path::parent) {
        directories.push(bin.join("../share/bst-plumbing/helpers"));
        directories.push(bin.join("../../share/helpers"));
    }
    directories.retain(|directory| directory.is_absolute());
    directories
}

/// A path with `~` and environment variables replaced, as a shell would.
pub fn expand(text: &str) -> String {
    let home = variable("HOME").map(|home| home.to_string_lossy().into_owned());
    let text = match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home + rest,
        _ => text.to_owned(),
    };
    let mut out = String::new();
    let mut rest = &*text;
    while let Some(start) = rest.find('$') {
        out += &rest[..start];
        let behind = &rest[start + 1..];
        let (name, length) = match behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
                (&behind[..end], end)
            }
        };
        match named(name) {
            Some(value) => out += &value,
            None => out += &rest[start..start + 1 + length],
        }
        rest = &behind[length..];
    }
    out + rest
}

/// A variable in a path. Those of the XDG specification have defaults.
fn named(name: &str) -> Option<String> {
    let below_home = match name {
        "XDG_CACHE_HOME" => Some(".cache"),
        "XDG_CONFIG_HOME" => Some(".config"),
        "XDG_DATA_HOME" => Some(".local/share"),
        _ => None,
    };
    let path = match below_home {
        Some(below) => home_dir(name, below).ok(),
        None if name.is_empty() => None,
        None => std::env::var_os(name).map(PathBuf::from),
    };
    path.map(|path| path.to_string_lossy().into_owned())
}

/// What a shell should know of the user's terminal.
pub fn terminal() -> Vec<(String, String)> {
    if !rustix::termios::isatty(rustix::stdio::stdin()) {
        return Vec::new();
    }
    std::env::var("TERM").into_iter().map(|term| ("TERM".to_owned(), term)).collect()
}

/// The name of this machine.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What is made from now on has the modes that BuildStream's builds see, whatever the user's mask is.
pub fn set_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// The user's home, where `.netrc` is.
pub fn home() -> Option<PathBuf> {
    variable("HOME")
}

/// A variable that is set and not empty, as a path.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn home_dir(name: &str, below_home: &str) -> Result<PathBuf> {
    variable(name).or_else(|| Some(variable("HOME")?.join(below_home))).ok_or_else(|| {
        Error::usage(format!("neither {name} nor HOME is set; set BST_STORE to the directory of the store"))
    })
}

/// The file of a program: what has a slash is a path, anything else is on the search path.
pub fn find_program(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let name = name.as_ref();
    let path = Path::new(name);
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(path.to_owned()).filter(|path| is_program(path));
    }
    let search = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&search).map(|directory| directory.join(path)).find(|path| is_program(path))
}

/// Whether a path is a file that may be executed.
pub fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_expanded_as_a_shell_would() {
        let home = std::env::var("HOME").expect("HOME");
        assert_eq!(expand("~/a"), format!("{home}/a"));
        assert_eq!(expand("/x/$HOME/${HOME}y"), format!("/x/{home}/{home}y"));
        for same in ["/a~b", "~other/x", "$", "a$/b", "${UNSET_X_Y", "$UNSET_X_Y/z", "a$$b"] {
            assert_eq!(expand(same), same);
        }
    }
}
