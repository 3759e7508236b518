//! Python packages, found and read without running python: `*.dist-info` in the directories that the
//! interpreter of `bst` would search.

use super::{Family, Mark, Plugin, Role, refuse};
use crate::store::fs::read_if_there;
use crate::values::Result;
use pep440_rs::{Version, VersionSpecifiers};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What says where packages are. The environment is read at the edge.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Directories that hold packages, or prefixes of environments: what the user configured. They come first.
    pub configured: Vec<PathBuf>,
    /// The environment that is active.
    pub virtual_env: Option<PathBuf>,
    /// Where programs are looked for: `bst` and `python3` there lead to their environments.
    pub programs: Vec<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// Directories of environments or environments themselves, where installers of programs put BuildStream
    /// without its being on the search path. They come last.
    pub installed: Vec<PathBuf>,
}

/// The python environments of a session.
#[derive(Debug, Default)]
pub struct Environments {
    hints: Hints,
    directories: OnceLock<Vec<PathBuf>>,
    found: Mutex<HashMap<String, Option<Arc<Distribution>>>>,
}

/// An installed package.
#[derive(Debug)]
struct Distribution {
    name: String,
    version: String,
    /// Group and name to module.
    entry_points: HashMap<(String, String), String>,
    /// Where its modules may be besides the search path: a package that is installed in place.
    sources: Vec<PathBuf>,
}

impl Environments {
    /// Nothing is looked for before the first kind that needs it.
    pub fn new(hints: Hints) -> Environments {
        Environments { hints, ..Environments::default() }
    }

    /// Finds a kind in the package that `requirement` names.
    pub(super) fn find(&self, requirement: &str, role: Role, kind: &str, mark: Mark) -> Result<Plugin> {
        let wanted = Requirement::read(requirement).ok_or_else(|| {
            let message = format!("\"{}\" is no requirement like \"name>=1.0\"", requirement.escape_default());
            refuse("package-malformed-requirement", message).at(mark.place())
        })?;
        let package = self.distribution(&wanted.name)?.ok_or_else(|| {
            let message = format!(
                "the {} kind \"{kind}\" comes from the Python package \"{}\", which is not installed in {}; install it, \
                 or set BST_PLUGIN_PATH to where it is",
                role.word(),
                wanted.name,
                self.places()
            );
            refuse("package-not-found", message).at(mark.place())
        })?;
        if !wanted.accepts(&package.version) {
            let message = format!(
                "the {} kind \"{kind}\" comes from the Python package \"{requirement}\"; {} is installed",
                role.word(),
                package.version
            );
            return Err(refuse("package-version-conflict", message).at(mark.place()));
        }
        let module = package.entry_points.get(&(role.entry_points().to_owned(), kind.to_owned()));
        let code = module.and_then(|module| self.module(&package, module)).ok_or_else(|| {
            let message = format!(
                "the Python package \"{}\" {} has no {} kind \"{kind}\"",
                package.name,
                package.version,
                role.word()
            );
            refuse("plugin-not-found", message).at(mark.place())
        })?;
        Ok(Plugin {
            role,
            kind: kind.to_owned(),
            family: Family::Package { name: normal(&package.name), version: Some(package.version.clone()) },
            defaults: Some(code.with_extension("yaml")).filter(|path| path.exists()),
            code: Some(code),
        })
    }

    fn distribution(&self, name: &str) -> Result<Option<Arc<Distribution>>> {
        let name = normal(name);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = found.get(&name) {
            return Ok(known.clone());
        }
        let mut package = None;
        for directory in self.directories() {
            if let Some(metadata) = metadata_directory(directory, &name) {
                package = Some(Arc::new(Distribution::read(&metadata)?));
                break;
            }
        }
        found.insert(name, package.clone());
        Ok(package)
    }

    fn module(&self, package: &Distribution, module: &str) -> Option<PathBuf> {
        let relative: PathBuf = module.split('.').collect();
        self.directories().iter().chain(&package.sources).find_map(|directory| {
            let path = directory.join(&relative);
            [path.join("__init__.py"), path.with_extension("py")].into_iter().find(|file| file.is_file())
        })
    }

    fn directories(&self) -> &[PathBuf] {
        self.directories.get_or_init(|| search_path(&self.hints))
    }

    fn places(&self) -> String {
        match self.directories() {
            [] => "any Python environment (none was found)".to_owned(),
            directories => directories.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Whose code a project's own plugins are: a checkout or a release of a package of plugins is a project too,
/// and its PKG-INFO says which.
pub(super) fn family_of(project: &str, directory: &Path) -> Family {
    let info = std::fs::read_to_string(directory.join("PKG-INFO")).unwrap_or_default();
    match (header(&info, "Name"), header(&info, "Version")) {
        (Some(name), version) => Family::Package { name: normal(name), version: version.map(str::to_owned) },
        (None, _) if project == "buildstream-plugins" || project == "buildstream-plugins-community" => {
            Family::Package { name: project.to_owned(), version: None }
        }
        _ => Family::Own,
    }
}

impl Distribution {
    fn read(directory: &Path) -> Result<Distribution> {
        let text = |name: &str| -> Result<Option<String>> {
            let bytes = read_if_there(&directory.join(name))?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        };
        let metadata = match text("METADATA")? {
            Some(metadata) => metadata,
            None => text("PKG-INFO")?.unwrap_or_default(),
        };
        let (Some(name), Some(version)) = (header(&metadata, "Name"), header(&metadata, "Version")) else {
            let message = format!("{} does not say which package and version it is", directory.display());
            return Err(refuse("package-not-found", message));
        };
        Ok(Distribution {
            name: name.to_owned(),
            version: version.to_owned(),
            entry_points: entry_points(&text("entry_points.txt")?.unwrap_or_default()),
            sources: text("direct_url.json")?.map_or_else(Vec::new, |json| in_place(&json)),
        })
    }
}

/// The directories of a package that is installed in place.
fn in_place(direct_url: &str) -> Vec<PathBuf> {
    let parsed: serde_json::Value = serde_json::from_str(direct_url).unwrap_or_default();
    match parsed["url"].as_str().and_then(|url| url.strip_prefix("file://")) {
        Some(path) => vec![Path::new(path).join("src"), PathBuf::from(path)],
        None => Vec::new(),
    }
}

/// The value of a header of METADATA.
fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = text.lines().take_while(|line| !line.is_empty());
    headers.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn entry_points(text: &str) -> HashMap<(String, String), String> {
    let mut points = HashMap::new();
    let mut group = "";
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            group = name.trim();
        } else if let Some((name, target)) = line.split_once('=') {
            let module = target.split([':', '[']).next().unwrap_or_default().trim();
            points.insert((group.to_owned(), name.trim().to_owned()), module.to_owned());
        }
    }
    points
}

/// The `.dist-info` or `.egg-info` of a package in a directory of packages.
fn metadata_directory(directory: &Path, wanted: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = stem.split('-').next().unwrap_or_default();
        let extension = path.extension().unwrap_or_default();
        (extension == "dist-info" || extension == "egg-info") && normal(name) == wanted
    })
}

/// A package's name in its normal form: lower case, runs of `-_.` as one `-`.
fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

/// `name[extras] specifiers ; marker`, as far as it matters here.
struct Requirement {
    name: String,
    versions: VersionSpecifiers,
}

impl Requirement {
    fn read(text: &str) -> Option<Requirement> {
        let text = text.split(';').next()?.trim();
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if !alphanumeric(name.chars().next()) || !alphanumeric(name.chars().last()) {
            return None;
        }
        let rest = match rest.trim_start().strip_prefix('[') {
            Some(extras) => extras.split_once(']')?.1,
            None => rest,
        };
        let rest = rest.trim().trim_start_matches('(').trim_end_matches(')');
        Some(Requirement { name: name.to_owned(), versions: VersionSpecifiers::from_str(rest).ok()? })
    }

    /// Pre-releases are as good as others.
    fn accepts(&self, version: &str) -> bool {
        Version::from_str(version).is_ok_and(|version| self.versions.contains(&version))
    }
}

/// All directories of packages, in the order in which they are searched.
fn search_path(hints: &Hints) -> Vec<PathBuf> {
    let mut path = Vec::new();
    for directory in &hints.configured {
        push(&mut path, directory.clone());
        add_prefix(&mut path, directory);
    }
    if let Some(directory) = &hints.virtual_env {
        add_prefix(&mut path, directory);
    }
    if let Some(program) = program("bst", &hints.programs) {
        match interpreter(&program, &hints.programs) {
            Some(interpreter) => add_interpreter(&mut path, &interpreter),
            None => add_interpreter(&mut path, &program),
        }
    }
    if let Some(program) = program("python3", &hints.programs) {
        add_interpreter(&mut path, &program);
    }
    if let Some(home) = &hints.home {
        add_prefix(&mut path, &home.join(".local"));
    }
    for directory in &hints.installed {
        add_prefix(&mut path, directory);
        let inside = std::fs::read_dir(directory).map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())));
        let mut inside: Vec<PathBuf> = inside.into_iter().flatten().collect();
        inside.sort();
        inside.iter().filter(|path| path.join("pyvenv.cfg").is_file()).for_each(|venv| add_prefix(&mut path, venv));
    }
    let listed: Vec<PathBuf> = path.iter().flat_map(|directory| listed_in(directory)).collect();
    listed.into_iter().for_each(|directory| push(&mut path, directory));
    path
}

fn push(path: &mut Vec<PathBuf>, directory: PathBuf) {
    if directory.is_dir() && !path.contains(&directory) {
        path.push(directory);
    }
}

/// A program of the search path. What pyenv puts there in its stead is looked through.
fn program(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    let found = directories.iter().map(|directory| directory.join(name)).find(|file| file.is_file())?;
    let pyenv = found.parent().filter(|directory| directory.ends_with("shims")).and_then(Path::parent);
    let Some(pyenv) = pyenv else { return Some(found) };
    let chosen = std::fs::read_to_string(pyenv.join("version")).unwrap_or_default();
    let programs = chosen.lines().map(|version| pyenv.join("versions").join(version.trim()).join("bin").join(name));
    Some(programs.into_iter().find(|file| file.is_file()).unwrap_or(found))
}

/// The interpreter that a script names in its first lines.
fn interpreter(script: &Path, directories: &[PathBuf]) -> Option<PathBuf> {
    let bytes = std::fs::read(script).ok()?;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.strip_prefix("#!")?.split_whitespace();
    let first = words.next()?;
    let named = match first.rsplit('/').next()? {
        "env" => words.find(|word| !word.starts_with('-'))?,
        // pip's way with a path that is too long or has a space: `'''exec' "/path/python3" "$0" "$@"`.
        "sh" => lines.next()?.strip_prefix("'''exec' ")?.split('"').find(|word| word.starts_with('/'))?,
        _ => first,
    };
    if named.contains('/') { Some(PathBuf::from(named)) } else { program(named, directories) }
}

/// The packages of an interpreter: those of the prefix that it seems to be in, and if that is none, of the one
/// that it is really in.
fn add_interpreter(path: &mut Vec<PathBuf>, program: &Path) {
    let before = path.len();
    let prefix = |program: &Path| program.parent().and_then(Path::parent).map(Path::to_owned);
    if let Some(prefix) = prefix(program) {
        add_prefix(path, &prefix);
    }
    if path.len() == before {
        if let Some(prefix) = program.canonicalize().ok().as_deref().and_then(prefix) {
            add_prefix(path, &prefix);
        }
    }
}

/// The directories of packages below a prefix like `/usr` or a virtual environment.
fn add_prefix(path: &mut Vec<PathBuf>, prefix: &Path) {
    for lib in ["lib", "lib64"] {
        let lib = prefix.join(lib);
        let mut versions: Vec<PathBuf> = std::fs::read_dir(&lib)
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        versions
            .retain(|version| version.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3")));
        versions.sort();
        for version in versions.iter().rev() {
            push(path, version.join("site-packages"));
            push(path, version.join("dist-packages"));
        }
    }
    if prefix == Path::new("/usr") {
        add_prefix(path, Path::new("/usr/local"));
    }
    let config = std::fs::read_to_string(prefix.join("pyvenv.cfg")).unwrap_or_default();
    let setting = |name: &str| {
        config
            .lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, v)| v.trim())
    };
    if setting("include-system-site-packages") == Some("true") {
        if let Some(system) = setting("home").map(Path::new).and_then(Path::parent) {
            add_prefix(path, system);
        }
    }
}

/// The directories that the `.pth` files of a directory add.
fn listed_in(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())));
    let mut files: Vec<PathBuf> = entries.map(Iterator::collect).unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "pth"));
    files.sort();
    let mut listed = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let paths = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#']));
        listed.extend(paths.filter(|line| !line.starts_with("import")).map(|line| directory.join(line)));
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(site: &Path, name: &str, version: &str) {
        let info = site.join(format!("{name}-{version}.dist-info"));
        std::fs::create_dir_all(&info).expect("a directory");
        std::fs::create_dir_all(site.join(name).join("elements")).expect("a directory");
        std::fs::write(info.join("METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nx"))
            .expect("a file");
        let points = format!("[buildstream.plugins.elements]\nmake = {name}.elements.make\n");
        std::fs::write(info.join("entry_points.txt"), points).expect("a file");
        std::fs::write(site.join(name).join("elements/make.py"), "").expect("a file");
        std::fs::write(site.join(name).join("elements/make.yaml"), "").expect("a file");
    }

    fn make(hints: Hints, requirement: &str) -> Result<Plugin> {
        Environments::new(hints).find(requirement, Role::Element, "make", Mark::synthetic())
    }

    #[test]
    fn a_package_is_found_through_the_interpreter_of_bst() {
        let place = tempfile::tempdir().expect("a directory");
        let venv = place.path().join("a venv");
        package(&venv.join("lib/python3.11/site-packages"), "some_plugins", "2.5.0");
        let bin = place.path().join("bin");
        std::fs::create_dir_all(&bin).expect("a directory");
        let shebang = format!("#!/bin/sh\n'''exec' \"{}/bin/python3\" \"$0\" \"$@\"\n", venv.display());
        std::fs::write(bin.join("bst"), shebang).expect("a file");
        let hints = Hints { programs: vec![bin], ..Hints::default() };
        let plugin = make(hints.clone(), "Some.Plugins >= 2.1, < 3").expect("the plugin");
        assert_eq!(plugin.family, Family::Package { name: "some-plugins".into(), version: Some("2.5.0".into()) });
        assert!(plugin.defaults.expect("defaults").ends_with("some_plugins/elements/make.yaml"));
        let refused = |requirement: &str| make(hints.clone(), requirement).expect_err("an error");
        assert_eq!(refused("some-plugins>=3").reason(), Some("package-version-conflict"));
        assert_eq!(refused("other").reason(), Some("package-not-found"));
        assert_eq!(refused(">=3").reason(), Some("package-malformed-requirement"));
    }

    #[test]
    fn a_package_in_place_is_found_through_its_url() {
        let place = tempfile::tempdir().expect("a directory");
        let (site, tree) = (place.path().join("site"), place.path().join("tree"));
        package(&site, "p", "1");
        std::fs::create_dir_all(tree.join("src")).expect("a directory");
        std::fs::rename(site.join("p"), tree.join("src/p")).expect("a move");
        let url = format!("{{\"url\": \"file://{}\", \"dir_info\": {{\"editable\": true}}}}", tree.display());
        std::fs::write(site.join("p-1.dist-info/direct_url.json"), url).expect("a file");
        let plugin = make(Hints { configured: vec![site], ..Hints::default() }, "p").expect("the plugin");
        assert_eq!(plugin.code, Some(tree.join("src/p/elements/make.py")));
    }
}
