//! How much memory this process may use, according to files of Linux:
//!
//! | file | what |
//! |---|---|
//! | `proc/meminfo` | the machine's memory |
//! | `proc/self/limits` | `ulimit -v` and `ulimit -d` |
//! | `sys/fs/cgroup/.../memory.max` | the limit of a container (cgroup v2) and of all groups around it |
//! | `sys/fs/cgroup/memory/.../memory.limit_in_bytes` | the same (cgroup v1) |
//!
//! On other systems, and if a file doesn't exist, nothing is known and nothing is refused.

use std::fs::read_to_string;
use std::path::{Component, Path, PathBuf};

/// The smallest of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Its size.
    pub bytes: u64,
    /// Whose limit it is, in words: `this machine's`.
    pub whose: &'static str,
}

/// The smallest limit in the files below `root`, which is `/` except in tests.
pub fn memory_limit(root: &Path) -> Option<MemoryLimit> {
    let read = |file: &str| read_to_string(root.join(file)).unwrap_or_default();
    let machine = machine_bytes(&read("proc/meminfo"));
    let process = process_bytes(&read("proc/self/limits"));
    let container = container_bytes(root, &read("proc/self/cgroup"));
    let limits = [
        (machine, "this machine's"),
        (container, "this container's limit of (its cgroup)"),
        (process, "this process's limit of (see ulimit -v)"),
    ];
    let limits = limits.into_iter().filter_map(|(bytes, whose)| Some(MemoryLimit { bytes: bytes?, whose }));
    limits.min_by_key(|limit| limit.bytes)
}

/// The machine's memory, from the text of `/proc/meminfo`.
fn machine_bytes(text: &str) -> Option<u64> {
    let line = |line: &str| line.strip_prefix("MemTotal:").map(str::to_string);
    let kilobytes = text.lines().find_map(line)?;
    let kilobytes = kilobytes.trim().strip_suffix("kB")?;
    kilobytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The smaller soft limit of address space and data, from the text of `/proc/self/limits`.
fn process_bytes(text: &str) -> Option<u64> {
    let names = ["Max address space", "Max data size"];
    let soft = |line: &str| {
        let rest = names.iter().find_map(|name| line.strip_prefix(name))?;
        rest.split_whitespace().next()?.parse().ok()
    };
    text.lines().filter_map(soft).min()
}

/// The smallest limit of the control groups that `/proc/self/cgroup` names, and of those around them.
fn container_bytes(root: &Path, text: &str) -> Option<u64> {
    let limits = text.lines().filter_map(|line| {
        // hierarchy:controllers:path
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let (mounts, file): (&[&str], _) = match controllers {
            "" => (&["sys/fs/cgroup", "sys/fs/cgroup/unified"], "memory.max"),
            list if list.split(',').any(|name| name == "memory") => {
                (&["sys/fs/cgroup/memory"], "memory.limit_in_bytes")
            }
            _ => return None,
        };
        // A path may lead out of the container's own view of the tree.
        let parts = Path::new(path).components();
        let parts = parts.filter(|part| matches!(part, Component::Normal(_)));
        let group: PathBuf = parts.collect();
        let group = &group;
        let groups = mounts.iter().flat_map(|mount| {
            let groups = group.ancestors();
            groups.map(move |group| root.join(mount).join(group))
        });
        let bytes = groups.filter_map(|group| {
            let text = read_to_string(group.join(file)).ok()?;
            // "max" if there is none.
            text.trim().parse().ok()
        });
        bytes.min()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder with these files, as if it were the root.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:       8192 kB\nMemFree: 1 kB\n");

    /// A path below the root, and what stands there.
    type File<'a> = (&'a str, &'a str);

    #[test]
    fn the_least_limit_counts_and_is_named() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max data size             unlimited            unlimited            bytes     \n\
            Max address space         6000000              unlimited            bytes     \n";
        let cases: [(&[File], u64, &str); 6] = [
            (&[MACHINE], 8 << 20, "this machine's"),
            (&[MACHINE, ("proc/self/limits", limits)], 6_000_000, "this process's"),
            // Version 2: the group's own limit, that of the one around it, and none.
            (
                &[
                    MACHINE,
                    ("proc/self/cgroup", "0::/user/job\n"),
                    ("sys/fs/cgroup/user/job/memory.max", "5000000\n"),
                    ("sys/fs/cgroup/user/memory.max", "max\n"),
                ],
                5_000_000,
                "this container's",
            ),
            (
                &[
                    MACHINE,
                    ("proc/self/cgroup", "0::/user/job\n"),
                    ("sys/fs/cgroup/user/job/memory.max", "max\n"),
                    ("sys/fs/cgroup/user/memory.max", "4000000\n"),
                ],
                4_000_000,
                "this container's",
            ),
            // Version 1, whose path leads outside of what is mounted; and its way to say none.
            (
                &[
                    MACHINE,
                    ("proc/self/cgroup", "9:cpu:/x\n4:hugetlb,memory:/docker/../abc\n0::/\n"),
                    ("sys/fs/cgroup/memory/memory.limit_in_bytes", "3000000\n"),
                ],
                3_000_000,
                "this container's",
            ),
            (
                &[
                    MACHINE,
                    ("proc/self/cgroup", "4:memory:/\n"),
                    ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ],
                8 << 20,
                "this machine's",
            ),
        ];
        for (files, bytes, whose) in cases {
            let root = root(files);
            let limit = memory_limit(root.path()).unwrap();
            assert_eq!(limit.bytes, bytes, "{files:?}");
            assert!(limit.whose.starts_with(whose), "{files:?}: {limit:?}");
        }
    }

    #[test]
    fn where_nothing_is_said_nothing_is_known() {
        let forged = [("proc/meminfo", "MemTotal: many\n"), ("proc/self/cgroup", "\n::\n0::/../..\n")];
        for files in [&forged[..], &[]] {
            assert_eq!(memory_limit(root(files).path()), None);
        }
    }
}
