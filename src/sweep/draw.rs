//! The pictures of a sweep, drawn from what its runs have left: charts over the axis that the sweep
//! names, the losses of each run by step, the last samples of each, and a page with all of it.

use std::path::{Path, PathBuf};

use super::grid::{Plan, PlannedRun};
use super::results::{self, RunResult, table};
use super::spec::Quantity;
use super::state::State;
use crate::Result;
use crate::files::write_whole;
use crate::gan::folder;
use crate::report::chart::{Panel, Series, png, svg};
use crate::report::page::{Figure, Media, Page, Section};
use crate::report::{Picture, montage};

/// A row per run.
const RESULTS: &str = "results.csv";
/// What the runs have come to, over the axis.
const CHARTS: [&str; 2] = ["charts.svg", "charts.png"];
/// The losses of each run by step.
const CURVES: [&str; 2] = ["curves.svg", "curves.png"];
/// The last samples of each run.
const MONTAGE: &str = "montage.png";

/// All of it on one page.
const REPORT: &str = "report.html";

/// The most runs whose curves and samples are drawn, the first ones; charts and table have all.
const MOST_DRAWN: usize = 24;

/// Pictures in a row of the montage.
const COLUMNS: usize = 4;

/// From so many times the smallest number on an axis to the largest, it is drawn in logarithms.
const LOGARITHMIC: f64 = 8.0;

/// What is read off a run for a line of a chart.
type Number = fn(&RunResult) -> Option<f64>;

/// Draws all there is of the sweep in `state`'s folder and gives the page's path. Charts have the runs
/// that are finished, curves and samples also those that failed on their way.
///
/// # Errors
/// If a run's files can't be read, or a picture can't be written.
pub fn draw(plan: &Plan, state: &State, results: &[RunResult]) -> Result<PathBuf> {
    let folder = state.folder();
    results::write(&folder.join(RESULTS), plan, results)?;
    let charts = charts(plan, results);
    write_panels(folder, CHARTS, &plan.description, &charts)?;
    let curves = curves(plan, state)?;
    write_panels(folder, CURVES, &plan.description, &curves)?;
    let samples = samples(plan, state)?;
    let mut sheet = None;
    if !samples.is_empty() {
        let png = montage(&samples, COLUMNS.min(samples.len())).to_png();
        write_whole(&folder.join(MONTAGE), &png)?;
        sheet = Some(png);
    }
    let path = folder.join(REPORT);
    let page = page(plan, results, &charts, &curves, sheet);
    write_whole(&path, page.to_html().as_bytes())?;
    Ok(path)
}

fn page(
    plan: &Plan,
    results: &[RunResult],
    charts: &[Panel],
    curves: &[Panel],
    sheet: Option<Vec<u8>>,
) -> Page {
    let drawn = |panels: &[Panel]| -> Vec<Figure> {
        let figure = |panel: &Panel| Figure {
            caption: String::new(),
            alt: format!("{}, over {}", panel.title, panel.x_label),
            media: Media::Svg(svg("", std::slice::from_ref(panel))),
        };
        panels.iter().map(figure).collect()
    };
    let finished = results.iter().filter(|result| result.is_finished()).count();
    let runs = format!("{finished} of {} finished", plan.runs.len());
    let axes = (0..plan.axes.len()).filter(|&axis| plan.varies(axis));
    let axes: Vec<_> = axes.map(|axis| plan.axes[axis].clone()).collect();
    let failed = plan.runs.iter().zip(results);
    let failed: Vec<_> = failed
        .filter_map(|(run, result)| Some(format!("{}: {}", run.folder, result.error.as_ref()?)))
        .collect();
    let mut sections = vec![
        Section {
            title: format!("Against the {}", plan.axes[plan.x]),
            figures: drawn(charts),
            ..Section::default()
        },
        Section {
            title: "Samples".into(),
            text: "The last grid of each run.".into(),
            figures: sheet
                .map(|png| Figure {
                    caption: String::new(),
                    alt: "The last grid of samples of each run".into(),
                    media: Media::Png(png),
                })
                .into_iter()
                .collect(),
            ..Section::default()
        },
        Section {
            title: "Losses by step".into(),
            figures: drawn(curves),
            ..Section::default()
        },
    ];
    sections.retain(|section| !section.figures.is_empty());
    sections.push(Section {
        title: "Numbers".into(),
        text:
            "Losses and outputs are means over the last epoch; what is measured on samples is of \
               the end."
                .into(),
        code: Some(results::aligned(plan, results)),
        ..Section::default()
    });
    if !failed.is_empty() {
        sections.push(Section {
            title: "Runs that failed".into(),
            text: failed.join("\n\n"),
            ..Section::default()
        });
    }
    Page {
        title: plan.name.clone(),
        subtitle: plan.description.clone(),
        facts: vec![("runs".into(), runs), ("differ in".into(), axes.join(", "))],
        sections,
    }
}

fn write_panels(folder: &Path, names: [&str; 2], title: &str, panels: &[Panel]) -> Result<()> {
    let [svg_file, png_file] = names.map(|name| folder.join(name));
    write_whole(&svg_file, svg(title, panels).as_bytes())?;
    write_whole(&png_file, &png(title, panels))
}

/// A chart of each quantity that the sweep shows and that a run has.
fn charts(plan: &Plan, results: &[RunResult]) -> Vec<Panel> {
    let charts = plan.show.iter().map(|&shown| chart(plan, results, shown));
    charts.filter(|chart| !chart.series.is_empty()).collect()
}

fn chart(plan: &Plan, results: &[RunResult], shown: Quantity) -> Panel {
    const LAST: &str = "mean over the last epoch";
    let (title, y_label, lines): (_, _, &[(&str, Number)]) = match shown {
        Quantity::SecondsPerEpoch => (
            "Seconds per epoch",
            "seconds",
            &[("", |r| r.seconds_per_epoch)],
        ),
        Quantity::Losses => (
            "Losses",
            LAST,
            &[("discriminator", |r| r.d_loss), ("generator", |r| r.g_loss)],
        ),
        Quantity::Probabilities => (
            "Output of the discriminator",
            LAST,
            &[
                ("D(x), real", |r| r.d_real),
                ("D(G(z)), generated", |r| r.d_fake),
            ],
        ),
        Quantity::SlicedWasserstein => (
            "Sliced Wasserstein distance of samples",
            "distance, at the end",
            &[("", |r| r.sliced_wasserstein)],
        ),
        Quantity::ClassesPresent => (
            "Classes among the samples",
            "classes, at the end",
            &[("", |r| r.classes_present)],
        ),
    };
    let axis = XAxis::of(plan);
    let finished = plan.runs.iter().zip(results);
    let finished: Vec<_> = finished
        .filter(|(_, result)| result.is_finished())
        .collect();
    let mut series = Vec::new();
    for group in groups(plan) {
        for (name, of) in lines {
            let inside = finished
                .iter()
                .filter(|(run, _)| group_of(plan, run) == group);
            let points = inside
                .filter_map(|(run, result)| Some((axis.place(&run.labels[plan.x]), of(result)?)));
            let points = axis.in_order(points.collect());
            if !points.is_empty() {
                let words = [group.as_str(), name]
                    .into_iter()
                    .filter(|word| !word.is_empty());
                let name = words.collect::<Vec<_>>().join(", ");
                series.push(Series { name, points });
            }
        }
    }
    let jobs = finished.iter().map(|(_, result)| result.jobs).max();
    let shared = match jobs {
        Some(jobs @ 2..) if shown == Quantity::SecondsPerEpoch => {
            format!(", up to {jobs} runs at once: slower than alone")
        }
        _ => String::new(),
    };
    Panel {
        title: title.into(),
        x_label: axis.label(&plan.axes[plan.x]),
        y_label: format!("{y_label}{shared}"),
        series,
        marks: Vec::new(),
        ticks: Some(axis.ticks),
    }
}

/// Where a run lies on the axes that are not along x, as far as they tell runs apart.
fn group_of(plan: &Plan, run: &PlannedRun) -> String {
    let others = (0..plan.axes.len()).filter(|&axis| axis != plan.x && plan.varies(axis));
    let words: Vec<_> = others.map(|axis| plan.word(run, axis)).collect();
    words.join(", ")
}

/// Every [`group_of`] there is, in order.
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
    /// Where each label stands, in rising order.
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
                if low > 0.0 && high / low >= LOGARITHMIC {
                    Scale::Logarithmic
                } else {
                    Scale::Linear
                }
            }
        };
        let place = |index: usize| match (&numbers, scale) {
            (Some(numbers), Scale::Logarithmic) => numbers[index].log2(),
            (Some(numbers), _) => numbers[index],
            (None, _) => index as f64,
        };
        let places = labels.iter().enumerate();
        let mut ticks: Vec<_> = places
            .map(|(index, label)| (place(index), (*label).to_string()))
            .collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        XAxis { scale, ticks }
    }

    fn label(&self, name: &str) -> String {
        match self.scale {
            Scale::Logarithmic => format!("{name} (logarithmic)"),
            Scale::Words | Scale::Linear => name.to_string(),
        }
    }

    /// Where the label of a run of the plan stands.
    fn place(&self, label: &str) -> f64 {
        let tick = self.ticks.iter().find(|(_, text)| text == label);
        tick.map_or(f64::NAN, |(place, _)| *place)
    }

    /// `points` as a line in order of x, broken between words: there is nothing between those.
    fn in_order(&self, mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if self.scale != Scale::Words {
            return points;
        }
        let broken = points
            .into_iter()
            .flat_map(|point| [point, (point.0, f64::NAN)]);
        broken.collect()
    }
}

/// A label that is a number.
fn number(label: &str) -> Option<f64> {
    label.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The losses of each run that has any, by step.
fn curves(plan: &Plan, state: &State) -> Result<Vec<Panel>> {
    let mut panels = Vec::new();
    for run in plan.runs.iter().take(MOST_DRAWN) {
        let steps = table(&state.run_folder(run).join(folder::LOG))?;
        let line = |name: &str, column: &str| Series {
            name: name.into(),
            points: steps.points("step", column),
        };
        let series = vec![line("discriminator", "d_loss"), line("generator", "g_loss")];
        if !steps.is_empty() {
            panels.push(Panel {
                title: plan.title(run),
                x_label: "step".into(),
                y_label: "loss".into(),
                series,
                marks: Vec::new(),
                ticks: None,
            });
        }
    }
    Ok(panels)
}

/// The last grid of each run that has one.
fn samples(plan: &Plan, state: &State) -> Result<Vec<(String, Picture)>> {
    let drawn = plan.runs.iter().take(MOST_DRAWN);
    let last = drawn.filter_map(|run| {
        let (_, grid) = folder::grids(&state.run_folder(run)).pop()?;
        Some((plan.title(run), grid))
    });
    last.map(|(title, grid)| Ok((title, Picture::read(&grid)?)))
        .collect()
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
        let [seconds, losses] = &charts(&plan, &results)[..] else {
            panic!("two charts");
        };
        assert_eq!(seconds.x_label, "batch size (logarithmic)");
        assert_eq!(
            seconds.y_label,
            "seconds, up to 2 runs at once: slower than alone"
        );
        assert_eq!(seconds.ticks.as_ref().unwrap()[3], (7.0, "128".to_string()));
        let [vanilla, dcgan] = &seconds.series[..] else {
            panic!("two lines")
        };
        assert_eq!(vanilla.name, "vanilla-mnist");
        assert_eq!(
            vanilla.points,
            [(4.0, 0.0), (5.0, 1.0), (6.0, 2.0), (7.0, 3.0)]
        );
        assert_eq!(
            dcgan.points,
            [(4.0, 4.0), (6.0, 6.0), (7.0, 7.0)],
            "without the failed one"
        );
        assert_eq!(losses.y_label, "mean over the last epoch");
        let names: Vec<_> = losses.series.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            names[..2],
            ["vanilla-mnist, discriminator", "vanilla-mnist, generator"]
        );
        assert_eq!(losses.series[3].points[0], (4.0, -4.0));
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
