//! What a build may take, and the system's word on what it took.
//!
//! Limits of memory and processes hold for everything in the sandbox together, so they need a control group.
//! Where none can be made, memory is limited for each process alone, and processes as the system counts them
//! for the user.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a build must not exceed.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// When it is ended.
    pub deadline: Option<Instant>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// How many processes there may be at once.
    pub processes: Option<u64>,
    /// A directory on the file system whose free space is watched.
    pub disk: Option<PathBuf>,
}

/// What the system said while a build ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// How often processes were killed because there was no memory, in the build's own group.
    pub out_of_memory: u64,
    /// The same in the whole system.
    pub out_of_memory_anywhere: u64,
    /// How often a process could not be made because there were too many.
    pub too_many_processes: u64,
    /// Whether the watched file system was full.
    pub disk_full: bool,
}

/// Less free space than this is none: a file system keeps some for itself.
const FULL: u64 = 256 << 10;

/// Whether the file system of a directory is full.
pub(super) fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|stat| {
        let no_inodes = stat.f_files > 0 && stat.f_favail == 0;
        no_inodes || stat.f_bavail.saturating_mul(stat.f_frsize) < FULL
    })
}

/// How often the system killed a process because there was no memory, since it started.
pub(super) fn killed_anywhere() -> u64 {
    let text = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    number_of(&text, "oom_kill").unwrap_or(0)
}

/// A control group for one build; it goes away with this.
#[derive(Debug, Default)]
pub(super) struct Group {
    memory: Option<PathBuf>,
    processes: Option<PathBuf>,
}

impl Group {
    /// Makes one with what of the limits can be had.
    pub(super) fn make(limits: &Limits) -> Group {
        let mut group = Group::default();
        if limits.memory.is_none() && limits.processes.is_none() {
            return group;
        }
        let places = Places::find();
        if let Some(bytes) = limits.memory {
            group.memory = places.make("memory", |directory| limit_memory(directory, bytes));
        }
        if let Some(count) = limits.processes {
            let set = |directory: &Path| fs::write(directory.join("pids.max"), count.to_string());
            group.processes = match &group.memory {
                Some(directory) if set(directory).is_ok() => Some(directory.clone()),
                _ => places.make("pids", set),
            };
        }
        group
    }

    /// Whether memory is limited here.
    pub(super) fn limits_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Whether the number of processes is.
    pub(super) fn limits_processes(&self) -> bool {
        self.processes.is_some()
    }

    /// The files that a process writes `0` to in order to enter.
    pub(super) fn entrances(&self) -> io::Result<Vec<File>> {
        let mut directories: Vec<&PathBuf> = self.memory.iter().chain(&self.processes).collect();
        directories.dedup();
        directories
            .into_iter()
            .map(|directory| File::options().write(true).open(directory.join("cgroup.procs")))
            .collect()
    }

    /// How often processes were killed because there was no memory.
    pub(super) fn out_of_memory(&self) -> u64 {
        let Some(directory) = &self.memory else { return 0 };
        // The second generation's file, and the first one's.
        ["memory.events", "memory.oom_control"]
            .iter()
            .filter_map(|name| number_of(&fs::read_to_string(directory.join(name)).ok()?, "oom_kill"))
            .max()
            .unwrap_or(0)
    }

    /// How often a process could not be made.
    pub(super) fn too_many_processes(&self) -> u64 {
        let Some(directory) = &self.processes else { return 0 };
        number_of(&fs::read_to_string(directory.join("pids.events")).unwrap_or_default(), "max").unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for directory in self.memory.iter().chain(&self.processes) {
            // The last process is gone, but for a moment its group may not know yet.
            for _ in 0..50 {
                match fs::remove_dir(directory) {
                    Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                    _ => break,
                }
            }
        }
    }
}

fn limit_memory(directory: &Path, bytes: u64) -> io::Result<()> {
    if directory.join("memory.max").exists() {
        fs::write(directory.join("memory.max"), bytes.to_string())?;
        // Where there is no swap, there is no such file either.
        _ = fs::write(directory.join("memory.swap.max"), "0");
        return Ok(());
    }
    fs::write(directory.join("memory.limit_in_bytes"), bytes.to_string())?;
    _ = fs::write(directory.join("memory.memsw.limit_in_bytes"), bytes.to_string());
    Ok(())
}

/// Where groups can be made.
struct Places {
    /// This process's own groups: the controllers of a hierarchy, none named for the second generation, and
    /// the directory.
    own: Vec<(String, PathBuf)>,
}

impl Places {
    fn find() -> Places {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mut own = Vec::new();
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
            if let Some(mount) = mounts.lines().find_map(|mount| mounted(mount, controllers)) {
                own.push((controllers.to_owned(), mount.join(path.trim_start_matches('/'))));
            }
        }
        Places { own }
    }

    /// Makes a group whose controller `set` can be used: below this process's own, or beside it.
    fn make(&self, controller: &str, set: impl Fn(&Path) -> io::Result<()>) -> Option<PathBuf> {
        let fits = |(controllers, _): &&(String, PathBuf)| {
            controllers.is_empty() || controllers.split(',').any(|name| name == controller)
        };
        for (controllers, own) in self.own.iter().filter(fits) {
            if controllers.is_empty() {
                // Of a group with processes in it this is refused; its parent may have done it already.
                _ = fs::write(own.join("cgroup.subtree_control"), format!("+{controller}"));
            }
            for parent in [Some(own.as_path()), own.parent()].into_iter().flatten() {
                let directory = parent.join(format!("bst-build-{}", std::process::id()));
                if fs::create_dir(&directory).is_err() {
                    continue;
                }
                if set(&directory).is_ok() && File::options().write(true).open(directory.join("cgroup.procs")).is_ok() {
                    return Some(directory);
                }
                _ = fs::remove_dir(&directory);
            }
        }
        None
    }
}

/// Where the hierarchy with these controllers is mounted, if this line of mountinfo(5) says so.
fn mounted(line: &str, controllers: &str) -> Option<PathBuf> {
    let (left, right) = line.split_once(" - ")?;
    let place = left.split(' ').nth(4)?;
    let mut right = right.split(' ');
    let kind = right.next()?;
    let options = right.nth(1)?;
    let fits = match controllers {
        "" => kind == "cgroup2",
        names => kind == "cgroup" && names.split(',').all(|name| options.split(',').any(|option| option == name)),
    };
    fits.then(|| PathBuf::from(place))
}

fn number_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_found_by_their_controllers() {
        let first = "35 31 0:30 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory";
        let second = "40 31 0:35 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(mounted(first, "memory"), Some(PathBuf::from("/sys/fs/cgroup/memory")));
        assert_eq!(mounted(first, "pids"), None);
        assert_eq!(mounted(first, ""), None);
        assert_eq!(mounted(second, ""), Some(PathBuf::from("/sys/fs/cgroup")));
        assert_eq!(mounted("nonsense", ""), None);
    }

    #[test]
    fn numbers_are_found_by_their_whole_name() {
        assert_eq!(number_of("oom 1\noom_kill 7\n", "oom_kill"), Some(7));
        assert_eq!(number_of("oom_kill_disable 0\n", "oom_kill"), None);
    }
}
