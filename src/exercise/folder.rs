//! The crate of an exercise: how it is written, and how it is known again.

use super::Exercise;
use super::text::Case;
use crate::files::{list, make_folder, read, write_whole};
use crate::terminal::{excerpt, shell_word};
use crate::{Error, Result};
use std::fs;
use std::path::Path;

/// The program's version, which a crate is for.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a crate is known by.
const MANIFEST: &str = "Cargo.toml";

/// Writes the crate of `exercise` to `folder`, which isn't there or is empty.
///
/// # Errors
/// If it is something else, or can't be written; nothing of the crate is left then.
pub fn start(exercise: &Exercise, folder: &Path) -> Result<()> {
    let was_there = folder.exists();
    if was_there && !folder.is_dir() {
        return Err(Error::place(folder, "is a file; choose another name for the exercise's folder"));
    }
    if was_there && !list(folder)?.is_empty() {
        let what = "has something in it already; choose a folder that is empty or isn't there yet";
        return Err(Error::place(folder, what));
    }
    let written = write(exercise, folder);
    if written.is_err() {
        // The first error is the one to report, whether or not there was something to remove.
        for name in ["src", "harness", "tests", ".cargo"] {
            let _ = fs::remove_dir_all(folder.join(name));
        }
        for name in ["cases.txt", ".gitignore", "build.rs", MANIFEST] {
            let _ = fs::remove_file(folder.join(name));
        }
        if !was_there {
            let _ = fs::remove_dir(folder);
        }
    }
    written
}

fn write(exercise: &Exercise, folder: &Path) -> Result<()> {
    let cases: Vec<String> = (exercise.cases)().iter().map(Case::to_string).collect();
    let manifest = include_str!("crate_files/Cargo.toml.in");
    let manifest = manifest.replace("NAME", exercise.name).replace("TARGET", exercise.files.target);
    let test = include_str!("crate_files/cases.rs").replace("LIMIT", &format!("{:e}", exercise.tolerance));
    let others = exercise.files.others.iter().copied();
    for (name, text) in others.chain([
        (exercise.files.target, exercise.files.stub),
        ("harness/main.rs", include_str!("crate_files/main.rs")),
        ("harness/call.rs", exercise.files.call),
        ("harness/text.rs", include_str!("text.rs")),
        ("tests/cases.rs", &test),
        ("cases.txt", &cases.join("\n")),
        (".gitignore", "/target\n"),
        // Last, so that a folder which has it has everything.
        (MANIFEST, &manifest.replace("VERSION", VERSION)),
    ]) {
        let path = folder.join(name);
        make_folder(path.parent().unwrap_or(folder))?;
        write_whole(&path, text.as_bytes())?;
    }
    Ok(())
}

/// The exercise whose crate is in `folder`.
///
/// # Errors
/// If it is none, or one of another version of this program.
pub fn open(folder: &Path) -> Result<&'static Exercise> {
    let none = |what: &str| {
        let fix = "name the folder that `minimax exercise start NAME DIR` has made";
        Err(Error::place(folder, format!("{what}; {fix}")))
    };
    if !folder.exists() {
        return none("isn't there");
    }
    let path = folder.join(MANIFEST);
    if !path.is_file() {
        return none("is no exercise: it has no Cargo.toml");
    }
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let manifest = match text.parse::<toml::Table>() {
        Ok(manifest) => manifest,
        Err(error) => return Err(Error::data(&path, error.message(), "fix that line, or start again")),
    };
    let ours = manifest.get("package").and_then(|p| p.get("metadata")).and_then(|m| m.get("minimax"));
    let said = |key: &str| ours.and_then(|ours| ours.get(key)).and_then(toml::Value::as_str);
    let (Some(name), Some(version)) = (said("exercise"), said("version")) else {
        return none("is no exercise: its Cargo.toml has no [package.metadata.minimax] with an exercise and a version");
    };
    let again = |why: String| {
        let fix = "start the exercise again in another folder, and copy what you wrote there";
        Err(Error::data(&path, why, fix))
    };
    match Exercise::find(name) {
        _ if version != VERSION => again(format!("made by minimax {}, and this is {VERSION}", excerpt(version))),
        None => again(format!("there is no exercise {}", excerpt(name))),
        Some(exercise) => Ok(exercise),
    }
}

/// The command that checks what is in `folder`.
pub fn check_command(folder: &Path) -> String {
    // What begins with a dash would be taken for a flag.
    let is_flag = folder.as_os_str().as_encoded_bytes().starts_with(b"-");
    let folder = if is_flag { Path::new(".").join(folder) } else { folder.to_path_buf() };
    format!("minimax exercise check {}", shell_word(folder.as_os_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercise::EXERCISES;
    use std::path::PathBuf;

    #[test]
    fn a_crate_is_written_whole_and_known_again() {
        let parent = tempfile::tempdir().unwrap();
        for exercise in EXERCISES {
            let folder = parent.path().join(exercise.name);
            start(exercise, &folder).unwrap();
            assert_eq!(open(&folder).unwrap().name, exercise.name);
            let said = start(exercise, &folder).unwrap_err().to_string();
            assert!(said.contains("has something in it already; choose"), "{said}");
        }
    }

    #[test]
    fn what_is_no_exercise_is_refused_in_one_line() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a");
        start(EXERCISES[0], &folder).unwrap();
        let path: PathBuf = folder.join(MANIFEST);
        let manifest = fs::read_to_string(&path).unwrap();
        let version = format!("version = \"{VERSION}\"");
        for (text, what) in [
            (manifest.replace(&version, "version = \"0.0.9\""), "made by minimax 0.0.9, and this is "),
            (manifest.replace(EXERCISES[0].name, "conv3d"), "there is no exercise conv3d"),
            (manifest.replace("[package.metadata.minimax]", "[package.metadata.other]"), "is no exercise"),
            ("[package".into(), "Cargo.toml: "),
        ] {
            fs::write(&path, text).unwrap();
            let said = open(&folder).unwrap_err().to_string();
            assert!(said.contains(what) && !said.contains('\n'), "{said}");
        }
        assert!(open(parent.path()).unwrap_err().to_string().contains("it has no Cargo.toml"));
        assert!(start(EXERCISES[0], &path).unwrap_err().to_string().contains("is a file; choose"));
    }

    #[test]
    fn nothing_is_left_of_a_crate_that_could_not_be_written() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("file"), "").unwrap();
        let inside_a_file = parent.path().join("file/in");
        start(EXERCISES[0], &inside_a_file).unwrap_err();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }
}
