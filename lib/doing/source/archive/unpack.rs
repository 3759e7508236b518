//! Unpacks members one after the other, each as it is on what the ones before it left.
//!
//! A link that cannot be made becomes a copy of the member that it refers to, if the archive has it; else it
//! is left out. A hard link to nothing, and everything that leads outside, make the archive unusable.

use super::super::tree::Tree;
use super::member::{Kind, Member, normal};
use super::scene::{Refused, Scene};
use crate::values::{Code, Error, Result};

/// Links that stand for links: more is a circle.
const MOST_COPIES: usize = 16;

/// Unpacks those members that are selected.
pub(super) fn unpack(members: &[Member], selected: &[bool]) -> Result<Tree> {
    let mut unpacker = Unpacker { members, scene: Scene::new() };
    for (index, member) in members.iter().enumerate() {
        if selected.get(index) == Some(&true) && member.kind != Kind::Device {
            unpacker.member(index).map_err(|refused| {
                let path = String::from_utf8_lossy(&member.path);
                Error::new(
                    Code::Source,
                    format!("the archive's member \"{}\" cannot be unpacked: {refused}", path.escape_debug()),
                )
            })?;
        }
    }
    Ok(unpacker.scene.into_tree())
}

struct Unpacker<'a> {
    members: &'a [Member],
    scene: Scene,
}

impl Unpacker<'_> {
    fn member(&mut self, index: usize) -> Result<(), Refused> {
        let member = &self.members[index];
        let path = text(&member.path)?.trim_start_matches('/');
        let at_root = self.scene.check(path)?;
        match &member.kind {
            Kind::HardLink(target) => {
                let target = text(target)?;
                if target.starts_with('/') {
                    return Err(Refused::AbsoluteLink);
                }
                if at_root {
                    return Err(Refused::Outside);
                }
                let target = normal(target);
                self.scene.check(&target)?;
                self.hard_link(index, path, &target)
            }
            _ => self.make(index, path, 0),
        }
    }

    fn hard_link(&mut self, index: usize, path: &str, target: &str) -> Result<(), Refused> {
        let executable = self.members[index].executable;
        let there = self.scene.exists(target);
        if there && self.scene.hard_link(path, target, executable).is_ok() {
            return Ok(());
        }
        match self.copy(path, target, index, 0) {
            Ok(true) => self.scene.set_executable(path, executable),
            Ok(false) if !there => return Err(Refused::Missing),
            Ok(false) => {}
            Err(refused) => return Err(refused),
        }
        Ok(())
    }

    /// Makes at `path` what a member is, which may be another path than its own.
    fn make(&mut self, index: usize, path: &str, copies: usize) -> Result<(), Refused> {
        let member = &self.members[index];
        match &member.kind {
            Kind::File(digest) => self.scene.file(path, *digest, member.executable),
            Kind::Directory => self.scene.directory(path),
            Kind::Link(target) => {
                let target = text(target)?;
                if self.scene.link(path, target).is_err() {
                    let above = path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
                    let target = if above.is_empty() { target.to_owned() } else { format!("{above}/{target}") };
                    self.copy(path, &target, self.members.len(), copies)?;
                }
                Ok(())
            }
            // Only as the copy that another link asks for.
            Kind::HardLink(target) => self.copy(path, text(target)?, index, copies).map(drop),
            Kind::Device | Kind::Unknown => Err(Refused::Special),
        }
    }

    /// Makes at `path` what the last member before `limit` with the name `target` is; `false` where there is
    /// none.
    fn copy(&mut self, path: &str, target: &str, limit: usize, copies: usize) -> Result<bool, Refused> {
        if copies >= MOST_COPIES {
            return Err(Refused::Loop);
        }
        let target = normal(target);
        let named = |member: &Member| text(&member.path).is_ok_and(|path| normal(path) == target);
        let Some(index) = self.members[..limit].iter().rposition(named) else { return Ok(false) };
        if matches!(self.members[index].kind, Kind::Device | Kind::Unknown) {
            return Err(Refused::Special);
        }
        self.scene.check(text(&self.members[index].path)?.trim_start_matches('/'))?;
        self.make(index, path, copies + 1)?;
        Ok(true)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(bytes).map_err(|_| Refused::Name)
}
