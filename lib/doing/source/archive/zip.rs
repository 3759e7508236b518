//! Reads zip archives. They have files and directories, and no file is executable: that is how BuildStream's
//! plugins unpack them.

use super::super::tree::Tree;
use super::Sink;
use super::scene::Scene;
use crate::values::{Code, Digest, Error, Result, glob::Glob};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};

/// What the files of one archive may be together: beyond it, it is a bomb.
const LARGEST: u64 = 1 << 40;

/// A member: its name, and for a file its content. The name of a directory ends with `/`.
pub(super) struct Member {
    pub(super) name: String,
    content: Option<Digest>,
}

/// Reads all members, and hands the content of the files to `sink`.
pub(super) fn read(file: File, sink: Sink) -> Result<Vec<Member>> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let mut members = Vec::new();
    let mut total: u64 = 0;
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(broken)?;
        let name = member.name().split('\0').next().unwrap_or_default().to_owned();
        let content = if name.ends_with('/') {
            None
        } else {
            let size = member.size();
            total = total.saturating_add(size);
            if total > LARGEST {
                return Err(broken("its files are more than 1 TiB"));
            }
            // One byte more would show that the size is wrong.
            let digest = sink(&mut member.take(size.saturating_add(1))).map_err(|error| broken(error.message()))?;
            if digest.size() != size {
                return Err(broken("a file of it has another size than it says"));
            }
            Some(digest)
        };
        members.push(Member { name, content });
    }
    Ok(members)
}

/// The directory that a pattern selects: the first match in the order of names.
pub(super) fn base_directory(members: &[Member], pattern: &str) -> Result<String> {
    let glob = Glob::new(pattern);
    let names: HashSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut candidates: Vec<&str> = Vec::new();
    for member in members {
        let name = member.name.as_str();
        if name.ends_with('/') {
            candidates.extend((name != "./").then_some(name));
        } else {
            let above = name.match_indices('/').map(|(at, _)| &name[..at]);
            candidates.extend(above.filter(|above| *above != "." && !names.contains(above)));
        }
    }
    candidates.into_iter().filter(|name| glob.matches(name)).min().map(str::to_owned).ok_or_else(|| {
        Error::new(
            Code::Source,
            format!("the archive has no directory that matches base-dir \"{}\"", pattern.escape_default()),
        )
    })
}

/// Leaves only what is below a directory, and names it from there.
pub(super) fn below(members: Vec<Member>, directory: &str) -> Vec<Member> {
    let directory = if directory.ends_with('/') { directory.to_owned() } else { format!("{directory}/") };
    let stripped = members.into_iter().filter_map(|member| {
        let name = member.name.strip_prefix(&directory).filter(|name| !name.is_empty())?.to_owned();
        Some(Member { name, ..member })
    });
    stripped.collect()
}

/// Leaves the topmost directory of each name out, and what is in none.
pub(super) fn below_top(members: Vec<Member>) -> Vec<Member> {
    let stripped = members.into_iter().filter_map(|member| {
        let name = member.name.split_once('/').map(|(_, name)| name)?;
        let name = if name.is_empty() { "/".to_owned() } else { name.to_owned() };
        Some(Member { name, ..member })
    });
    stripped.collect()
}

/// Puts the members where they belong. `..` in a name means nothing.
pub(super) fn unpack(members: &[Member]) -> Result<Tree> {
    let mut scene = Scene::new();
    for member in members {
        let names: Vec<&str> = member.name.split('/').filter(|name| !matches!(*name, "" | "." | "..")).collect();
        let path = names.join("/");
        let outcome = match member.content {
            None => scene.directory(&path),
            Some(digest) => scene.file(&path, digest, false),
        };
        outcome.map_err(|refused| {
            broken(format!("its member \"{}\" cannot be unpacked: {refused}", member.name.escape_debug()))
        })?;
    }
    Ok(scene.into_tree())
}

fn broken(what: impl std::fmt::Display) -> Error {
    Error::new(Code::Source, format!("the archive is broken: {what}"))
}
