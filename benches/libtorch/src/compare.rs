//! This run's ratios against an earlier one's, which `--json` wrote.

use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

/// The share of its ratio that a row may lose before it is listed.
const TOLERANCE: f64 = 0.1;

/// The ratios of an earlier run.
pub struct Baseline {
    threads: usize,
    ratios: HashMap<String, f64>,
}

/// A line of its file: the setting, a timed row, or one that has no ratio of times.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Setting { threads: usize },
    Timed { row: String, ratio: f64, libtorch_ms: f64 },
    Other { row: String },
}

impl Baseline {
    /// That of a file of JSON lines.
    ///
    /// # Errors
    /// Where the file can't be read, or isn't such a file.
    pub fn read(path: &Path) -> Result<Baseline, String> {
        let named = |what: &str| format!("--compare {}: {what}", path.display());
        let text =
            std::fs::read_to_string(path).map_err(|error| named(&format!("{error}; name a file that --json wrote")))?;
        Baseline::parse(&text).map_err(|what| named(&what))
    }

    fn parse(text: &str) -> Result<Baseline, String> {
        let mut baseline = Baseline { threads: 0, ratios: HashMap::new() };
        for (i, line) in text.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(Line::Setting { threads }) => baseline.threads = threads,
                Ok(Line::Timed { row, ratio, libtorch_ms }) if ratio > 0.0 && libtorch_ms > 0.0 => {
                    baseline.ratios.insert(row, ratio);
                }
                Ok(Line::Other { row }) if !row.is_empty() => {}
                _ => return Err(format!("line {} is not one that --json writes; measure anew", i + 1)),
            }
        }
        if baseline.threads == 0 || baseline.ratios.is_empty() {
            return Err("it has no timed rows; measure anew with --json".into());
        }
        Ok(baseline)
    }

    /// That it can be compared with a run of the rows `names` on `threads` threads.
    ///
    /// # Errors
    /// Where it was measured on another number of threads, or has none of the rows.
    pub fn check<'a>(&self, threads: usize, mut names: impl Iterator<Item = &'a str>) -> Result<(), String> {
        if self.threads != threads {
            let then = self.threads;
            return Err(format!(
                "--compare: that run had {then} threads, this one has {threads}; choose with --threads"
            ));
        }
        match names.any(|name| self.ratios.contains_key(name)) {
            true => Ok(()),
            false => Err("--compare: none of these rows is in that file; choose others with --rows".into()),
        }
    }

    /// The rows that have lost more than a tenth of their ratio, the worst first: name, ratio then, ratio now.
    pub fn lost<'a>(&self, now: &'a [(String, f64)]) -> Vec<(&'a str, f64, f64)> {
        let then = |(name, now): &'a (String, f64)| Some((name.as_str(), *self.ratios.get(name)?, *now));
        let mut lost: Vec<_> = now.iter().filter_map(then).collect();
        lost.retain(|&(_, then, now)| now < (1.0 - TOLERANCE) * then);
        lost.sort_by(|a, b| (a.2 / a.1).total_cmp(&(b.2 / b.1)));
        lost
    }

    /// How many rows are in both runs.
    pub fn shared(&self, now: &[(String, f64)]) -> usize {
        now.iter().filter(|(name, _)| self.ratios.contains_key(name)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: &str = r#"{"threads": 2, "libtorch": "2.15", "load": null, "limit_one_thread": 1.0, "limit": 2.0}
{"row": "a", "ours_ms": 1.0, "libtorch_ms": 2.0, "ratio": 2.0}
{"row": "b", "ours_ms": 1.0, "libtorch_ms": 1.0, "ratio": 1.0}
{"row": "c", "ours_ms": 1.0, "libtorch_ms": 3.0, "ratio": 3.0}
{"row": "memory a", "ours": {}, "libtorch": {}, "ratio": 0.1}"#;

    #[test]
    fn rows_that_lost_more_than_a_tenth_are_listed_worst_first() {
        let baseline = Baseline::parse(THEN).unwrap();
        let now = [("a", 1.79), ("b", 0.91), ("c", 1.5), ("new", 0.1), ("memory a", 0.01)];
        let now = now.map(|(name, ratio)| (name.to_string(), ratio));
        assert_eq!(baseline.lost(&now), [("c", 3.0, 1.5), ("a", 2.0, 1.79)]);
        assert_eq!(baseline.shared(&now), 3);
        assert!(baseline.check(2, ["new", "c"].into_iter()).is_ok());
        assert!(baseline.check(1, ["c"].into_iter()).is_err());
        assert!(baseline.check(2, ["new", "memory a"].into_iter()).is_err());
    }

    #[test]
    fn a_file_that_is_no_run_is_refused() {
        for (text, what) in [
            ("", "no timed rows"),
            ("{\"threads\": 2}", "no timed rows"),
            ("{\"threads\": 2}\nrow,ratio", "line 2"),
            ("{\"threads\": 2}\n{\"row\": \"a\", \"ratio\": -1, \"libtorch_ms\": 1}\n{\"row\": \"\"}", "line 2"),
        ] {
            let error = Baseline::parse(text).err().unwrap();
            assert!(error.contains(what), "{error}");
        }
    }
}
