//! Kind `go_module`: a module of Go in `vendor`, and what `vendor/modules.txt` says of it.

use super::super::config;
use super::super::git::{Mirror, Style};
use super::super::original::Original;
use super::super::tree::{Entry, Tree};
use super::{Kind, publish};
use crate::store::Store;
use crate::values::{Code, Digest, Error, Result, directory, record::Source};
use std::collections::HashMap;

pub(super) struct GoModule;

impl GoModule {
    fn mirror(source: &Source, store: &Store) -> Result<Mirror> {
        let url = config::url(source)?;
        Ok(Mirror {
            path: super::exact_mirror(store, &source.kind, url)?,
            single: None,
            url: url.to_owned(),
            urls: source.urls.clone(),
            reference: config::reference_text(source, "git-ref")?.to_owned(),
            style: Style::Exact,
            nested: false,
        })
    }
}

impl Kind for GoModule {
    fn originals(&self, source: &Source, store: &Store) -> Result<Vec<Original>> {
        Ok(vec![Original::Git(Self::mirror(source, store)?)])
    }

    fn changes_previous(&self) -> bool {
        true
    }

    fn stage(&self, source: &Source, store: &Store, before: &Digest) -> Result<Digest> {
        let mirror = Self::mirror(source, store)?;
        let module = config::need(source, "module")?;
        let version = config::reference_text(source, "go-version")?;
        let cas = store.cas();
        let batch = cas.batch()?;
        let mut repository = mirror.tree(&mirror.need_commit()?, &batch)?;
        batch.finish()?;
        let subdirectory = config::reference_text(source, "subdirectory").unwrap_or_default();
        let mut files = repository
            .take(subdirectory)
            .ok_or_else(|| broken(format!("the module {module} has no directory {subdirectory}")))?;
        if let Some(major) = major(version).filter(|major| *major >= 2) {
            if let Some(versioned) = files.take(&format!("v{major}")) {
                files = versioned;
            }
        }
        let mut tree = Tree::load(&cas, before)?;
        let files = publish(&files, store)?;
        tree.open(&cas, &format!("vendor/{module}"))?.import(&cas, &files)?;

        let go_mod =
            tree.text(&cas, "go.mod")?.ok_or_else(|| broken("the sources before have no go.mod".to_owned()))?;
        let listed = parse_go_mod(&go_mod)?;
        let mut list = tree.text(&cas, "vendor/modules.txt")?.unwrap_or_default();
        list += &entry(&mut tree, store, module, version, &listed)?;
        let digest = cas.put(list.as_bytes())?;
        let name = "modules.txt".to_owned();
        tree.open(&cas, "vendor")?.insert(name.clone(), Entry::file(name, &digest, false));
        publish(&tree, store)
    }
}

/// What a `go.mod` asks for.
struct Listed {
    explicit: Vec<String>,
    /// What stands in for what: the replacement to the replaced.
    replaced: HashMap<(String, String), (String, String)>,
}

/// Reads a `go.mod` as BuildStream's plugin does: by words, not by its grammar.
fn parse_go_mod(text: &str) -> Result<Listed> {
    let mut listed = Listed { explicit: Vec::new(), replaced: HashMap::new() };
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.len() > 1 && words[1].starts_with('v') {
            listed.explicit.push(words[0].to_owned());
        }
        if words.len() > 3 && words[0] == "replace" {
            let [_, from, version, _, to, to_version] = words[..] else {
                return Err(broken(format!("go.mod replaces in a way that cannot be staged: {}", line.trim())));
            };
            let (to, from) = ((to.to_owned(), to_version.to_owned()), (from.to_owned(), version.to_owned()));
            listed.replaced.insert(to, from);
        }
    }
    Ok(listed)
}

/// The lines of `modules.txt` for a module.
fn entry(tree: &mut Tree, store: &Store, module: &str, version: &str, listed: &Listed) -> Result<String> {
    let cas = store.cas();
    let this = (module.to_owned(), version.to_owned());
    let (original, original_version) = listed.replaced.get(&this).unwrap_or(&this).clone();
    let place = format!("vendor/{original}");
    let go_mod = tree.text(&cas, &format!("{place}/go.mod"))?;
    let directive = go_mod.as_deref().and_then(|text| text.lines().find(|line| line.starts_with("go ")));
    let mut lines = String::new();
    if listed.explicit.contains(&original) {
        lines += &if (original.as_str(), original_version.as_str()) == (module, version) {
            format!("# {module} {version}\n")
        } else {
            format!("# {original} {original_version} => {module} {version}\n")
        };
        lines += &directive.map_or("## explicit\n".to_owned(), |directive| format!("## explicit; {directive}\n"));
    } else {
        lines += &format!("# {module}\n");
    }
    let digest = publish(tree, store)?;
    if let Ok(crate::store::tree::Node::Directory(digest)) = crate::store::tree::find(&cas, &digest, &place) {
        packages(&cas, &digest, &original, &mut lines)?;
    }
    Ok(lines)
}

/// The directories with code, in order.
fn packages(cas: &crate::store::cas::Cas, digest: &Digest, path: &str, lines: &mut String) -> Result<()> {
    let message = crate::store::tree::read_directory(cas, digest)?;
    let links = message.symlinks.iter().map(|node| &node.name);
    let mut files = message.files.iter().map(|node| &node.name).chain(links);
    if files.any(|name| name == "go.mod" || name.ends_with(".go")) {
        *lines += &format!("{path}\n");
    }
    for node in message.directories.iter().filter(|node| node.name != ".git") {
        packages(cas, &directory::node_digest(&node.digest, &node.name)?, &format!("{path}/{}", node.name), lines)?;
    }
    Ok(())
}

/// The major number of a version `vMAJOR.MINOR.PATCH`, with or without what may follow.
fn major(version: &str) -> Option<u64> {
    let rest = version.strip_prefix('v')?;
    let (core, tail) = rest.split_at(rest.find(['-', '+']).unwrap_or(rest.len()));
    let mut numbers = core.split('.').map(|number| {
        let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        (plain && (number == "0" || !number.starts_with('0'))).then(|| number.parse::<u64>().ok())?
    });
    let major = numbers.next()??;
    let complete = numbers.next()?.is_some() && numbers.next()?.is_some() && numbers.next().is_none();
    let (pre, metadata) = tail.split_once('+').map_or((tail, None), |(pre, metadata)| (pre, Some(metadata)));
    let words = |text: &str| {
        text.split('.').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    };
    let fine = pre.strip_prefix('-').map_or(pre.is_empty(), words) && metadata.is_none_or(words);
    (complete && fine).then_some(major)
}

fn broken(message: String) -> Error {
    Error::new(Code::Source, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_a_major_number() {
        for (version, expected) in [
            ("v2.0.1", Some(2)),
            ("v12.3.4-rc.1", Some(12)),
            ("v2.0.0+incompatible", Some(2)),
            ("v0.0.0-20191109021931-daa7c04131f5", Some(0)),
            ("v2.0", None),
            ("v02.0.0", None),
            ("2.0.0", None),
        ] {
            assert_eq!(major(version), expected, "{version}");
        }
    }

    #[test]
    fn go_mod_is_read_by_words() {
        let text =
            "module m\ngo 1.20\nrequire (\n\ta.b/c v1.2.3\n\td v0.1.0 // indirect\n)\nreplace d v0.1.0 => e v9.0.0\n";
        let listed = parse_go_mod(text).unwrap();
        assert_eq!(listed.explicit, ["a.b/c", "d"]);
        assert_eq!(listed.replaced[&("e".into(), "v9.0.0".into())], ("d".into(), "v0.1.0".into()));
        assert!(parse_go_mod("replace d => ../local x y\nreplace d => e v1\n").is_err());
    }
}
