//! The pictures of a whole run, drawn from what is in its folder: the animation, the montage, real
//! beside generated, the curves, and `report.html` with all of them.

use super::curves;
use super::folder;
use super::table::Columns;
use crate::files::write_whole;
use crate::recipe::{NetworkSpec, Recipe};
use crate::report::chart::{self, Panel};
use crate::report::page::{Figure, Media, Page, Section};
use crate::report::{Picture, columns_for, comparison, gif, grid_corner, montage};
use crate::terminal::excerpt;
use crate::{Error, Result};
use rayon::prelude::*;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How long each epoch is seen in the animation, in milliseconds.
const FRAME: u32 = 400;

/// Images of each grid in the montage, a side: the reports show sixteen.
const MONTAGE_SIDE: usize = 4;

/// Draws everything that can be drawn of the run in `folder`. What there is no grid for yet is left out, and so
/// are grids that can't be read: a line on each is given, and stands in the report.
///
/// # Errors
/// If the run's files can't be read, or a picture can't be written.
pub fn draw(folder: &Path) -> Result<Vec<String>> {
    let recipe = Recipe::load_saved(&folder.join(folder::RECIPE))?;
    let steps = Columns::read(&folder.join(folder::LOG))?;
    let epochs = Columns::read(&folder.join(folder::EPOCHS))?;
    let panels = curves::panels(&recipe, &steps, &epochs);
    let mut left_out = Vec::new();
    let mut sections = draw_samples(folder, &recipe, &mut left_out)?;
    if !left_out.is_empty() {
        sections.push(Section { text: left_out.join("\n\n"), ..Section::new("Left out", Vec::new()) });
    }
    sections.push(draw_curves(folder, &recipe, &panels)?);
    sections.push(Section {
        title: "Recipe".into(),
        text: "What minimax train takes, with every default said.".into(),
        code: Some(recipe.to_toml()),
        ..Section::default()
    });
    let page = Page {
        title: title(&recipe),
        subtitle: recipe.description.clone(),
        facts: facts(&recipe, &steps, &epochs),
        sections,
    };
    write_whole(&folder.join(folder::REPORT), page.to_html().as_bytes())?;
    Ok(left_out)
}

fn title(recipe: &Recipe) -> String {
    format!("{} on {}", recipe.name, excerpt(&recipe.data.name))
}

/// The pictures made of sample grids.
fn draw_samples(folder: &Path, recipe: &Recipe, left_out: &mut Vec<String>) -> Result<Vec<Section>> {
    let mut grids = folder::grids(folder)?;
    let unreadable: Vec<Option<Error>> = grids.par_iter().map(|(_, path)| Picture::read(path).err()).collect();
    left_out.extend(unreadable.iter().flatten().map(left_out_of));
    let mut unreadable = unreadable.iter();
    grids.retain(|_| unreadable.next().is_some_and(Option::is_none));
    let Some((epoch, path)) = grids.last() else {
        return Ok(Vec::new());
    };
    let last = Picture::read(path)?;
    let animation = gif(grids.len(), FRAME, |index| {
        let (epoch, path) = &grids[index];
        Ok((format!("epoch {epoch}"), Picture::read(path)?))
    })?;
    write_whole(&folder.join(folder::ANIMATION), &animation)?;
    let both = vec![
        Figure::captioned(&format!("After epoch {epoch}"), Media::Png(last.to_png())),
        Figure::captioned("The same latents, epoch by epoch", Media::Gif(animation)),
    ];
    let mut sections = vec![Section::new("Samples", both)];

    match Picture::read(&folder::real_grid(folder)) {
        Ok(real) => {
            let png = comparison(&real, &last).to_png();
            write_whole(&folder.join(folder::COMPARISON), &png)?;
            let beside = Figure::captioned("Real images beside generated ones", Media::Png(png));
            sections.push(Section::new("Comparison", vec![beside]));
        }
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        Err(error) => left_out.push(left_out_of(&error)),
    }
    if let Some(montage) = draw_montage(recipe, &grids)? {
        let png = montage.to_png();
        write_whole(&folder.join(folder::MONTAGE), &png)?;
        let named = Figure::captioned("The epochs that the recipe names", Media::Png(png));
        sections.push(Section::new("Montage", vec![named]));
    }
    Ok(sections)
}

/// The curves as files, and one by one for the page, where a telephone shows them large enough.
fn draw_curves(folder: &Path, recipe: &Recipe, panels: &[Panel]) -> Result<Section> {
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

/// What a reader wants to know first.
fn facts(recipe: &Recipe, steps: &Columns, epochs: &Columns) -> Vec<(String, String)> {
    let latest = |table: &Columns, name: &str| table.column(name).into_iter().flatten().next_back();
    let number = |value: Option<f64>, digits: usize| value.map(|v| format!("{v:.digits$}"));
    let seconds: Vec<f64> = epochs.column("seconds").into_iter().flatten().collect();
    let mean = (!seconds.is_empty()).then(|| seconds.iter().sum::<f64>() / seconds.len() as f64);
    let parameters = |network: &NetworkSpec| {
        let table = network.table().expect("a loaded recipe's shapes fit");
        Some(table.parameters.total().to_string())
    };
    let facts = [
        ("Epochs", number(latest(steps, "epoch"), 0)),
        ("Steps", number(latest(steps, "step"), 0)),
        ("Seconds an epoch", number(mean, 1)),
        ("Loss of D, last", number(latest(steps, "d_loss"), 3)),
        ("Loss of G, last", number(latest(steps, "g_loss"), 3)),
        ("Sliced Wasserstein distance", number(latest(epochs, "sliced_wasserstein"), 4)),
        ("Classes that appear", number(latest(epochs, "classes_present"), 0)),
        ("Parameters of G", parameters(&recipe.generator)),
        ("Parameters of D", parameters(&recipe.discriminator)),
        ("Seed", Some(recipe.training.seed.to_string())),
    ];
    let known = facts.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    known.collect()
}

/// The first images of the grids of the epochs that `recipe` names, as far as there are any.
fn draw_montage(recipe: &Recipe, grids: &[(u64, PathBuf)]) -> Result<Option<Picture>> {
    let [height, width, _] = recipe.discriminator.input[..] else {
        return Ok(None);
    };
    let columns = columns_for(recipe.samples.count);
    let named = |epoch: &u64| recipe.samples.epochs.contains(&(*epoch as usize));
    let cells = grids.iter().filter(|(epoch, _)| named(epoch));
    let cells = cells.map(|(epoch, path)| {
        let grid = Picture::read(path)?;
        let corner = grid_corner(&grid, [height, width], columns, MONTAGE_SIDE);
        Ok((format!("epoch {epoch}"), corner))
    });
    let cells: Vec<(String, Picture)> = cells.collect::<Result<_>>()?;
    Ok((!cells.is_empty()).then(|| montage(&cells, cells.len().min(4))))
}
