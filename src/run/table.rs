//! CSV tables to which a run appends: rows of numbers, the first of which is a step. A run that is resumed first drops
//! the rows of steps that its checkpoint doesn't know, so that no step appears twice.

use crate::files::{self, is_file, write_whole};
use crate::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often rows are flushed, as somebody may be watching the file grow.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// A table that is open for appending.
pub struct Table {
    path: PathBuf,
    file: BufWriter<File>,
    flushed: Instant,
}

impl Table {
    /// The table at `path` with the columns `header`. Rows of an existing table stay if their step is `kept`. A table
    /// of an older version may lack the last columns, which are then empty.
    ///
    /// # Errors
    /// If it can't be read or written, or has other columns.
    pub fn open(path: &Path, header: &str, kept: impl Fn(u64) -> bool) -> Result<Table> {
        let mut text = format!("{header}\n");
        // A table that somebody has moved away is begun anew.
        if is_file(path)? {
            let old = read(path)?;
            let found = old.lines().next().unwrap_or(header);
            let lacks = match header.strip_prefix(found) {
                Some(rest) if rest.is_empty() || rest.starts_with(',') => rest.matches(',').count(),
                _ => return Err(not_ours(path)),
            };
            let rows = old.lines().skip(1);
            for row in rows.filter(|row| step_of(row, found).is_some_and(&kept)) {
                text += row;
                text.extend(std::iter::repeat_n(',', lacks));
                text.push('\n');
            }
        }
        write_whole(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path);
        Ok(Table {
            path: path.to_path_buf(),
            file: BufWriter::new(file.map_err(Error::io(path))?),
            flushed: Instant::now(),
        })
    }

    /// Appends `row`, in the order of the header and without a line's end.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn append(&mut self, row: &str) -> Result<()> {
        writeln!(self.file, "{row}").map_err(Error::io(&self.path))?;
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
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(Error::io(&self.path))
    }
}

/// The step of a row, or `None` if the row is incomplete.
fn step_of(row: &str, header: &str) -> Option<u64> {
    let whole = row.matches(',').count() == header.matches(',').count();
    let step = row.split(',').next()?.parse().ok()?;
    whole.then_some(step)
}

fn read(path: &Path) -> Result<String> {
    let bytes = files::read(path)?;
    String::from_utf8(bytes).map_err(|_| not_ours(path))
}

fn not_ours(path: &Path) -> Error {
    let what = "is not the table that a run writes";
    Error::data(path, what, "move it away, and a new one is begun")
}

/// A field for a number, or an empty one: seven significant digits, about as many as an f32 has, without zeros at
/// the end; very small and very large numbers as 6.6e-8.
pub(super) fn field(number: Option<f64>) -> String {
    number.map_or(String::new(), |v| format!("{:?}", rounded(v)))
}

/// `number` as a table has it.
pub(super) fn rounded(number: f64) -> f64 {
    let digits = format!("{number:.6e}");
    digits.parse().expect("a number that was just written")
}

/// A table that has been read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    names: Vec<String>,
    /// The fields row by row; `None` for a field that isn't a number.
    rows: Vec<Vec<Option<f64>>>,
}

impl Columns {
    /// Reads the table at `path`. Incomplete rows are left out, as a run may be appending one.
    ///
    /// # Errors
    /// If the file can't be read, or isn't such a table.
    pub fn read(path: &Path) -> Result<Columns> {
        let text = read(path)?;
        let mut lines = text.split_inclusive('\n');
        let fields = |line: &str| -> Vec<String> { line.trim_end().split(',').map(str::to_string).collect() };
        let names: Vec<String> = lines.next().map(fields).unwrap_or_default();
        if names.first().is_none_or(|name| name != "step") {
            return Err(not_ours(path));
        }
        let rows = lines
            .filter(|line| line.ends_with('\n'))
            .map(|line| fields(line).iter().map(|v| v.parse().ok()).collect())
            .filter(|row: &Vec<Option<f64>>| row.len() == names.len())
            .collect();
        Ok(Columns { names, rows })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The column `name`, with `None` for an empty field. If there is no such column, all are `None`.
    pub fn column(&self, name: &str) -> Vec<Option<f64>> {
        let place = self.names.iter().position(|other| other == name);
        let value = |row: &Vec<Option<f64>>| place.and_then(|place| row[place]);
        self.rows.iter().map(value).collect()
    }

    /// The rows where both columns have a number.
    pub fn points(&self, x: &str, y: &str) -> Vec<(f64, f64)> {
        let rows = self.column(x).into_iter().zip(self.column(y));
        rows.filter_map(|(x, y)| Some((x?, y?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_have_seven_significant_digits() {
        for (number, text) in [
            (6.612345678e-8, "6.612346e-8"),
            (0.412345678901, "0.4123457"),
            (-1234.56789012, "-1234.568"),
            (0.25, "0.25"),
            (0.0, "0.0"),
            (3.0, "3.0"),
            (1.5e20, "1.5e20"),
        ] {
            assert_eq!(field(Some(number)), text);
            let read: f64 = text.parse().unwrap();
            assert!((read - number).abs() <= 5e-7 * number.abs() && read == rounded(number), "{text}");
        }
        assert_eq!(field(None), "");
    }

    #[test]
    fn what_the_checkpoint_does_not_know_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let mut table = Table::open(&path, "step,loss", |_| true).unwrap();
        for row in ["1,0.5", "2,", "3,0.25", "4,0.125"] {
            table.append(row).unwrap();
        }
        drop(table);
        let mut table = Table::open(&path, "step,loss", |step| step <= 3).unwrap();
        table.append("4,8").unwrap();
        table.sync().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "step,loss\n1,0.5\n2,\n3,0.25\n4,8\n");

        std::fs::write(&path, text + "5,0.1").unwrap();
        let columns = Columns::read(&path).unwrap();
        assert_eq!(columns.len(), 4, "the last row may not be whole");
        assert_eq!(columns.points("step", "loss"), [(1.0, 0.5), (3.0, 0.25), (4.0, 8.0)]);
        assert_eq!(columns.column("other"), [None; 4]);
    }
}
