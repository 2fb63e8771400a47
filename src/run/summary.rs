//! The pictures of a whole run, made from what is in its folder: the animation, the montage, real images beside
//! generated ones, the curves, and `report.html` with all of them.
//!
//! The report has the grids themselves in the animation's place, under a slider: as PNG they are a fraction of its
//! size.

use super::curves;
use super::folder::{self, Moment};
use super::history::{History, Session};
use super::table::Columns;
use crate::data::plane::Plane;
use crate::files::{is_file, write_whole};
use crate::judge;
use crate::recipe::{NetworkSpec, Recipe};
use crate::report::chart::{self, Panel};
use crate::report::page::{Figure, Media, Page, Section};
use crate::report::{Picture, columns_for, comparison, gif, grid_corner, montage, spaced};
use crate::terminal::{excerpt, thousands, time};
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How long the animation shows each epoch, in milliseconds.
const FRAME: u32 = 400;

/// The most grids in the report, and about how many bytes they may take together; of more, evenly spaced ones are
/// there.
const MOST_FRAMES: usize = 40;
const FRAMES_BYTES: usize = 4 << 20;

/// The montage shows this many rows and columns of each grid.
const MONTAGE_SIDE: usize = 4;

/// What the map of a run on points of the plane shows.
const MAP_IN_WORDS: &str = "Colours are the discriminator's output, from blue (generated, it says) over white to orange \
                            (real); without bounds, it is stretched over the map. Grey points are real, red ones generated; arrows are \
                            the ways in which the generator's loss falls most steeply at some of them.";

/// Writes every picture that can be made of the run in `folder`, and its report. Pictures for which there is no grid
/// yet are left out. So are grids that can't be read; a line on each of them is returned, and is in the report too.
///
/// # Errors
/// If the run's files can't be read, or a picture can't be written.
pub fn write(folder: &Path) -> Result<Vec<String>> {
    let recipe = Recipe::load_saved(&folder.join(folder::RECIPE))?;
    let steps = Columns::read(&folder.join(folder::LOG))?;
    let epochs = Columns::read(&folder.join(folder::EPOCHS))?;
    let history = History::read(folder)?;
    let panels = curves::panels(&recipe, &steps, &epochs);
    let mut left_out = Vec::new();
    let judge = judge_of(folder).unwrap_or_else(|error| {
        left_out.push(left_out_of(&error));
        None
    });
    let mut sections = sample_section(folder, &recipe, &mut left_out)?;
    if !left_out.is_empty() {
        sections.push(Section { text: left_out.join("\n\n"), ..Section::new("Left out", Vec::new()) });
    }
    sections.push(curve_section(folder, &recipe, &panels)?);
    sections.push(Section {
        title: "Recipe".into(),
        text: "What minimax train takes, with every default said.".into(),
        code: Some(recipe.to_toml()),
        ..Section::default()
    });
    let page = Page {
        title: title(&recipe),
        subtitle: recipe.description.clone(),
        facts: facts(&recipe, &steps, &epochs, &history, judge),
        sections,
    };
    write_whole(&folder.join(folder::REPORT), page.to_html().as_bytes())?;
    Ok(left_out)
}

fn title(recipe: &Recipe) -> String {
    format!("{} on {}", recipe.name, excerpt(&recipe.data.name))
}

/// The pictures made of sample grids.
fn sample_section(folder: &Path, recipe: &Recipe, left_out: &mut Vec<String>) -> Result<Vec<Section>> {
    let mut grids = folder::grids(folder)?;
    let unreadable: Vec<Option<Error>> = grids.par_iter().map(|(_, path)| Picture::read(path).err()).collect();
    left_out.extend(unreadable.iter().flatten().map(left_out_of));
    let mut unreadable = unreadable.iter();
    grids.retain(|_| unreadable.next().is_some_and(Option::is_none));
    let Some((_, path)) = grids.last() else {
        return Ok(Vec::new());
    };
    let last = Picture::read(path)?;
    let animation = gif(grids.len(), FRAME, |index| {
        let (moment, path) = &grids[index];
        Ok((moment.to_string(), Picture::read(path)?))
    })?;
    write_whole(&folder.join(folder::ANIMATION), &animation)?;
    let mut figures = vec![generated(&grids, &last)?];
    match Picture::read(&folder::real_grid(folder)) {
        Ok(real) => {
            write_whole(&folder.join(folder::COMPARISON), &comparison(&real, &last).to_png())?;
            figures.push(Figure::captioned("Real ones, to hold them against", Media::Png(real.to_png())));
        }
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        Err(error) => left_out.push(left_out_of(&error)),
    }
    let text = if Plane::named(&recipe.data.name).is_some() { MAP_IN_WORDS } else { "" };
    let mut sections = vec![Section { text: text.into(), ..Section::new("Samples", figures) }];
    if let Some(montage) = montage_of_epochs(recipe, &grids)? {
        let png = montage.to_png();
        write_whole(&folder.join(folder::MONTAGE), &png)?;
        let named = Figure::captioned("The epochs that the recipe names", Media::Sheet(png));
        sections.push(Section::new("Montage", vec![named]));
    }
    Ok(sections)
}

/// The grids of the run, the last of which is `last`, under a slider if there is more than one.
fn generated(grids: &[(Moment, PathBuf)], last: &Picture) -> Result<Figure> {
    let [before @ .., (moment, _)] = grids else {
        unreachable!("there is a last one");
    };
    let png = last.to_png();
    let most = (FRAMES_BYTES / png.len()).clamp(2, MOST_FRAMES);
    let frame = |&index: &usize| {
        let (moment, path) = &before[index];
        Ok((moment.to_string(), Picture::read(path)?.to_png()))
    };
    let frames: Result<Vec<_>> = spaced(before.len(), most - 1).par_iter().map(frame).collect();
    let mut frames = frames?;
    if frames.is_empty() {
        return Ok(Figure::captioned(&format!("Generated, after {moment}"), Media::Png(png)));
    }
    frames.push((moment.to_string(), png));
    Ok(Figure::captioned("Generated, always from the same latents", Media::Frames(frames)))
}

/// The curves as files, and one by one for the page, so that they are large enough on a telephone.
fn curve_section(folder: &Path, recipe: &Recipe, panels: &[Panel]) -> Result<Section> {
    chart::write(folder, folder::CURVES, &title(recipe), panels)?;
    let text = match recipe.training.loss.has_critic() {
        true => {
            "The Wasserstein estimate is minus the critic's loss, without the gradient penalty if \
             there is one."
        }
        false => "",
    };
    let figures = panels.iter().map(|panel| Figure::chart(&panel.title, panel));
    Ok(Section { text: text.into(), ..Section::new("Curves", figures.collect()) })
}

fn left_out_of(error: &Error) -> String {
    format!("left out of the pictures: {error}")
}

/// The judge of the run in `folder`, and how far it can be trusted; `None` if the run has none.
fn judge_of(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(folder::JUDGE);
    if !is_file(&path)? {
        return Ok(None);
    }
    let (name, about) = judge::about(&path)?;
    let percent = 100.0 * about.accuracy();
    Ok(Some(format!("{name} of {}, {percent:.2}% of test images right", excerpt(&about.data))))
}

/// The facts that a reader wants to know first.
fn facts(
    recipe: &Recipe,
    steps: &Columns,
    epochs: &Columns,
    history: &History,
    judge: Option<String>,
) -> Vec<(String, String)> {
    let latest = |table: &Columns, name: &str| table.column(name).into_iter().flatten().next_back();
    let number = |value: Option<f64>, digits: usize| value.map(|v| format!("{v:.digits$}"));
    let count = |value: Option<f64>| value.map(|v| thousands(v as u64));
    let (first, last) = (history.sessions.first(), history.sessions.last());
    let of_sessions = |of: fn(&Session) -> &str| {
        let (first, last) = (of(first?), of(last?));
        Some(if first == last { first.to_string() } else { format!("{first}, then {last}") })
    };
    // The history of a run that an older version began is known only from where it was resumed.
    let is_whole = first.is_none_or(|session| session.step == 0);
    let best = best_epoch(steps, epochs);
    let plane = Plane::named(&recipe.data.name);
    let floor = latest(epochs, "frechet_floor");
    let kind = if floor.is_some() { "Frechet distance" } else { "distance" };
    let best = best.map(|(epoch, distance)| format!("{}, with {kind} {distance:.4}", thousands(epoch as u64)));
    let seconds: Vec<f64> = epochs.column("seconds").into_iter().flatten().collect();
    let mean = (!seconds.is_empty()).then(|| seconds.iter().sum::<f64>() / seconds.len() as f64);
    let parameters = |network: &NetworkSpec| {
        let table = network.table().expect("a loaded recipe's shapes fit");
        Some(thousands(table.parameters.total()))
    };
    let facts = [
        (if is_whole { "Begun (UTC)" } else { "Gone on with (UTC)" }, first.map(began)),
        (if is_whole { "Time of training" } else { "Time of training since" }, last.map(|_| time(history.seconds))),
        ("Epochs", count(latest(steps, "epoch"))),
        ("Steps", count(latest(steps, "step"))),
        ("Seconds an epoch", number(mean, 1)),
        ("Loss of D, last", number(latest(steps, "d_loss"), 3)),
        ("Loss of G, last", number(latest(steps, "g_loss"), 3)),
        ("Loss of C, last", number(latest(steps, "c_loss"), 3)),
        ("Judge", judge),
        ("Frechet distance, last", number(latest(epochs, "frechet_distance"), 4)),
        ("Frechet distance of test images", number(floor, 4)),
        ("Confidence of the judge, last", number(latest(epochs, "confidence"), 3)),
        ("Samples of the class that was asked for, last", number(latest(epochs, "asked_class"), 3)),
        ("Error of the classifier on test images, last", number(latest(epochs, "classifier_error"), 4)),
        ("Chance of augmentation, last", number(latest(epochs, "augment_chance"), 3)),
        ("Modes found, last", count(latest(epochs, "modes_found"))),
        ("KL from modes to even ones, last", number(latest(epochs, "modes_divergence"), 3)),
        ("Sliced Wasserstein distance, last", number(latest(epochs, "sliced_wasserstein"), 4)),
        ("Best epoch", best),
        ("Classes that appear, last", number(latest(epochs, "classes_present"), 0)),
        ("Share of good samples, last", number(latest(epochs, "good_share"), 3)),
        ("Share of good points among real ones", number(plane.map(Plane::good_of_own), 3)),
        ("Parameters of G", parameters(&recipe.generator)),
        ("Parameters of D", parameters(&recipe.discriminator)),
        ("Parameters of C", recipe.classifier.as_ref().and_then(parameters)),
        ("Seed", Some(recipe.training.seed.to_string())),
        ("Device", of_sessions(|session| &session.device)),
        ("Version of minimax", of_sessions(|session| &session.version)),
        ("Command", of_sessions(|session| &session.command)),
    ];
    let known = facts.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    known.collect()
}

/// Date and time of the day, without seconds.
fn began(session: &Session) -> String {
    let text = session.began.to_string();
    text.replacen('T', " ", 1).chars().take("2026-11-26 06:05".len()).collect()
}

/// The epoch with the lowest distance at its end, and that distance; the first one if there are several. The last epoch
/// of the table isn't compared if it has fewer steps than the one before, as training has ended within it.
fn best_epoch(steps: &Columns, epochs: &Columns) -> Option<(f64, f64)> {
    let logged = steps.column("epoch");
    let length = |epoch: f64| logged.iter().filter(|of| **of == Some(epoch)).count();
    let last_steps: BTreeMap<u64, f64> =
        steps.points("epoch", "step").into_iter().map(|(epoch, step)| (epoch as u64, step)).collect();
    let at_ends = |column: &str| -> Vec<(f64, f64)> {
        let rows = epochs.column("step").into_iter().zip(epochs.column("epoch")).zip(epochs.column(column));
        let whole = rows.filter_map(|((step, epoch), score)| Some((step?, epoch?, score?)));
        let at_end = whole.filter(|(step, epoch, _)| last_steps.get(&(*epoch as u64)) == Some(step));
        at_end.map(|(_, epoch, score)| (epoch, score)).collect()
    };
    let mut scored = at_ends("frechet_distance");
    if scored.is_empty() {
        scored = at_ends("sliced_wasserstein");
    }
    if let [.., (before, _), (last, _)] = scored[..]
        && length(last) < length(before)
    {
        scored.pop();
    }
    scored.into_iter().min_by(|a, b| a.1.total_cmp(&b.1))
}

/// The first images of the grids of the epochs that `recipe` names, as far as there are any.
fn montage_of_epochs(recipe: &Recipe, grids: &[(Moment, PathBuf)]) -> Result<Option<Picture>> {
    let [height, width, _] = recipe.discriminator.input[..] else {
        return Ok(None);
    };
    let columns = columns_for(recipe.samples.count, recipe.classes());
    let named = |moment: &Moment| match moment {
        Moment::Epoch(epoch) => recipe.samples.epochs.contains(&(*epoch as usize)),
        Moment::Step(_) => false,
    };
    let cells = grids.iter().filter(|(moment, _)| named(moment));
    let cells = cells.map(|(moment, path)| {
        let grid = Picture::read(path)?;
        let corner = grid_corner(&grid, [height, width], columns, MONTAGE_SIDE);
        Ok((moment.to_string(), corner))
    });
    let cells: Vec<(String, Picture)> = cells.collect::<Result<_>>()?;
    Ok((!cells.is_empty()).then(|| montage(&cells, cells.len().min(4))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_epoch_is_the_first_of_the_lowest_distance_among_those_that_are_done() {
        let folder = tempfile::tempdir().unwrap();
        let table = |text: &str| {
            let path = folder.path().join("table.csv");
            std::fs::write(&path, text).unwrap();
            Columns::read(&path).unwrap()
        };
        let steps = table("step,epoch\n1,1\n2,1\n3,2\n4,2\n5,3\n6,3\n7,4\n");
        let epochs = |last: &str| {
            let text = format!("step,epoch,sliced_wasserstein\n2,1,0.5\n4,2,0.25\n6,3,0.25\n{last}");
            table(&text)
        };
        assert_eq!(best_epoch(&steps, &epochs("")), Some((2.0, 0.25)));
        let within = table("step,epoch,sliced_wasserstein\n2,1,0.5\n3,2,0.125\n4,2,0.25\n6,3,0.25\n");
        assert_eq!(best_epoch(&steps, &within), Some((2.0, 0.25)), "the state within an epoch is not kept");
        assert_eq!(best_epoch(&steps, &epochs("7,4,0.125\n")), Some((2.0, 0.25)), "half an epoch");
        let whole = table("step,epoch\n1,1\n2,1\n3,2\n4,2\n5,3\n6,3\n7,4\n8,4\n");
        assert_eq!(best_epoch(&whole, &epochs("8,4,0.125\n")), Some((4.0, 0.125)));
        assert_eq!(best_epoch(&steps, &table("step,epoch,sliced_wasserstein\n")), None);
    }
}
