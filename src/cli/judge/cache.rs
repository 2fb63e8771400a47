//! The cache of judges: in the user's cache folder, by the sum of their training data and settings.

use crate::cli::warn;
use crate::data::{self, DIGITS, Images, Wanted, stacked};
use crate::files::{check_writable, make_folder};
use crate::judge::{self, Judge, JudgeSpec};
use crate::recipe::DataSpec;
use crate::run::judging;
use crate::storage::Device;
use crate::terminal::{excerpt, shell_word};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The specification of the judge for the set `data` of these `images`; `or_else` says what may be done besides giving
/// another set.
pub(super) fn spec_for(data: &str, images: &Images, or_else: &str) -> Result<JudgeSpec> {
    if data == DIGITS {
        return Ok(JudgeSpec::digits());
    }
    JudgeSpec::of(images).map_err(|[what, fix]| Error::data(data, what, fix + or_else))
}

/// The judge of the samples of a run on these `images` of the set `data`: the judge in the file `given`, that of the
/// built-in digits, or one from the cache, if there is any.
///
/// # Errors
/// If the file doesn't have a judge for such images, or one in the cache is damaged.
pub(in crate::cli) fn of_run(
    given: Option<&Path>,
    data: &DataSpec,
    images: &Images,
    device: Device,
) -> Result<Option<Judge>> {
    if let Some(path) = given {
        let judge = judge::load(path, device)?;
        judging::check(path, &judge, &data.name, images)?;
        match stacked::planes_of(&data.name) {
            Some(planes) => tell_other(path, &judge, planes, &planes_for(planes, data, images)?),
            None => tell_other(path, &judge, &data.name, images),
        }
        return Ok(Some(judge));
    }
    match stacked::planes_of(&data.name) {
        Some(planes) => kept_for(planes, &planes_for(planes, data, images)?, device),
        None => kept_for(&data.name, images, device),
    }
}

/// The images of the set `planes`, of which the stacked `images` are made.
fn planes_for(planes: &str, data: &DataSpec, images: &Images) -> Result<Images> {
    let size = Some([images.height, images.width, 1]);
    let wanted = Wanted { size, background: data.background, extra: data.extra, ..wanted() };
    Ok(data::open(planes, &wanted)?.images)
}

/// Prints a note if the `judge` in the file `path` was trained on another set than these `images`, of the set `data`.
pub(super) fn tell_other(path: &Path, judge: &Judge, data: &str, images: &Images) {
    let of = &judge.about.data;
    // The built-in digits depend on a run's seed.
    let are_digits = of == DIGITS && data == DIGITS;
    if are_digits || judge.is_of(images) {
        return;
    }
    let (path, of, data) = (path.display(), excerpt(of), excerpt(data));
    warn(&format!(
        "{path}: was trained on other images, of {of}, than those of {data} that it is asked about; its figures say how \
         they look to a judge of other images"
    ));
}

/// The judge of the built-in digits, or the one in the cache for these `images` of another set.
fn kept_for(data: &str, images: &Images, device: Device) -> Result<Option<Judge>> {
    if data == DIGITS {
        return Ok(Some(judge::built_in(device)));
    }
    match JudgeSpec::of(images) {
        Ok(spec) => find(&spec, data, images, &format!("{}, or leave it out by --no-judge", anew(data)), device),
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
    // The built-in digits depend on the seed.
    Wanted { seed: JudgeSpec::digits().training.seed, ..Wanted::default() }
}

/// The file of the judge that `spec` makes of `images`; `None` if the system names no cache folder.
pub(super) fn place(spec: &JudgeSpec, images: &Images) -> Option<PathBuf> {
    let folder = dirs::cache_dir()?.join("minimax").join("judges");
    Some(folder.join(judge::file_name(spec, images)))
}

/// What to do about a damaged judge of the set `data` in the cache.
pub(super) fn anew(data: &str) -> String {
    format!("delete it, or train it anew with: minimax judge train {}", shell_word(data.as_ref()))
}

/// That judge, if it is in the cache. If its file has a judge that was trained on other images than those of the set
/// `data`, it is passed over with a note.
///
/// # Errors
/// If the file exists and can't be read or is damaged; `fix` says what to do about that.
pub(super) fn find(spec: &JudgeSpec, data: &str, images: &Images, fix: &str, device: Device) -> Result<Option<Judge>> {
    let Some(path) = place(spec, images) else {
        return Ok(None);
    };
    if !crate::files::is_file(&path)? {
        return Ok(None);
    }
    let judge = judge::load_or(&path, device, fix)?;
    if judge.is_of(images) {
        return Ok(Some(judge));
    }
    let (path, of, data) = (path.display(), excerpt(&judge.about.data), excerpt(data));
    warn(&format!("{path}: was trained on other images, of {of}, than those of {data}; it is not used"));
    Ok(None)
}

/// Makes the folder of `path`, a judge's place in the cache, and checks that it takes a file.
///
/// # Errors
/// If it doesn't.
pub(super) fn make_ready(path: &Path) -> Result<()> {
    let ready = path.parent().map_or(Ok(()), make_folder).and_then(|()| check_writable(path));
    ready.map_err(|error| match error {
        Error::Io { path, source } => {
            let what = format!("no judge can be kept here ({source}); name a file by minimax judge train --out");
            Error::place(path, what)
        }
        other => other,
    })
}
