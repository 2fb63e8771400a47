//! `run.toml`: when a run was trained, with what, and for how long. Nothing in it changes what is computed; the report
//! shows it.
//!
//! ```toml
//! seconds = 57.2
//!
//! [[session]]
//! began = 2026-11-26T06:05:16Z
//! step = 0
//! version = "0.1.0"
//! device = "cpu, 2 threads, AVX-512"
//! command = "minimax train quickstart"
//! ```

use super::folder;
use crate::cpu::isa;
use crate::files::{is_file, read_at_most, write_whole};
use crate::storage::Device;
use crate::terminal::{excerpt, shell_word};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use toml::value::{Date, Datetime, Offset, Time};

/// The largest size of such a file in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// The most sessions that are kept; if there are more, the first and the last ones are.
const MAX_SESSIONS: usize = 100;
/// The most bytes that are kept of a command.
const MAX_COMMAND: usize = 4000;

/// The contents of `run.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// How long the run was trained in all sessions up to its last checkpoint, including the time for files and
    /// pictures.
    pub seconds: f64,
    /// The sessions, one for each time it was begun or resumed, in order.
    #[serde(default, rename = "session")]
    pub sessions: Vec<Session>,
}

/// A process that trained a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// When it began, in UTC.
    pub began: Datetime,
    /// The number of steps that had been done before.
    pub step: u64,
    /// The version of this program.
    pub version: String,
    /// The device.
    pub device: String,
    /// The command that started the process, quoted for a shell.
    pub command: String,
}

impl History {
    /// Reads the file in `folder`. The history is empty if there is none, as in a run that an older version has begun.
    ///
    /// # Errors
    /// If it can't be read or isn't such a file.
    pub fn read(folder: &Path) -> Result<History> {
        let path = folder.join(folder::HISTORY);
        if !is_file(&path)? {
            return Ok(History::default());
        }
        let bytes = read_at_most(&path, MAX_BYTES)?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let history: Option<History> = text.and_then(|text| toml::from_str(&text).ok());
        let history = history.filter(|history| history.seconds >= 0.0 && history.seconds.is_finite());
        history.ok_or_else(|| Error::data(&path, "is not what a run writes", "move it away, and a new one is begun"))
    }
}

/// The history of a run that is being trained.
pub(super) struct Record {
    /// The history, with this session as its last.
    history: History,
    /// The seconds of earlier sessions.
    before: f64,
    start: Instant,
}

impl Record {
    /// The history of the run in `folder`, with a session that begins now after `step` steps on `device`.
    ///
    /// # Errors
    /// If there is a file that isn't a history, or the device doesn't exist.
    pub(super) fn open(folder: &Path, step: u64, device: Device) -> Result<Record> {
        let mut history = History::read(folder)?;
        history.sessions.push(Session {
            began: utc(SystemTime::now()),
            step,
            version: env!("CARGO_PKG_VERSION").into(),
            device: described(device)?,
            command: command(),
        });
        let more = history.sessions.len().saturating_sub(MAX_SESSIONS);
        history.sessions.drain(1..1 + more);
        let before = history.seconds;
        Ok(Record { history, before, start: Instant::now() })
    }

    /// Writes the history with the seconds so far.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) fn save(&mut self, folder: &Path) -> Result<()> {
        // Rounded to hundredths, as nobody needs more digits.
        self.history.seconds = ((self.before + self.start.elapsed().as_secs_f64()) * 100.0).round() / 100.0;
        let text = toml::to_string(&self.history).expect("numbers, words and dates");
        write_whole(&folder.join(folder::HISTORY), text.as_bytes())
    }
}

/// The device with what tells how fast it is.
fn described(device: Device) -> Result<String> {
    let name = device.described()?;
    Ok(match device {
        Device::Cpu => format!("{name}, {} threads, {}", rayon::current_num_threads(), isa::current()),
        _ => name,
    })
}

/// The command that started this process, without the folders that the program is in.
fn command() -> String {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default().to_os_string();
    let words = [program].into_iter().chain(arguments);
    let mut command = words.map(|word| shell_word(&word)).collect::<Vec<_>>().join(" ");
    if command.len() > MAX_COMMAND {
        command = excerpt(&command).to_string();
    }
    command
}

/// `time` as a date and a time of the day, to seconds. The date from days since 1970-01-01 is Howard Hinnant's
/// `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms", 2013), for times from 1970 on.
fn utc(time: SystemTime) -> Datetime {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Eras of 400 years, which begin with March: the leap day is the last of a year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let date = Date { year: (year_of_era + era * 400 + later) as u16, month: month as u8, day: day as u8 };
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60].map(|part| part as u8);
    let time = Time { hour, minute, second: Some(second), nanosecond: None };
    Datetime { date: Some(date), time: Some(time), offset: Some(Offset::Z) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // `date -u -d @SECONDS +%FT%TZ`.
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_674_316, "2026-11-26T06:25:16Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), date);
        }
    }

    #[test]
    fn sessions_add_up_and_the_first_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(History::read(folder.path()).unwrap(), History::default());
        for step in 0..MAX_SESSIONS as u64 + 3 {
            let mut record = Record::open(folder.path(), step, Device::Cpu).unwrap();
            record.start -= Duration::from_secs(2);
            record.save(folder.path()).unwrap();
        }
        let history = History::read(folder.path()).unwrap();
        assert!((206.0..230.0).contains(&history.seconds), "{}", history.seconds);
        let steps: Vec<u64> = history.sessions.iter().map(|session| session.step).collect();
        assert_eq!(steps.len(), MAX_SESSIONS);
        assert_eq!((steps[0], steps[1], steps[99]), (0, 4, 102));
        assert!(history.sessions[0].device.starts_with("cpu, "));
        // A session that wasn't saved doesn't appear: a command that has nothing to do leaves no trace.
        Record::open(folder.path(), 9, Device::Reference).unwrap();
        assert_eq!(History::read(folder.path()).unwrap(), history);

        for text in ["seconds = -1", "seconds = nan", "hello", "seconds = 1\nother = 2"] {
            std::fs::write(folder.path().join(folder::HISTORY), text).unwrap();
            let error = History::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains("run.toml: is not what a run writes; move it away"), "{error}");
        }
    }
}
