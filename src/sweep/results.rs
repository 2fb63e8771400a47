//! The results of a sweep's runs, and `results.csv`: a row for each run, with empty fields where there is no number.

use std::path::Path;

use super::grid::{Plan, PlannedRun};
use super::state::{Outcome, State};
use crate::Result;
use crate::files::write_whole;
use crate::run::folder;
use crate::run::table::Columns;
use crate::terminal::thousands;

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunResult {
    /// How it ended; `None` if it has never begun.
    pub outcome: Option<Outcome>,
    /// Its error message, if it failed.
    pub error: Option<String>,
    /// The largest number of runs that ran at the same time, including this one.
    pub jobs: usize,
    /// The number of steps done.
    pub steps: Option<f64>,
    /// The mean over the epochs that were not interrupted.
    pub seconds_per_epoch: Option<f64>,
    /// D's loss, the mean over the last epoch.
    pub d_loss: Option<f64>,
    /// G's loss, the mean over the last epoch.
    pub g_loss: Option<f64>,
    /// D(x), the mean over the last epoch.
    pub d_real: Option<f64>,
    /// D(G(z)), the mean over the last epoch.
    pub d_fake: Option<f64>,
    /// Minus the critic's loss, the mean over the last epoch, if there is a critic.
    pub wasserstein_estimate: Option<f64>,
    /// The sliced Wasserstein distance between samples and data, at the end.
    pub sliced_wasserstein: Option<f64>,
    /// The same distance for other real images.
    pub sliced_floor: Option<f64>,
    /// The number of classes among the samples, at the end.
    pub classes_present: Option<f64>,
    /// The number of all classes.
    pub classes_floor: Option<f64>,
    /// The Frechet distance between samples and data according to a judge, at the end, if there is one.
    pub frechet_distance: Option<f64>,
    /// The same distance for test images.
    pub frechet_floor: Option<f64>,
    /// The number of modes among the samples, at the end, if the set has modes.
    pub modes_found: Option<f64>,
    /// The number of modes among as many real images.
    pub modes_floor: Option<f64>,
    /// The share of samples of the class that was asked for, at the end, in a conditional game that is judged.
    pub asked_class: Option<f64>,
    /// The share of test images that the judge takes for their own class.
    pub asked_floor: Option<f64>,
    /// The share of test images that the classifier of a game of three gets wrong, at the end.
    pub classifier_error: Option<f64>,
}

impl RunResult {
    /// Whether all its steps are done; the results of other runs are not compared.
    pub fn is_finished(&self) -> bool {
        self.outcome == Some(Outcome::Finished)
    }
}

/// The result of each run of `plan`, in its order.
///
/// # Errors
/// If a table of a run that has begun can't be read.
pub fn read(plan: &Plan, state: &State) -> Result<Vec<RunResult>> {
    let read = |run| read_run(run, plan.steps, state);
    plan.runs.iter().map(read).collect()
}

fn read_run(run: &PlannedRun, asked: Option<u64>, state: &State) -> Result<RunResult> {
    let Some(known) = state.of(run) else {
        return Ok(RunResult::default());
    };
    let steps = table(&state.run_folder(run).join(folder::LOG))?;
    let epochs = table(&state.run_folder(run).join(folder::EPOCHS))?;
    let of_last_epoch = |name: &str| mean(last_epoch(&steps, name));
    let at_end = |name: &str| epochs.column(name).into_iter().flatten().next_back();
    Ok(RunResult {
        outcome: Some(match known.outcome {
            // It was finished with fewer steps than are asked for now.
            Outcome::Finished if known.steps != asked => Outcome::Begun,
            outcome => outcome,
        }),
        error: known.error.clone(),
        jobs: known.jobs,
        steps: steps.column("step").into_iter().flatten().next_back(),
        seconds_per_epoch: mean(epochs.column("seconds").into_iter().flatten()),
        d_loss: of_last_epoch("d_loss"),
        g_loss: of_last_epoch("g_loss"),
        d_real: of_last_epoch("d_real"),
        d_fake: of_last_epoch("d_fake"),
        wasserstein_estimate: of_last_epoch("wasserstein_estimate"),
        sliced_wasserstein: at_end("sliced_wasserstein"),
        sliced_floor: at_end("sliced_floor"),
        classes_present: at_end("classes_present"),
        classes_floor: at_end("classes_floor"),
        frechet_distance: at_end("frechet_distance"),
        frechet_floor: at_end("frechet_floor"),
        modes_found: at_end("modes_found"),
        modes_floor: at_end("modes_floor"),
        asked_class: at_end("asked_class"),
        asked_floor: at_end("asked_floor"),
        classifier_error: at_end("classifier_error"),
    })
}

/// A table of a run, which is empty if the file doesn't exist, as a run may fail before it writes anything.
pub(super) fn table(path: &Path) -> Result<Columns> {
    if path.is_file() { Columns::read(path) } else { Ok(Columns::default()) }
}

/// The numbers of column `name` in the rows of the last epoch.
fn last_epoch(steps: &Columns, name: &str) -> impl Iterator<Item = f64> {
    let epochs = steps.column("epoch");
    let last = epochs.last().copied().flatten();
    let rows = epochs.into_iter().zip(steps.column(name));
    rows.filter(move |(epoch, _)| *epoch == last).filter_map(|(_, value)| value)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Writes `results.csv` to `path`: each run, its label on each axis, and its result.
///
/// # Errors
/// If it can't be written.
pub fn write(path: &Path, plan: &Plan, results: &[RunResult]) -> Result<()> {
    let axes = plan.axes.iter().map(|name| field(name));
    let numbers = NUMBERS.iter().map(|(name, _)| (*name).to_string());
    let header = ["run".to_string()].into_iter().chain(axes);
    let header = header.chain(["outcome".into(), "jobs".into()]);
    let header: Vec<_> = header.chain(numbers).chain(["error".into()]).collect();
    let mut text = header.join(",") + "\n";
    for (run, result) in plan.runs.iter().zip(results) {
        let labels = run.labels.iter().map(|label| field(label));
        let numbers = NUMBERS.iter().map(|(_, of)| number(of(result), 6));
        let row = [run.folder.clone()].into_iter().chain(labels);
        let row = row.chain([outcome(result).into(), result.jobs.to_string()]);
        let error = field(result.error.as_deref().unwrap_or(""));
        let row: Vec<_> = row.chain(numbers).chain([error]).collect();
        text += &(row.join(",") + "\n");
    }
    write_whole(path, text.as_bytes())
}

/// The same table for a page, with aligned columns and without those in which no run has a number.
pub(super) fn aligned(plan: &Plan, results: &[RunResult]) -> String {
    let mut columns = vec![vec!["run".to_string()], vec!["outcome".to_string()]];
    columns[0].extend(plan.runs.iter().map(|run| run.folder.clone()));
    columns[1].extend(results.iter().map(|result| outcome(result).to_string()));
    for (name, of) in NUMBERS {
        if results.iter().any(|result| of(result).is_some()) {
            let short = |result: &RunResult| of(result).map_or(String::new(), short);
            let cells = results.iter().map(short);
            columns.push([name.to_string()].into_iter().chain(cells).collect());
        }
    }
    let mut text = String::new();
    for row in 0..=results.len() {
        for (index, column) in columns.iter().enumerate() {
            let width = column.iter().map(|cell| cell.chars().count()).max();
            let (width, cell) = (width.unwrap_or(0), &column[row]);
            // Words keep to the left, numbers to the right.
            text += &match index {
                0 | 1 => format!("{cell:<width$}  "),
                _ => format!("{cell:>width$}  "),
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// A number with four significant digits, for reading and not for further calculation.
fn short(value: f64) -> String {
    let digits = (3.0 - libm::log10(value.abs().max(1e-9)).floor()).clamp(0.0, 6.0);
    match digits == 0.0 && (1000.0..1e15).contains(&value) {
        true => thousands(value.round() as u64),
        false => number(Some(value), digits as usize),
    }
}

/// Reads a number from the result of a run.
pub(super) type Number = fn(&RunResult) -> Option<f64>;

/// The columns with numbers.
const NUMBERS: [(&str, Number); 18] = [
    ("steps", |r| r.steps),
    ("seconds_per_epoch", |r| r.seconds_per_epoch),
    ("d_loss", |r| r.d_loss),
    ("g_loss", |r| r.g_loss),
    ("d_real", |r| r.d_real),
    ("d_fake", |r| r.d_fake),
    ("wasserstein_estimate", |r| r.wasserstein_estimate),
    ("sliced_wasserstein", |r| r.sliced_wasserstein),
    ("classes_present", |r| r.classes_present),
    ("frechet_distance", |r| r.frechet_distance),
    ("frechet_floor", |r| r.frechet_floor),
    ("sliced_floor", |r| r.sliced_floor),
    ("classes_floor", |r| r.classes_floor),
    ("modes_found", |r| r.modes_found),
    ("modes_floor", |r| r.modes_floor),
    ("asked_class", |r| r.asked_class),
    ("asked_floor", |r| r.asked_floor),
    ("classifier_error", |r| r.classifier_error),
];

/// How a run ended, in a word.
fn outcome(result: &RunResult) -> &'static str {
    match result.outcome {
        None => "waiting",
        Some(Outcome::Begun) => "begun",
        Some(Outcome::Finished) => "finished",
        Some(Outcome::Failed) => "failed",
    }
}

/// A number with at most `digits` decimals, without zeros at its end; empty for `None`.
fn number(value: Option<f64>, digits: usize) -> String {
    let Some(value) = value else {
        return String::new();
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// A field of a CSV file (RFC 4180), in quotes where it needs them.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Sweep;
    use crate::sweep::state::RunState;
    use std::fs;

    #[test]
    fn losses_are_the_last_epochs_and_seconds_those_of_whole_epochs() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Sweep::load("scaling").unwrap().plan(false, &[]).unwrap();
        let mut state = State::open(folder.path()).unwrap();
        let run = state.run_folder(&plan.runs[0]);
        fs::create_dir(&run).unwrap();
        fs::write(run.join(folder::CHECKPOINT), "").unwrap();
        let log = "step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate\n\
                   1,1,9,9,0.9,0.1,5,\n2,2,1,,0.5,0.25,5,\n3,2,2,0.5,0.5,0.75,5,\n4,2,9,9";
        fs::write(run.join(folder::LOG), log).unwrap();
        let epochs = "step,epoch,seconds,data_wait_seconds,sliced_wasserstein,classes_present,frechet_distance,\
                      frechet_floor,confidence\n\
                      1,1,2.5,0,0.5,3,4,0.5,0.5\n2,2,3.5,0,0.25,7,2,0.5,0.5\n3,3,,,0.125,,,,\n";
        fs::write(run.join(folder::EPOCHS), epochs).unwrap();
        let finished = RunState { jobs: 1, outcome: Outcome::Finished, ..RunState::default() };
        state.note(&plan.runs[0], finished).unwrap();

        let results = read(&plan, &state).unwrap();
        let first = &results[0];
        assert_eq!((first.d_loss, first.g_loss), (Some(1.5), Some(0.5)));
        assert_eq!((first.d_fake, first.wasserstein_estimate), (Some(0.5), None));
        assert_eq!(first.seconds_per_epoch, Some(3.0));
        assert_eq!((first.sliced_wasserstein, first.classes_present), (Some(0.125), Some(7.0)));
        assert_eq!(results[1], RunResult::default());

        let path = folder.path().join("results.csv");
        write(&path, &plan, &results).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected = "run,recipe,scaling,outcome,jobs,steps,seconds_per_epoch,d_loss,g_loss,\
            d_real,d_fake,wasserstein_estimate,sliced_wasserstein,classes_present,frechet_distance,frechet_floor,sliced_floor,\
            classes_floor,modes_found,modes_floor,asked_class,asked_floor,classifier_error,error\n\
            transpose-mnist-m1-1,transpose-mnist,\"[-1, 1]\",finished,1,3,3,1.5,0.5,0.5,0.5,,0.125,7,2,0.5,,,,,,,,\n\
            transpose-mnist-0-1,transpose-mnist,\"[0, 1]\",waiting,0,,,,,,,,,,,,,,,,,,,\n";
        assert_eq!(text, expected);
        let table = aligned(&plan, &results);
        let mut lines = table.lines();
        let header = "run                   outcome   steps  seconds_per_epoch  d_loss  g_loss";
        assert!(lines.next().unwrap().starts_with(header), "{table}");
        assert!(
            lines.next().unwrap().ends_with("  0.125                7                 2            0.5"),
            "{table}"
        );
    }

    #[test]
    fn numbers_are_written_as_short_as_they_are() {
        for (value, text) in
            [(1200.0, "1,200"), (1_234_567.8, "1,234,568"), (0.25, "0.25"), (12.3456, "12.35"), (0.0, "0")]
        {
            assert_eq!(short(value), text);
        }
        assert_eq!(number(Some(f64::NAN), 6), "NaN");
        assert_eq!(field("say \"a, b\""), "\"say \"\"a, b\"\"\"");
    }
}
