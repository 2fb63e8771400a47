//! `minimax data verify`: checks whether the files of a public data set are complete and right.

use super::{ManifestArgs, folder_of};
use crate::cli::print;
use crate::cli::table::{Align, align, thousands};
use crate::data::manifest::{Manifest, Set};
use crate::data::verify::{Check, State, check, recognise};
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `minimax data verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// A public data set in datasets/NAME, or any folder with the files of one
    #[arg(value_name = "NAME|DIR")]
    pub data: PathBuf,
    /// The list of data sets.
    #[command(flatten)]
    pub manifest: ManifestArgs,
}

/// Runs `minimax data verify` and prints a table with a row for each file.
///
/// # Errors
/// [`Error::Usage`] for something that is neither a name nor a folder, [`Error::Data`] for a folder without files of
/// any set, [`Error::CheckFailed`] if a file is absent or wrong, and those of [`Manifest::read`] and [`check`].
pub fn run(args: &VerifyArgs) -> Result<()> {
    let manifest = args.manifest.load()?;
    let (set, folder) = find(&manifest, &args.data)?;
    let checks = check(set, &folder)?;
    print(&table(set, &folder, &checks))?;
    let wrong = checks.iter().filter(|check| !check.is_right()).count();
    if wrong == 0 {
        return Ok(());
    }
    let (all, name) = (checks.len(), &set.name);
    let elsewhere = match folder == folder_of(name) {
        true => String::new(),
        false => format!(" --out {}", folder.display()),
    };
    Err(Error::CheckFailed(format!(
        "{wrong} of {all} files are absent or wrong; \
         get them with: minimax data fetch {name}{elsewhere}"
    )))
}

/// The set that is meant and where it is.
fn find<'m>(manifest: &'m Manifest, data: &Path) -> Result<(&'m Set, PathBuf)> {
    if let Some(set) = data.to_str().and_then(|name| manifest.set(name)) {
        return Ok((set, folder_of(&set.name)));
    }
    let (folder, names) = (data.to_path_buf(), manifest.names());
    if !folder.is_dir() {
        let fix = format!("choose one of {names} or give a folder's path");
        return Err(Error::Usage(format!("{}: no such data set; {fix}", data.display())));
    }
    match recognise(manifest, &folder)? {
        Some(set) => Ok((set, folder)),
        None => Err(Error::data(folder, "no file of a public data set in this folder", format!("known are {names}"))),
    }
}

fn table(set: &Set, folder: &Path, checks: &[Check]) -> String {
    let mut rows = vec![["file", "bytes", "SHA-256", ""].map(String::from)];
    rows.extend(checks.iter().map(|check| {
        let (bytes, sum) = match check.found {
            // Enough of the sum to tell two files apart.
            Some((bytes, sum)) => (thousands(bytes), format!("{:.12}", sum.to_string())),
            None => ("-".into(), "-".into()),
        };
        let state = match &check.state {
            State::Right(how) => format!("ok: {how}"),
            State::Absent => "absent".into(),
            State::Wrong(what) => format!("wrong: {what}"),
        };
        [check.name.clone(), bytes, sum, state]
    }));
    let sides = [Align::Left, Align::Right, Align::Left, Align::Left];
    let folder = folder.display();
    format!("{} in {folder}\n{}", set.name, align(&rows, sides))
}
