//! The pictures of a whole run, drawn from what is in its folder: the animation, the montage, real
//! beside generated, the curves, and `report.html` with all of them.

use super::curves;
use super::folder;
use super::recipe::{LossSpec, NetworkSpec, Recipe};
use super::table::Columns;
use crate::Result;
use crate::files::write_whole;
use crate::report::chart::{self, Panel};
use crate::report::page::{Figure, Media, Page, Section};
use crate::report::{Picture, columns_for, comparison, gif, grid_corner, montage};
use std::path::{Path, PathBuf};

/// How long each epoch is seen in the animation, in milliseconds.
const FRAME: u32 = 400;

/// Images of each grid in the montage, a side: the reports show sixteen.
const MONTAGE_SIDE: usize = 4;

/// Draws everything that can be drawn of the run in `folder`. What there is no grid for yet is left out.
///
/// # Errors
/// If the run's files can't be read, or a picture can't be written.
pub fn draw(folder: &Path) -> Result<()> {
    let recipe_file = folder.join(folder::RECIPE);
    let recipe = Recipe::load(&recipe_file.display().to_string(), &[])?;
    let steps = Columns::read(&folder.join(folder::LOG))?;
    let epochs = Columns::read(&folder.join(folder::EPOCHS))?;
    let panels = curves::panels(&recipe, &steps, &epochs);
    let title = format!("{} on {}", recipe.name, recipe.data.name);
    let [svg, png] = folder::CURVES.map(|name| folder.join(name));
    write_whole(&svg, chart::svg(&title, &panels).as_bytes())?;
    write_whole(&png, &chart::png(&title, &panels))?;

    let grids = folder::grids(folder);
    let mut figures = Vec::new();
    if let Some((epoch, path)) = grids.last() {
        let last = Picture::read(path)?;
        let caption = format!("Samples after epoch {epoch}");
        figures.push(figure(&caption, Media::Png(last.to_png())));

        let animation = gif(grids.len(), FRAME, |index| {
            let (epoch, path) = &grids[index];
            Ok((format!("epoch {epoch}"), Picture::read(path)?))
        })?;
        write_whole(&folder.join(folder::ANIMATION), &animation)?;
        figures.push(figure(
            "The same latents, epoch by epoch",
            Media::Gif(animation),
        ));

        let real = folder::real_grid(folder);
        if real.is_file() {
            let both = comparison(&Picture::read(&real)?, &last).to_png();
            write_whole(&folder.join(folder::COMPARISON), &both)?;
            figures.push(figure(
                "Real images beside generated ones",
                Media::Png(both),
            ));
        }
        if let Some(montage) = draw_montage(&recipe, &grids)? {
            let montage = montage.to_png();
            write_whole(&folder.join(folder::MONTAGE), &montage)?;
            figures.push(figure(
                "The epochs that the recipe names",
                Media::Png(montage),
            ));
        }
    }
    let page = page(&recipe, [&steps, &epochs], &panels, figures);
    write_whole(&folder.join(folder::REPORT), page.to_html().as_bytes())
}

/// `report.html`: what the run was, its samples, its curves and its recipe.
fn page(
    recipe: &Recipe,
    [steps, epochs]: [&Columns; 2],
    panels: &[Panel],
    samples: Vec<Figure>,
) -> Page {
    let curves = panels.iter().map(|panel| {
        let drawing = chart::svg("", std::slice::from_ref(panel));
        figure(&panel.title, Media::Svg(drawing))
    });
    let estimate = match recipe.training.loss {
        LossSpec::Wasserstein => {
            "The Wasserstein estimate is minus the critic's loss, without the gradient penalty if \
             there is one."
        }
        _ => "",
    };
    Page {
        title: format!("{} on {}", recipe.name, recipe.data.name),
        subtitle: recipe.description.clone(),
        facts: facts(recipe, steps, epochs),
        sections: vec![
            Section {
                title: "Samples".into(),
                figures: samples,
                ..Section::default()
            },
            Section {
                title: "Curves".into(),
                text: estimate.into(),
                figures: curves
                    .map(|figure| Figure {
                        caption: String::new(),
                        ..figure
                    })
                    .collect(),
                ..Section::default()
            },
            Section {
                title: "Recipe".into(),
                text: "What minimax train takes, with every default said.".into(),
                code: Some(recipe.to_toml()),
                ..Section::default()
            },
        ],
    }
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
        (
            "Sliced Wasserstein distance",
            number(latest(epochs, "sliced_wasserstein"), 4),
        ),
        (
            "Classes that appear",
            number(latest(epochs, "classes_present"), 0),
        ),
        ("Parameters of G", parameters(&recipe.generator)),
        ("Parameters of D", parameters(&recipe.discriminator)),
        ("Seed", Some(recipe.training.seed.to_string())),
    ];
    let known = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name.into(), value?)));
    known.collect()
}

fn figure(caption: &str, media: Media) -> Figure {
    Figure {
        caption: caption.into(),
        alt: caption.into(),
        media,
    }
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
