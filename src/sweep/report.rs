//! The pictures of a sweep, made from what its runs have left: charts over the axis that the sweep
//! names, the losses of each run by step, the last samples of each, and a page with all of it.

use std::path::PathBuf;

use super::charts::charts;
use super::grid::Plan;
use super::results::{self, RunResult, table};
use super::state::State;
use crate::Result;
use crate::files::write_whole;
use crate::report::chart::{self, Panel, Series};
use crate::report::page::{Figure, Media, Page, Section};
use crate::report::{Picture, montage};
use crate::run::folder;

/// A row per run.
const RESULTS: &str = "results.csv";
/// The results of the runs, over the axis.
const CHARTS: [&str; 2] = ["charts.svg", "charts.png"];
/// The losses of each run by step.
const CURVES: [&str; 2] = ["curves.svg", "curves.png"];
/// The last samples of each run.
const MONTAGE: &str = "montage.png";

/// All of it on one page.
const REPORT: &str = "report.html";

/// The most runs whose curves and samples are shown, the first ones; charts and table have all.
const MOST_SHOWN: usize = 24;

/// Pictures in a row of the montage.
const COLUMNS: usize = 4;

/// Writes the pictures, the table and the page of the sweep in `state`'s folder and gives the page's path. Charts have
/// the runs that are finished, curves and samples also those that failed on their way.
///
/// # Errors
/// If a run's files can't be read, or a picture can't be written.
pub fn write(plan: &Plan, state: &State, results: &[RunResult]) -> Result<PathBuf> {
    let folder = state.folder();
    results::write(&folder.join(RESULTS), plan, results)?;
    let charts = charts(plan, results);
    chart::write(folder, CHARTS, &plan.description, &charts)?;
    let curves = curves(plan, state)?;
    chart::write(folder, CURVES, &plan.description, &curves)?;
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

fn page(plan: &Plan, results: &[RunResult], charts: &[Panel], curves: &[Panel], sheet: Option<Vec<u8>>) -> Page {
    let figures = |panels: &[Panel]| -> Vec<Figure> {
        let figure = |panel: &Panel| Figure::chart(format!("{}, over {}", panel.title, panel.x_label), panel);
        panels.iter().map(figure).collect()
    };
    let sheet = sheet.map(|png| Figure::plain("The last grid of samples of each run", Media::Sheet(png)));
    let finished = results.iter().filter(|result| result.is_finished()).count();
    let runs = format!("{finished} of {} finished", plan.runs.len());
    let axes = (0..plan.axes.len()).filter(|&axis| plan.varies(axis));
    let axes: Vec<_> = axes.map(|axis| plan.axes[axis].clone()).collect();
    let failed = plan.runs.iter().zip(results);
    let failed: Vec<_> =
        failed.filter_map(|(run, result)| Some(format!("{}: {}", run.folder, result.error.as_ref()?))).collect();
    let mut sections = vec![
        Section::new(format!("Against the {}", plan.axes[plan.x]), figures(charts)),
        Section { text: "The last grid of each run.".into(), ..Section::new("Samples", sheet.into_iter().collect()) },
        Section::new("Losses by step", figures(curves)),
    ];
    sections.retain(|section| !section.figures.is_empty());
    sections.push(Section {
        title: "Numbers".into(),
        text: "Losses and outputs are means over the last epoch; what is measured on samples is of \
               the end."
            .into(),
        code: Some(results::aligned(plan, results)),
        ..Section::default()
    });
    if !failed.is_empty() {
        sections.push(Section { text: failed.join("\n\n"), ..Section::new("Runs that failed", Vec::new()) });
    }
    Page {
        title: plan.name.clone(),
        subtitle: plan.description.clone(),
        facts: vec![("runs".into(), runs), ("differ in".into(), axes.join(", "))],
        sections,
    }
}

/// The losses of each run that has any, by step.
fn curves(plan: &Plan, state: &State) -> Result<Vec<Panel>> {
    let mut panels = Vec::new();
    for run in plan.runs.iter().take(MOST_SHOWN) {
        let steps = table(&state.run_folder(run).join(folder::LOG))?;
        let line = |name: &str, column: &str| Series { name: name.into(), points: steps.points("step", column) };
        let series = vec![line("discriminator", "d_loss"), line("generator", "g_loss")];
        if !steps.is_empty() {
            panels.push(Panel {
                title: plan.title(run),
                x_label: "step".into(),
                y_label: "loss".into(),
                series,
                ..Panel::default()
            });
        }
    }
    Ok(panels)
}

/// The last grid of each run that has one.
fn samples(plan: &Plan, state: &State) -> Result<Vec<(String, Picture)>> {
    let shown = plan.runs.iter().take(MOST_SHOWN);
    let last = shown.map(|run| {
        let last = folder::grids(&state.run_folder(run))?.pop();
        let read = |(_, grid): (folder::Moment, PathBuf)| Ok((plan.title(run), Picture::read(&grid)?));
        last.map(read).transpose()
    });
    last.filter_map(Result::transpose).collect()
}
