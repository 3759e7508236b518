//! Kinds flatpak_image and flatpak_repo of buildstream-plugins-community.

use super::layout::{Placed, instructions, places};
use super::script::Script;
use super::{Configured, ElementView, Kind, join, object, sorted, texts};
use crate::project::node::{Mapping, Node};
use crate::values::Result;
use crate::values::assembly::{FlatpakForm, FlatpakImage};
use crate::values::error::Domain;
use crate::values::name::normal_name;
use crate::values::record::Instructions;
use crate::values::{Error, record::DependencyType};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub const IMAGE: Kind = Kind { takes_dependency_config: true, ..Kind::of_build_depends(configure_image) };
pub const REPO: Kind = Kind { takes_dependency_config: true, ..Kind::of_build_depends(configure_repo) };

const ALL_FILES: &str = "/buildstream/allfiles";
const INSTALL: &str = "/buildstream/install";

fn configure_image(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    config.check_keys(&["directory", "include", "exclude", "metadata", "component-ids"])?;
    let directory = config.require_text("directory")?.to_owned();
    let include = texts(config, "include")?;
    let exclude = texts(config, "exclude")?;
    let components = texts(config, "component-ids")?;
    let metadata = Metadata::read(config.require("metadata")?.mapping()?)?;
    let form = metadata.form(view)?;
    let placed = places(view, |dependency, config| {
        let Some(config) = config else { return Ok(Placed::at(ALL_FILES, dependency)) };
        config.check_keys(&["location"])?;
        Ok(Placed::at(config.require_text("location")?, dependency))
    })?;

    let mut plugin_key = json!({
        "directory": directory,
        "include": sorted(&include),
        "exclude": sorted(&exclude),
        "metadata": metadata.key(),
        "version": 4,
    });
    if !components.is_empty() {
        plugin_key["component-ids"] = json!(components);
    }
    let instructions = Instructions::FlatpakImage(FlatpakImage {
        // Only for the last: that is what the released kind does.
        command: components.last().map(|component| appstream(component, &directory)),
        directory,
        exclude,
        extensions: metadata.extensions(),
        form,
        include,
        layout: instructions(&placed),
        metadata: metadata.text(),
    });
    Ok(Configured { strict_rebuild: true, ..Configured::new(plugin_key, instructions) })
}

fn appstream(component: &str, directory: &str) -> String {
    let data = join(&join(ALL_FILES, directory.trim_start_matches('/')), "share");
    format!(
        "appstreamcli compose --components {component} --result-root {INSTALL} --prefix {directory} --data-dir {data} \
         --origin {component} {ALL_FILES}"
    )
}

/// The sections of the file `metadata`, in order.
struct Metadata(Vec<(String, Vec<(String, String)>)>);

impl Metadata {
    fn read(node: &Mapping) -> Result<Metadata> {
        let pair = |(key, value): (&Arc<str>, &Node)| Ok((key.to_string(), value.scalar()?.text.to_string()));
        let section = |(name, pairs): (&Arc<str>, &Node)| {
            Ok((name.to_string(), pairs.mapping()?.iter().map(pair).collect::<Result<_>>()?))
        };
        Ok(Metadata(node.iter().map(section).collect::<Result<_>>()?))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(section, _)| section == name)
    }

    fn form(&self, view: &ElementView) -> Result<FlatpakForm> {
        match (self.has("Application"), self.has("Runtime"), self.has("ExtensionOf")) {
            (true, ..) => Ok(FlatpakForm::Application),
            (_, true, true) => Ok(FlatpakForm::RuntimeExtension),
            (_, true, _) => Ok(FlatpakForm::Runtime),
            _ => Err(object(
                view,
                "\"metadata\" has neither a section \"Application\" nor a section \"Runtime\"; add one",
            )),
        }
    }

    fn key(&self) -> Value {
        let section = |pairs: &[(String, String)]| -> Value {
            pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<Map<_, _>>().into()
        };
        self.0.iter().map(|(name, pairs)| (name.clone(), section(pairs))).collect::<Map<_, _>>().into()
    }

    fn extensions(&self) -> Vec<String> {
        let extensions = self.0.iter().filter(|(name, _)| name.starts_with("Extension "));
        let directory = |(key, value): &(String, String)| (key == "directory").then(|| value.replace("%%", "%"));
        extensions.filter_map(|(_, pairs)| pairs.iter().find_map(directory)).collect()
    }

    /// As Python's configparser writes it.
    fn text(&self) -> String {
        let mut text = String::new();
        for (name, pairs) in &self.0 {
            text.push_str(&format!("[{name}]\n"));
            for (key, value) in pairs {
                text.push_str(&format!("{key} = {}\n", value.replace('\n', "\n\t")));
            }
            text.push('\n');
        }
        text
    }
}

fn configure_repo(view: &ElementView) -> Result<Configured> {
    let config = view.config;
    config.check_keys(&["copy-refs", "repo-mode", "arch", "branch"])?;
    let mut copies = Vec::new();
    for copy in config.require("copy-refs")?.list()?.items.iter() {
        let copy = copy.mapping()?;
        copy.check_keys(&["src", "dest"])?;
        copies.push((copy.require_text("src")?, copy.require_text("dest")?));
    }
    let arch = config.require_text("arch")?;
    let branch = config.require_text("branch")?;
    let mode = config.require_text("repo-mode")?;
    let mut script = Script::new(view)?;
    script.root_read_only = true;
    script.install_root = "/buildstream/repo".to_owned();
    script.add("init repository", vec![format!("ostree init --repo=/buildstream/repo --mode={mode}")]);
    Repo { view, arch, branch, script: &mut script, images: 0 }.add_dependencies()?;
    for (source, target) in copies {
        script.add(
            format!("copy ref {source} -> {target}"),
            vec![format!("flatpak build-commit-from --src-ref={source} /buildstream/repo {target}")],
        );
    }
    Ok(Configured { plugin_version: 2, ..script.configured() })
}

struct Repo<'a, 'b> {
    view: &'b ElementView<'a>,
    arch: &'b str,
    branch: &'b str,
    script: &'b mut Script<'a>,
    images: usize,
}

impl<'a> Repo<'a, '_> {
    fn add_dependencies(&mut self) -> Result<()> {
        // An architecture for each image came with release 2.3.2.
        let keys: &[&str] = match self.view.plugin.is_before([2, 3, 2]) {
            true => &["flatpak-image", "flatpak-stack", "branch"],
            false => &["flatpak-image", "flatpak-stack", "branch", "arch"],
        };
        let configs = places(self.view, |dependency, config| {
            if let Some(config) = config {
                config.check_keys(keys)?;
            }
            Ok(Placed::at("/", dependency))
        })?;
        let view = self.view;
        let mut placed = configs.into_iter();
        for dependency in view.dependencies.iter().filter(|dependency| dependency.when.builds()) {
            if dependency.configs.is_empty() {
                self.script.placed.extend(placed.next());
            }
            for config in dependency.configs {
                if let Some(place) = placed.next() {
                    self.add_configured(dependency.id, place, config)?;
                }
            }
        }
        if self.images == 0 {
            return Err(object(
                view,
                "no dependency is a flatpak; give one \"config: {flatpak-image: True}\" or \"{flatpak-stack: True}\"",
            ));
        }
        Ok(())
    }

    fn add_configured(&mut self, id: usize, place: Placed<'a>, config: &Mapping) -> Result<()> {
        let is_image = config.bool("flatpak-image")?.unwrap_or(false);
        let is_stack = config.bool("flatpak-stack")?.unwrap_or(false);
        let branch = config.text("branch")?.unwrap_or(self.branch);
        let arch = config.text("arch")?.unwrap_or(self.arch);
        if is_image == is_stack {
            let found = if is_image { "both of" } else { "neither of" };
            let message = format!("expected one of \"flatpak-image\" and \"flatpak-stack\", found {found} them");
            return Err(Error::in_domain(Domain::Element, message).at(config.mark.place()));
        }
        if is_image {
            self.add_image(place, branch, arch);
            return Ok(());
        }
        let graph = self.view.graph;
        for (id, _) in graph.depends(id).into_iter().filter(|(_, when): &(_, DependencyType)| when.runs()) {
            let member = graph.member(id);
            let path = format!("{} ({})", place.path, member.name);
            let place = Placed {
                location: String::new(),
                path,
                project: member.project,
                element: member.full_name,
                digest_environment: None,
                is_input: false,
            };
            self.add_image(place, branch, arch);
        }
        Ok(())
    }

    fn add_image(&mut self, place: Placed<'a>, branch: &str, arch: &str) {
        self.images += 1;
        let location = format!("/buildstream/input/{}", normal_name(place.element));
        let command = format!("flatpak build-export --files=files --arch={arch} /buildstream/repo {location} {branch}");
        self.script.add(format!("export {}", place.path), vec![command]);
        self.script.placed.push(Placed { location, ..place });
    }
}
