//! Where judges are kept: in the user's folder for caches, by the sum of what they were trained on and how.

use crate::data::{self, DIGITS, Images, Wanted, stacked};
use crate::judge::{self, Judge, JudgeSpec};
use crate::recipe::DataSpec;
use crate::run::judging;
use crate::storage::Device;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The judge for the set `data` of these `images`.
pub(super) fn spec_for(data: &str, images: &Images) -> Result<JudgeSpec> {
    if data == DIGITS {
        return Ok(JudgeSpec::digits());
    }
    JudgeSpec::of(images).map_err(|what| Error::data(data, what, "give a data set with labels, or a judge by --judge"))
}

/// What judges the samples of a run on these `images` of the set `data`: the judge in the file `given`, that of the built-in
/// digits, or one that is kept; none where there is none.
///
/// # Errors
/// If the file is no judge of such images, or a kept one is damaged.
pub(in crate::cli) fn of_run(
    given: Option<&Path>,
    data: &DataSpec,
    images: &Images,
    device: Device,
) -> Result<Option<Judge>> {
    if let Some(path) = given {
        let judge = judge::load(path, device)?;
        judging::check(path, &judge, &data.name, images)?;
        return Ok(Some(judge));
    }
    match stacked::planes_of(&data.name) {
        Some(planes) => {
            let size = Some([images.height, images.width, 1]);
            let wanted = Wanted { size, background: data.background, extra: data.extra, ..wanted() };
            kept_for(planes, &data::open(planes, &wanted)?.images, device)
        }
        None => kept_for(&data.name, images, device),
    }
}

/// The judge of the built-in digits, or the one that is kept for these `images` of another set.
fn kept_for(data: &str, images: &Images, device: Device) -> Result<Option<Judge>> {
    if data == DIGITS {
        return Ok(Some(judge::built_in(device)));
    }
    match JudgeSpec::of(images) {
        Ok(spec) => find(&spec, images, device),
        Err(_) => Ok(None),
    }
}

/// Whether a judge can be trained for `images` of the set `data`.
pub(in crate::cli) fn can_be_judged(data: &str, images: &Images) -> bool {
    match stacked::planes_of(data) {
        // A stacked set's labels are modes, of several digits.
        Some(_) => images.classes() > 1,
        None => JudgeSpec::of(images).is_ok(),
    }
}

/// How the set `data` is opened for its judge.
pub(super) fn wanted() -> Wanted {
    // The built-in digits depend on it.
    Wanted { seed: JudgeSpec::digits().training.seed, ..Wanted::default() }
}

/// The file of the judge that `spec` makes of `images`; none where the system names no folder for caches.
pub(super) fn place(spec: &JudgeSpec, images: &Images) -> Option<PathBuf> {
    let folder = dirs::cache_dir()?.join("minimax").join("judges");
    Some(folder.join(judge::file_name(spec, images)))
}

/// That judge, if it is kept.
///
/// # Errors
/// If there is a file, and it can't be read or is damaged.
pub(super) fn find(spec: &JudgeSpec, images: &Images, device: Device) -> Result<Option<Judge>> {
    match place(spec, images) {
        Some(path) if crate::files::is_file(&path)? => judge::load(&path, device).map(Some),
        _ => Ok(None),
    }
}
