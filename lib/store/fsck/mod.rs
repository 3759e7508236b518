//! Verifying everything: every blob against its digest, every tree, ref, metadata file and source.

mod repair;

use super::objects::{self, Objects};
use super::reach::Reach;
use super::roots::{self, Kind, Root};
use super::{Store, cas::Cas, inventory, metadata, parallel};
use crate::values::{Digest, Error, Result, digest::Hasher, name::ArtifactName};
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// A blob that does not hold the bytes of its digest.
    Object,
    /// Something among the objects that can be none.
    Stranger,
    /// A ref that holds no artifact, or one of which something is missing.
    Ref,
    /// A metadata file that holds none.
    Metadata,
    /// An entry of the source cache that names no tree, or one of which something is missing.
    Source,
}

impl What {
    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            What::Object => "object",
            What::Stranger => "stranger",
            What::Ref => "ref",
            What::Metadata => "metadata",
            What::Source => "source",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub what: What,
    pub path: PathBuf,
    pub problem: String,
    /// The artifact that it is, if it is one.
    pub name: Option<ArtifactName>,
    /// The artifacts that need it.
    pub affects: Vec<ArtifactName>,
    /// Where it was put aside.
    pub moved_to: Option<PathBuf>,
}

/// What was verified.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub problems: Vec<Problem>,
    pub objects: u64,
    pub bytes: u64,
    pub refs: u64,
}

/// Verifies a store; with `repair` what is damaged is put aside, and what needs it, so that the rest can be
/// used.
pub fn check(store: &Store, repair: bool) -> Result<Report> {
    let cas = store.cas();
    let objects = objects::list(&cas)?;
    let mut report = Report { objects: objects.all.len() as u64, bytes: objects.bytes(), ..Report::default() };
    let wrong = wrong_objects(&cas, &objects)?;
    let roots = roots::all(store)?;
    let mut reach = Reach::new(cas.clone(), &objects, &wrong);
    for (index, problem) in &wrong {
        let object = objects.all[*index];
        report.problems.push(Problem {
            what: What::Object,
            path: cas.path(&Digest::new(object.hash, object.size)),
            problem: problem.clone(),
            name: None,
            affects: Vec::new(),
            moved_to: None,
        });
    }
    let own = report.problems.len();
    for root in &roots {
        report.refs += u64::from(matches!(root.kind, Kind::Ref(_)));
        let (found, blamed) = of_root(store, root, &mut reach)?;
        if let Kind::Ref(name) = &root.kind {
            for problem in &mut report.problems[..own] {
                if blamed.iter().any(|digest| cas.path(digest) == problem.path) {
                    problem.affects.push(name.clone());
                }
            }
        }
        report.problems.extend(found);
    }
    let strangers = objects.strange.iter().filter(|path| !objects::is_leftover(path));
    report.problems.extend(strangers.map(|path| Problem {
        what: What::Stranger,
        path: path.clone(),
        problem: "it is no object: its name is none, or it is no file".to_owned(),
        name: None,
        affects: Vec::new(),
        moved_to: None,
    }));
    report.problems.sort_by(|a, b| (a.what, &a.path).cmp(&(b.what, &b.path)));
    if repair {
        repair::put_aside(store, &mut report.problems)?;
    }
    Ok(report)
}

/// The objects that do not hold what their names say, on all cores, the large ones first.
fn wrong_objects(cas: &Cas, objects: &Objects) -> Result<Vec<(usize, String)>> {
    let mut order: Vec<usize> = (0..objects.all.len()).collect();
    order.sort_unstable_by_key(|index| std::cmp::Reverse(objects.all[*index].size));
    let wrong = Mutex::new(Vec::new());
    parallel::for_each_with(
        order.len(),
        || vec![0; 1 << 18],
        |buffer, place| {
            let index = order[place];
            let object = objects.all[index];
            let digest = Digest::new(object.hash, object.size);
            if let Some(problem) = what_is_wrong(cas, &digest, buffer)? {
                wrong.lock().unwrap_or_else(PoisonError::into_inner).push((index, problem));
            }
            Ok(())
        },
    )?;
    Ok(wrong.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn what_is_wrong(cas: &Cas, digest: &Digest, buffer: &mut [u8]) -> Result<Option<String>> {
    let path = cas.path(digest);
    let mut file = match std::fs::File::open(&path) {
        Ok(file) => file,
        // It was expired meanwhile.
        Err(error) if super::fs::is_absent(&error) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Ok(Some(format!("it cannot be read: {error}")));
        }
        Err(error) => return Err(Error::io("cannot read", &path, error)),
    };
    let mut hasher = Hasher::default();
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(length) => hasher.update(&buffer[..length]),
            // A bad block is what this is for.
            Err(error) => return Ok(Some(format!("it cannot be read: {error}"))),
        }
    }
    let found = hasher.finish();
    Ok((found.hash() != digest.hash()).then(|| format!("its {} bytes have the hash {}", found.size(), found.hex())))
}

/// What is wrong with a root, and the bad blobs that it needs.
fn of_root(store: &Store, root: &Root, reach: &mut Reach) -> Result<(Option<Problem>, Vec<Digest>)> {
    let what = match &root.kind {
        _ if root.path.extension().is_some_and(|extension| extension == "json") => What::Metadata,
        _ if root.path.starts_with(store.artifacts().root()) => What::Ref,
        _ => What::Source,
    };
    let name = match &root.kind {
        Kind::Ref(name) | Kind::Kept(name) => Some(name.clone()),
        Kind::Source => None,
    };
    let problem = |problem: String| Problem {
        what,
        path: root.path.clone(),
        problem,
        name: name.clone(),
        affects: Vec::new(),
        moved_to: None,
    };
    if let Some(found) = &root.problem {
        return Ok((Some(problem(found.clone())), Vec::new()));
    }
    if what == What::Metadata {
        return Ok((wrong_metadata(root, name.as_ref())?.map(problem), Vec::new()));
    }
    let missing = reach.missing(&root.needed);
    let Some(first) = missing.first() else { return Ok((None, Vec::new())) };
    let more = if missing.len() > 1 { format!(", and {} more", missing.len() - 1) } else { String::new() };
    Ok((Some(problem(format!("{first} is missing or damaged{more}"))), missing))
}

/// A metadata file may be about builds whose ref is gone; it is wrong only if it is about another key.
fn wrong_metadata(root: &Root, name: Option<&ArtifactName>) -> Result<Option<String>> {
    let bytes = super::fs::read_if_there(&root.path)?.unwrap_or_default();
    let found = metadata::decode(&bytes).map(|metadata| metadata.key);
    let wanted = name.or(inventory::name_of(&root.path).as_ref()).map(ArtifactName::key);
    Ok((found.is_some() && found != wanted).then(|| "it is about another key".to_owned()))
}
