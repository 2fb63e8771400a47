//! Files written whole or not at all: a reader, or a run killed at any moment, finds the old bytes or
//! the new ones, never a part.

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes `bytes` to `path`, replacing what was there: a temporary file in the same folder, fsync,
/// rename, fsync of the folder. A link is followed; what is no file (a pipe, a device) is written to.
///
/// # Errors
/// [`Error::Io`] on `path` where the system refuses any of it; nothing of the attempt is left behind
/// and an old file stays as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = match fs::canonicalize(path) {
        Ok(target) if fs::metadata(&target).is_ok_and(|m| !m.is_file() && !m.is_dir()) => {
            fs::write(&target, bytes)
        }
        Ok(target) => replace(&target, bytes),
        Err(_) => replace(path, bytes),
    };
    written.map_err(Error::io(path))
}

/// Removes what a process that was killed in the middle of [`write_whole`] has left in `folder`.
/// What can't be removed does no harm.
pub fn remove_temporary(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        let why = "not a file's name; name a file in this folder";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    };
    // The process id keeps two runs that write the same file out of each other's way.
    let mut temporary_name = std::ffi::OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary_name);

    let result = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // The first error is the one to report, whether or not there was a file to remove.
        let _ = fs::remove_file(&temporary);
        return result;
    }
    sync_folder_of(path)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The rename itself is on the disk only once the folder is. Unix alone lets a folder be opened.
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
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
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
            assert!(
                error.starts_with(&format!("{}: ", target.display())),
                "{error}"
            );
        }
        assert_eq!(names_in(folder.path()), ["taken"]);
    }

    #[test]
    fn a_path_without_a_file_name_is_an_error() {
        let error = write_whole(Path::new("/"), b"").unwrap_err().to_string();
        assert!(error.contains("name a file"), "{error}");
    }
}
