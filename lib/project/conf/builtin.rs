//! What is built in: the defaults of every project, and of the core kinds.

use crate::project::mark::{File, Mark};
use crate::project::node::Mapping;
use crate::project::yaml;
use std::sync::LazyLock;

static PROJECT: LazyLock<Mapping> = LazyLock::new(|| read(include_str!("defaults.yaml")));

static COMPOSE: LazyLock<Mapping> =
    LazyLock::new(|| read("config: {integrate: True, include: [], exclude: [], include-orphans: True}"));

static FILTER: LazyLock<Mapping> =
    LazyLock::new(|| read("config: {include: [], exclude: [], include-orphans: False, pass-integration: False}"));

static IMPORT: LazyLock<Mapping> = LazyLock::new(|| read("config: {source: /, target: /}"));

static MANUAL: LazyLock<Mapping> = LazyLock::new(|| {
    read(
        "config: {configure-commands: [], build-commands: [], install-commands: [], \
         strip-commands: [\"%{strip-binaries}\"]}",
    )
});

static SCRIPT: LazyLock<Mapping> =
    LazyLock::new(|| read("variables: {cwd: /}\nconfig: {root-read-only: False, commands: []}"));

/// What every project starts from.
pub fn project() -> Mapping {
    PROJECT.clone()
}

/// The defaults of a core kind of element, which may have none.
pub fn element(kind: &str) -> Option<Mapping> {
    Some(match kind {
        "compose" => COMPOSE.clone(),
        "filter" => FILTER.clone(),
        "import" => IMPORT.clone(),
        "manual" => MANUAL.clone(),
        "script" => SCRIPT.clone(),
        _ => return None,
    })
}

/// The texts above are YAML, which a test checks; no file of the user's wrote them.
fn read(text: &str) -> Mapping {
    let mut mapping = yaml::parse(text, File::NONE).unwrap_or_else(|_| Mapping::empty());
    mapping.mark = Mark::synthetic();
    mapping
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_yaml() {
        assert_eq!(project().entries.len(), 10);
        assert_eq!(project().mapping("variables").ok().flatten().map(|variables| variables.entries.len()), Some(20));
        for kind in ["compose", "filter", "import", "manual", "script"] {
            assert!(element(kind).is_some_and(|defaults| defaults.get("config").is_some()), "{kind}");
        }
        assert!(element("stack").is_none());
    }
}
