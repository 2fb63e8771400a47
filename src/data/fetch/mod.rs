//! Downloads a public set from the first mirror that has it. A download goes on where an earlier one was cut off, and a
//! file gets its name only once it is complete and has the right SHA-256 sum.

mod download;
mod http;
mod unpack;

use super::manifest::{File, Set};
use super::verify::{self, Check, State};
use crate::files::again;
use crate::{Error, Result};
use download::Download;
use http::Client;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What is happening, for a caller that shows it.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A file is there already and right.
    Present(&'a File),
    /// A file is downloaded from `url`; `done` of its bytes are left from an earlier try.
    Begun {
        /// Which file.
        file: &'a File,
        /// From where.
        url: &'a str,
        /// Bytes that are there.
        done: u64,
    },
    /// The number of the file's bytes that are there now.
    Received(u64),
    /// The mirror at `url` failed.
    Failed {
        /// Which mirror.
        url: &'a str,
        /// What went wrong.
        why: &'a str,
        /// Whether this mirror is asked again; if not, the next one is.
        again: bool,
    },
    /// A file is whole and in its place; an archive is unpacked.
    Finished(&'a File),
}

/// How long to wait for a mirror.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// The longest wait for a connection, and for each answer and read.
    pub silence: Duration,
    /// A mirror must bring `least` bytes in each such stretch of time.
    pub stretch: Duration,
    /// See `stretch`.
    pub least: u64,
    /// The longest time for one file from one mirror, with all retries.
    pub whole: Duration,
}

impl Default for Patience {
    /// A quarter of a minute of silence, 10 kB a second, six hours.
    fn default() -> Patience {
        Patience {
            silence: Duration::from_secs(15),
            stretch: Duration::from_secs(30),
            least: 300_000,
            whole: Duration::from_secs(6 * 3600),
        }
    }
}

/// Downloads the files of `set` that `folder` lacks, and unpacks archives there. `progress` is told of every step;
/// `stop` is asked again and again whether to stop.
///
/// Until a file is complete it is called `<name>.part`, and the next call goes on with it. An archive is removed once
/// it is unpacked.
///
/// # Errors
/// [`Error::Data`] for a file that no mirror gave, with what each of them said, for an archive that doesn't hold what
/// it should, and for a file that is in the way. [`Error::Io`] if the system refuses to write, and
/// [`Error::Interrupted`] after `stop`.
pub fn fetch(
    set: &Set,
    folder: &Path,
    patience: Patience,
    progress: &mut dyn FnMut(Progress),
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let client = &Client::new(patience);
    for file in &set.files {
        let checks = verify::check_file(file, folder)?;
        if checks.iter().all(Check::is_right) {
            progress(Progress::Present(file));
            continue;
        }
        let path = folder.join(&file.name);
        if file.is_archive() {
            // It may have been put there by hand, or a stop have come before all of it was unpacked.
            if !is_published(file, &path)? {
                Download::new(client, file, &path, progress, stop).run(&set.mirrors)?;
            }
            unpack::unpack(&path, &file.contents, stop)?;
            again(|| fs::remove_file(&path)).map_err(Error::io(&path))?;
        } else {
            nothing_in_the_way(&checks, file, folder)?;
            Download::new(client, file, &path, progress, stop).run(&set.mirrors)?;
        }
        progress(Progress::Finished(file));
    }
    Ok(())
}

fn is_published(file: &File, path: &Path) -> Result<bool> {
    Ok(verify::look(path)?.is_some_and(|(_, sum)| sum == file.sha256))
}

/// A wrong file without `.gz` would be read in place of the `.gz` that is downloaded.
fn nothing_in_the_way(checks: &[Check], file: &File, folder: &Path) -> Result<()> {
    for check in checks.iter().filter(|check| check.name != file.name) {
        if let State::Wrong(what) = &check.state {
            let fix = format!("remove it, so that {} can take its place", file.name);
            return Err(Error::data(folder.join(&check.name), what, fix));
        }
    }
    Ok(())
}
