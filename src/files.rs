//! Writes files whole or not at all: a reader, or a run that was killed at any moment, finds the old bytes or the new
//! ones, never a part. It also repeats operations that a signal has interrupted, which the standard library leaves to
//! its callers.

use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Opens the file at `path` for reading. Pipes and devices are refused, as a pipe may block and a device may never end.
///
/// # Errors
/// [`Error::Data`] if it isn't a regular file, [`Error::Io`] if the system refuses.
pub fn open(path: &Path) -> Result<File> {
    let found = again(|| fs::metadata(path)).map_err(Error::io(path))?;
    if found.is_dir() {
        return Err(Error::io(path)(io::ErrorKind::IsADirectory.into()));
    }
    if !found.is_file() {
        let fix = "save what it gives to a file, and name that one";
        return Err(Error::data(path, "not a regular file", fix));
    }
    File::open(path).map_err(Error::io(path))
}

/// All bytes of the file at `path`.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = open(path)?;
    file.read_to_end(&mut bytes).map_err(Error::io(path))?;
    Ok(bytes)
}

/// All bytes of the file at `path`, or `None` if there are more than `most`; never more than that are in memory.
///
/// # Errors
/// As [`open`].
pub fn read_at_most(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let file = open(path)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// Writes `bytes` to `path`, replacing what was there: a temporary file in the same folder, fsync,
/// rename, fsync of the folder. A link is followed; a pipe or a device is written to.
///
/// # Errors
/// [`Error::Io`] on `path` if the system refuses any of it. Nothing of the attempt is left behind, and an old file
/// stays as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = match again(|| fs::canonicalize(path)) {
        Ok(target) => again(|| fs::metadata(&target)).and_then(|found| match found.is_file() || found.is_dir() {
            true => replace(&target, bytes),
            false => fs::write(&target, bytes),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => replace(path, bytes),
        Err(error) => Err(error),
    };
    written.map_err(Error::io(path))
}

/// Checks that [`write_whole`] could write a file at `path`, by making an empty one beside it and removing it again.
///
/// # Errors
/// [`Error::Io`] on `path` if it couldn't.
pub fn check_writable(path: &Path) -> Result<()> {
    let target = again(|| fs::canonicalize(path)).unwrap_or_else(|_| path.to_path_buf());
    let tried = match again(|| fs::metadata(&target)) {
        Ok(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
        // Opening a pipe might block.
        Ok(found) if !found.is_file() => Ok(()),
        _ => temporary_of(&target).and_then(|temporary| {
            write_synced(&temporary, b"")?;
            again(|| fs::remove_file(&temporary))
        }),
    };
    tried.map_err(Error::io(path))
}

/// Does `operation`, and repeats it as long as signals interrupt it.
///
/// # Errors
/// Those of the operation except [`ErrorKind::Interrupted`].
pub fn again<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Whether there is a file at `path`, or a link to one. (`Path::is_file` says no even if the system couldn't tell.)
///
/// # Errors
/// [`Error::Io`] if the system can't tell.
pub fn is_file(path: &Path) -> Result<bool> {
    match again(|| fs::metadata(path)) {
        Ok(found) => Ok(found.is_file()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(Error::io(path)(error)),
    }
}

/// The paths in `folder`, in no particular order.
///
/// # Errors
/// [`Error::Io`] if it can't be read completely.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    again(read).map_err(Error::io(folder))
}

/// Makes `folder` and the folders around it, as far as they don't exist.
///
/// # Errors
/// [`Error::Io`] if the system refuses.
pub fn make_folder(folder: &Path) -> Result<()> {
    again(|| fs::create_dir_all(folder)).map_err(Error::io(folder))
}

/// Tries to lock `file`, which may be a folder, for this process as long as it is open; false if another process holds
/// it.
///
/// # Errors
/// If the system has no locks.
pub fn try_lock(file: &File) -> io::Result<bool> {
    again(|| match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    })
}

/// The warning if [`try_lock`] finds no locks in `folder`.
pub fn no_locks(folder: &Path, error: &io::Error) -> String {
    let folder = folder.display();
    format!("warning: {folder} can't be locked ({error}); nothing keeps a second process from writing to it")
}

/// Removes what a process that was killed in the middle of [`write_whole`] has left in `folder`, but nothing that a
/// living process is about to rename. Files that can't be removed do no harm.
pub fn remove_temporary(folder: &Path) {
    remove_left_behind(folder, is_temporary);
}

/// As [`remove_temporary`], but only what was to become `path`, as its folder may be shared with others.
pub fn remove_temporary_of(path: &Path) {
    let (Some(name), Some(folder)) = (path.file_name(), path.parent()) else {
        return;
    };
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let name = name.to_string_lossy();
    remove_left_behind(folder, |path| target(path).is_some_and(|target| target == name));
}

fn remove_left_behind(folder: &Path, is_meant: impl Fn(&Path) -> bool) {
    for path in list(folder).unwrap_or_default() {
        let is_file = || fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        let is_free = || File::open(&path).is_ok_and(|file| try_lock(&file).unwrap_or(false));
        if is_meant(&path) && is_file() && is_free() {
            let _ = again(|| fs::remove_file(&path));
        }
    }
}

/// Whether `path` has the name of a temporary file of [`write_whole`].
pub fn is_temporary(path: &Path) -> bool {
    target(path).is_some()
}

/// The name of the file that a temporary one was to become; `None` if it isn't a temporary file.
fn target(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    let name = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    let (target, process) = name.rsplit_once('.')?;
    process.parse::<u32>().ok().map(|_| target.to_string())
}

/// The path of a file for `path` until it is complete.
fn temporary_of(path: &Path) -> io::Result<PathBuf> {
    let Some(name) = path.file_name() else {
        let why = "not a file's name; name a file in this folder";
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    };
    // With the process id, two runs that write the same file don't disturb each other.
    let mut temporary_name = std::ffi::OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(temporary_name))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_of(path)?;
    let result = write_synced(&temporary, bytes).and_then(|_held| again(|| fs::rename(&temporary, path)));
    if result.is_err() {
        // The first error is the one to report, whether or not there was a file to remove.
        let _ = again(|| fs::remove_file(&temporary));
        return result;
    }
    sync_folder_of(path)
}

/// Writes the file and keeps it locked until it has its final name, so that [`remove_temporary`] knows that it is in
/// use.
fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<Option<File>> {
    let mut file = File::create(path)?;
    if cfg!(unix) {
        // If there are no locks, the file isn't taken for an abandoned one either.
        let _ = try_lock(&file);
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    // Elsewhere a lock keeps readers out too, and an open file its name.
    Ok(cfg!(unix).then_some(file))
}

/// Syncs the folder, as a rename is on the disk only then. Only Unix lets a folder be opened.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_new_bytes_replace_the_old_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        write_whole(&path, b"a longer first version").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names_in(folder.path()), ["log.csv"]);
    }

    #[test]
    fn a_refusal_names_the_target_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        // A folder stands where the file should go: the temporary file is written, the rename refused.
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("inside")).unwrap();
        // The folder isn't there at all: the temporary file can't be made.
        let nowhere = folder.path().join("no/such/file");
        for target in [&taken, &nowhere] {
            let error = write_whole(target, b"bytes").unwrap_err().to_string();
            assert!(error.starts_with(&format!("{}: ", target.display())), "{error}");
        }
        assert_eq!(names_in(folder.path()), ["taken"]);
    }

    /// A process that was killed has let go of its file; one that lives, be it this one, holds it.
    #[cfg(unix)]
    #[test]
    fn only_what_dead_processes_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let held = write_synced(&folder.path().join(".log.csv.7.tmp"), b"").unwrap();
        for name in [".log.csv.8.tmp", ".vimrc.tmp", "log.9.tmp", ".tmp"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        remove_temporary(folder.path());
        let others = [".log.csv.7.tmp", ".tmp", ".vimrc.tmp", "log.9.tmp"];
        assert_eq!(names_in(folder.path()), others);
        drop(held);
        remove_temporary_of(&folder.path().join("csv"));
        assert_eq!(names_in(folder.path()), others);
        remove_temporary_of(&folder.path().join("log.csv"));
        assert_eq!(names_in(folder.path()), others[1..]);
    }

    #[test]
    fn what_a_signal_cut_short_is_done_again() {
        let mut left = 3;
        let done = again(|| match left {
            0 => Ok("done"),
            _ => {
                left -= 1;
                Err(io::Error::from(ErrorKind::Interrupted))
            }
        });
        assert_eq!((done.unwrap(), left), ("done", 0));
        assert!(!is_file(Path::new("Cargo.toml/in")).unwrap());
    }

    #[test]
    fn a_file_that_is_too_large_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.toml");
        fs::write(&path, b"four").unwrap();
        assert_eq!(read_at_most(&path, 4).unwrap().unwrap(), b"four");
        assert!(read_at_most(&path, 3).unwrap().is_none());
        assert!(read_at_most(folder.path(), 3).is_err());
    }

    #[test]
    fn a_path_without_a_file_name_is_an_error() {
        let error = write_whole(Path::new("/"), b"").unwrap_err().to_string();
        assert!(error.contains("name a file"), "{error}");
    }
}
