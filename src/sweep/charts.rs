//! Charts of the results of a sweep's runs over one of its axes: lines if its labels are numbers, dots if they are
//! words. Only runs that are finished are compared.

use super::grid::{Plan, PlannedRun};
use super::results::{Number, RunResult};
use super::spec::Quantity;
use crate::report::chart::{Level, Panel, Series};

/// If the largest number on an axis is this many times the smallest, the axis is logarithmic.
const LOGARITHMIC: f64 = 8.0;

/// A line of a chart: its name, and the number that it shows of each run.
type Line = (&'static str, Number);

/// A quantity's title, what y is, and its lines.
fn lines(shown: Quantity) -> (&'static str, &'static str, &'static [Line]) {
    const LAST: &str = "mean over the last epoch";
    const END: &str = "at the end";
    match shown {
        Quantity::SecondsPerEpoch => {
            let lines: &[Line] = &[("", |r| r.seconds_per_epoch)];
            ("Seconds per epoch", "seconds", lines)
        }
        Quantity::Losses => {
            let lines: &[Line] = &[("discriminator", |r| r.d_loss), ("generator", |r| r.g_loss)];
            ("Losses", LAST, lines)
        }
        Quantity::Probabilities => {
            let lines: &[Line] = &[("D(x), real", |r| r.d_real), ("D(G(z)), generated", |r| r.d_fake)];
            ("Output of the discriminator", LAST, lines)
        }
        Quantity::FrechetDistance => {
            let lines: &[Line] = &[("", |r| r.frechet_distance)];
            ("Frechet distance of samples", END, lines)
        }
        Quantity::SlicedWasserstein => {
            let lines: &[Line] = &[("", |r| r.sliced_wasserstein)];
            ("Sliced Wasserstein distance of samples", END, lines)
        }
        Quantity::ClassesPresent => {
            let lines: &[Line] = &[("", |r| r.classes_present)];
            ("Classes among the samples", END, lines)
        }
        Quantity::ModesFound => {
            let lines: &[Line] = &[("", |r| r.modes_found)];
            ("Modes found among the samples", END, lines)
        }
    }
}

/// The charts of each quantity that the sweep shows and that a run has.
pub(super) fn charts(plan: &Plan, results: &[RunResult]) -> Vec<Panel> {
    let groups = groups(plan);
    let mut charts = Vec::new();
    for &shown in &plan.show {
        let (title, y_label, lines) = lines(shown);
        let y_label = format!("{y_label}{}", shared(results, shown));
        let from_zero = !matches!(shown, Quantity::Losses | Quantity::Probabilities);
        let levels = floor(results, shown);
        let chart = |title: &str, lines| Panel {
            from_zero,
            levels: levels.clone(),
            ..chart(plan, results, title, &y_label, lines)
        };
        if groups.len() == 1 {
            let lines = lines.iter().map(|&(name, of)| (name.to_string(), &groups[0], of));
            charts.push(chart(title, lines.collect()));
            continue;
        }
        // If there are several groups, each line has a chart of its own, so that the groups can be told apart.
        for &(name, of) in lines {
            let title = match name {
                "" => title.to_string(),
                _ => format!("{title}: {name}"),
            };
            let lines = groups.iter().map(|group| (group.clone(), group, of));
            charts.push(chart(&title, lines.collect()));
        }
    }
    charts.retain(|chart| !chart.series.is_empty());
    charts
}

/// The level with which scores are compared: the score of real images, as a mean over the runs, whose data may differ.
fn floor(results: &[RunResult], shown: Quantity) -> Vec<Level> {
    let (of, label): (Number, _) = match shown {
        Quantity::FrechetDistance => (|r| r.frechet_floor, "test images"),
        Quantity::SlicedWasserstein => (|r| r.sliced_floor, "real ones"),
        Quantity::ClassesPresent => (|r| r.classes_floor, "all"),
        Quantity::ModesFound => (|r| r.modes_floor, "real ones"),
        Quantity::SecondsPerEpoch | Quantity::Losses | Quantity::Probabilities => return Vec::new(),
    };
    let floors: Vec<f64> = results.iter().filter(|result| result.is_finished()).filter_map(of).collect();
    if floors.is_empty() {
        return Vec::new();
    }
    vec![Level { y: floors.iter().sum::<f64>() / floors.len() as f64, label: label.into() }]
}

/// A note about times that were measured while runs shared the machine.
fn shared(results: &[RunResult], shown: Quantity) -> String {
    let finished = results.iter().filter(|result| result.is_finished());
    match finished.map(|result| result.jobs).max() {
        Some(jobs @ 2..) if shown == Quantity::SecondsPerEpoch => {
            format!(", up to {jobs} runs at once: slower than alone")
        }
        _ => String::new(),
    }
}

/// A chart whose lines each have a name, the group of runs that they go through and their number.
fn chart(
    plan: &Plan,
    results: &[RunResult],
    title: &str,
    y_label: &str,
    lines: Vec<(String, &String, Number)>,
) -> Panel {
    let axis = XAxis::of(plan);
    let finished = plan.runs.iter().zip(results);
    let finished: Vec<_> = finished.filter(|(_, r)| r.is_finished()).collect();
    let line = |(name, group, of): (String, &String, Number)| {
        let inside = finished.iter().filter(|(run, _)| group_of(plan, run) == *group);
        let points = inside.filter_map(|(run, result)| Some((axis.place(&run.labels[plan.x]), of(result)?)));
        let points = axis.in_order(points.collect());
        Series { name, points }
    };
    let series = lines.into_iter().map(line);
    Panel {
        title: title.into(),
        x_label: axis.label(&plan.axes[plan.x]),
        y_label: y_label.into(),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        ticks: Some(axis.ticks),
        ..Panel::default()
    }
}

/// The group of a run: its labels on the axes other than x, as far as runs differ there.
fn group_of(plan: &Plan, run: &PlannedRun) -> String {
    let others = (0..plan.axes.len()).filter(|&axis| axis != plan.x && plan.varies(axis));
    let words: Vec<_> = others.map(|axis| plan.word(run, axis)).collect();
    words.join(", ")
}

/// All groups, in order.
fn groups(plan: &Plan) -> Vec<String> {
    let mut groups = Vec::new();
    for run in &plan.runs {
        let group = group_of(plan, run);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// The axis along x: numbers, in logarithms where they span much, or places for words.
struct XAxis {
    scale: Scale,
    /// The place of each label, in rising order.
    ticks: Vec<(f64, String)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Scale {
    Words,
    Linear,
    Logarithmic,
}

impl XAxis {
    fn of(plan: &Plan) -> XAxis {
        let mut labels: Vec<&str> = Vec::new();
        for run in &plan.runs {
            let label = run.labels[plan.x].as_str();
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        let numbers: Option<Vec<f64>> = labels.iter().map(|label| number(label)).collect();
        let scale = match &numbers {
            None => Scale::Words,
            Some(numbers) => {
                let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
                let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if low > 0.0 && high / low >= LOGARITHMIC { Scale::Logarithmic } else { Scale::Linear }
            }
        };
        let place = |index: usize| match (&numbers, scale) {
            (Some(numbers), Scale::Logarithmic) => libm::log2(numbers[index]),
            (Some(numbers), _) => numbers[index],
            (None, _) => index as f64,
        };
        let places = labels.iter().enumerate();
        let mut ticks: Vec<_> = places.map(|(index, label)| (place(index), (*label).to_string())).collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        XAxis { scale, ticks }
    }

    fn label(&self, name: &str) -> String {
        match self.scale {
            Scale::Logarithmic => format!("{name} (logarithmic)"),
            Scale::Words | Scale::Linear => name.to_string(),
        }
    }

    /// The place of a run's label.
    fn place(&self, label: &str) -> f64 {
        let tick = self.ticks.iter().find(|(_, text)| text == label);
        tick.map_or(f64::NAN, |(place, _)| *place)
    }

    /// `points` as a line in order of x, broken between words, as there is nothing between those.
    fn in_order(&self, mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if self.scale != Scale::Words {
            return points;
        }
        let broken = points.into_iter().flat_map(|point| [point, (point.0, f64::NAN)]);
        broken.collect()
    }
}

/// A label that is a number.
fn number(label: &str) -> Option<f64> {
    label.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Sweep;
    use crate::sweep::state::Outcome;

    fn finished(number: f64) -> RunResult {
        RunResult {
            outcome: Some(Outcome::Finished),
            jobs: 1,
            seconds_per_epoch: Some(number),
            d_loss: Some(number),
            g_loss: Some(-number),
            ..RunResult::default()
        }
    }

    fn plan(name: &str) -> Plan {
        Sweep::load(name).unwrap().plan(true, &[]).unwrap()
    }

    #[test]
    fn both_models_are_lines_over_the_batch_size() {
        let plan = plan("batch-size");
        let mut results: Vec<_> = (0..8).map(|i| finished(f64::from(i))).collect();
        results[5].outcome = Some(Outcome::Failed);
        results[6].jobs = 2;
        let [seconds, d_loss, g_loss] = &charts(&plan, &results)[..] else {
            panic!("three charts");
        };
        assert_eq!(seconds.x_label, "batch size (logarithmic)");
        assert_eq!(seconds.y_label, "seconds, up to 2 runs at once: slower than alone");
        assert_eq!(seconds.ticks.as_ref().unwrap()[3], (7.0, "128".to_string()));
        let [vanilla, dcgan] = &seconds.series[..] else { panic!("two lines") };
        assert_eq!(vanilla.name, "vanilla-mnist");
        assert_eq!(vanilla.points, [(4.0, 0.0), (5.0, 1.0), (6.0, 2.0), (7.0, 3.0)]);
        assert_eq!(dcgan.points, [(4.0, 4.0), (6.0, 6.0), (7.0, 7.0)], "without the failed one");
        assert_eq!(d_loss.title, "Losses: discriminator");
        assert_eq!(d_loss.y_label, "mean over the last epoch");
        assert_eq!(g_loss.series[1].name, "dcgan-compact-mnist");
        assert_eq!(g_loss.series[1].points[0], (4.0, -4.0));
    }

    #[test]
    fn words_stand_apart_and_what_nobody_has_is_left_out() {
        let plan = plan("noisy-labels");
        let charts = charts(&plan, &[finished(1.0), finished(2.0)]);
        assert_eq!(charts.len(), 1, "there is no D(x)");
        assert_eq!(charts[0].x_label, "noisy labels");
        let ticks = charts[0].ticks.clone().unwrap();
        assert_eq!(ticks, [(0.0, "on".to_string()), (1.0, "off".to_string())]);
        let line = &charts[0].series[0];
        assert_eq!(line.name, "discriminator");
        assert!(line.points[1].1.is_nan() && line.points[2] == (1.0, 2.0));
        assert_eq!(plan.title(&plan.runs[0]), "noisy labels on");
    }
}
