//! Which files belong to a run, so that no other command may overwrite them.

use super::folder::{
    ANIMATION, BEST, CHECKPOINT, COMPARISON, CURVES, DISCRIMINATOR, EPOCHS, GENERATOR, HISTORY, JUDGE, KEPT, LOG,
    MONTAGE, PROFILE, RECIPE, REPORT, SAMPLES,
};
use crate::report::EventFile;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// The names of a run's files in its own folder, besides TensorBoard's.
const FILES: [&str; 16] = [
    DISCRIMINATOR,
    RECIPE,
    HISTORY,
    LOG,
    EPOCHS,
    CHECKPOINT,
    GENERATOR,
    BEST,
    JUDGE,
    ANIMATION,
    COMPARISON,
    MONTAGE,
    CURVES[0],
    CURVES[1],
    REPORT,
    PROFILE,
];

/// Where a file written to `path` would be. Links are followed, as they are in writing.
///
/// # Errors
/// If the folder in which it would be doesn't exist.
pub fn place_of(path: &Path) -> io::Result<PathBuf> {
    // A link that leads nowhere would itself be replaced.
    path.canonicalize().or_else(|_| {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(folder.unwrap_or(Path::new(".")).canonicalize()?.join(name))
    })
}

/// The folder of the run to which the file at `place` (see [`place_of`]) belongs, whether the file exists or not.
/// Everything in `samples/` and `kept/` belongs to a run, and so do the names of a run's files beside them. A folder is
/// a run's if it has a recipe or a checkpoint.
pub fn run_of(place: &Path) -> Option<&Path> {
    let (folder, name) = (place.parent()?, place.file_name()?);
    let is = |name: &OsStr, one: &str| name == OsStr::new(one);
    let named = FILES.iter().any(|file| is(name, file)) || name.to_str().is_some_and(EventFile::is_name);
    if named && is_run(folder) {
        return Some(folder);
    }
    let within = folder.file_name()?;
    let inside = [SAMPLES, KEPT].iter().any(|one| is(within, one));
    folder.parent().filter(|run| inside && is_run(run))
}

fn is_run(folder: &Path) -> bool {
    let signs = [RECIPE, CHECKPOINT, BEST, GENERATOR, DISCRIMINATOR];
    signs.iter().any(|file| folder.join(file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_run_are_known_by_any_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        let run = at.join("run");
        for inside in [SAMPLES, KEPT] {
            std::fs::create_dir_all(run.join(inside)).unwrap();
        }
        std::fs::write(run.join(RECIPE), "").unwrap();
        let owner = |path: &str| {
            let place = place_of(&at.join(path)).unwrap();
            run_of(&place).map(Path::to_path_buf)
        };
        for own in [
            "run/checkpoint.safetensors",
            "run/best.safetensors",
            "run/log.csv",
            "run/run.toml",
            "run/report.html",
            "run/events.out.tfevents.1.minimax",
            "run/samples/../curves.svg",
            "run/samples/epoch-0009.png",
            "run/samples/step-000050.png",
            "run/kept/x.onnx",
        ] {
            assert_eq!(owner(own), Some(run.clone()), "{own}");
        }
        for other in ["run/generator.onnx", "run/grid.png", "log.csv", "samples.gif"] {
            assert_eq!(owner(other), None, "{other}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(run.join(RECIPE), at.join("link")).unwrap();
            std::os::unix::fs::symlink(&run, at.join("there")).unwrap();
            for own in ["link", "there/best.safetensors"] {
                assert_eq!(owner(own), Some(run.clone()), "{own}");
            }
        }
        assert!(place_of(&at.join("nowhere/x")).is_err());
    }
}
