//! `log.csv`: one row per step. Rows are appended as steps are done; a run that goes on first drops
//! the rows of steps that its checkpoint doesn't know, so that no step stands twice.

use super::step::StepReport;
use crate::files::write_whole;
use crate::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A number that there is none of is an empty field: `g_loss` where only the critic moved,
/// `wasserstein_estimate`, minus the critic's loss without its penalty, with any other loss.
const HEADER: &str =
    "step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate";

/// Somebody may be watching the file grow.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// An open log.
pub struct Log {
    path: PathBuf,
    file: BufWriter<File>,
    flushed: Instant,
}

impl Log {
    /// The log at `path`, holding the rows up to step `last` of the one that was there.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub fn open(path: &Path, last: u64) -> Result<Log> {
        let mut text = format!("{HEADER}\n");
        if last > 0 {
            let old = match std::fs::read_to_string(path) {
                // A log that somebody has moved away is begun anew.
                Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
                read => read.map_err(Error::io(path))?,
            };
            for row in old.lines().skip(1).filter(|row| is_known(row, last)) {
                text += row;
                text.push('\n');
            }
        }
        write_whole(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path);
        Ok(Log {
            path: path.to_path_buf(),
            file: BufWriter::new(file.map_err(Error::io(path))?),
            flushed: Instant::now(),
        })
    }

    /// Appends the row of `step`, counted from 1.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn row(
        &mut self,
        step: u64,
        epoch: u64,
        report: &StepReport,
        images_per_second: f64,
    ) -> Result<()> {
        let StepReport {
            d_loss,
            g_loss,
            d_real,
            d_fake,
            wasserstein,
            ..
        } = report;
        let optional = |number: &Option<f64>| number.map_or(String::new(), |v| format!("{v:.6}"));
        let (g_loss, wasserstein) = (optional(g_loss), optional(wasserstein));
        writeln!(
            self.file,
            "{step},{epoch},{d_loss:.6},{g_loss},{d_real:.6},{d_fake:.6},{images_per_second:.1},\
             {wasserstein}"
        )
        .map_err(Error::io(&self.path))?;
        if self.flushed.elapsed() > FLUSH_EVERY {
            self.file.flush().map_err(Error::io(&self.path))?;
            self.flushed = Instant::now();
        }
        Ok(())
    }

    /// Puts every row on the disk.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn sync(&mut self) -> Result<()> {
        let synced = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(Error::io(&self.path))
    }
}

/// True for a whole row of a step up to `last`.
fn is_known(row: &str, last: u64) -> bool {
    let step = row
        .split(',')
        .next()
        .and_then(|step| step.parse::<u64>().ok());
    let whole = row.matches(',').count() == HEADER.matches(',').count();
    whole && step.is_some_and(|step| step <= last)
}
