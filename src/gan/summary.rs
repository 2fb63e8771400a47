//! The pictures of a whole run, drawn from what is in its folder: the animation, the montage, real
//! beside generated, the curves, and `report.html` with all of them.

use super::curves;
use super::folder;
use super::recipe::{LayerTable, NetworkSpec, Recipe};
use super::table::Columns;
use crate::files::write_whole;
use crate::report::{
    Figure, Media, Page, Panel, Picture, Section, comparison, gif, montage, page, png, svg,
};
use crate::{Error, Result};
use std::path::Path;

/// How long each epoch is seen in the animation, in milliseconds.
const FRAME: u32 = 400;

/// Cells of each grid in the montage, a side; the reports show sixteen images.
const MONTAGE_CELLS: usize = 4;

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
    let [svg_file, png_file] = folder::CURVES.map(|name| folder.join(name));
    write_whole(&svg_file, svg(&title, &panels).as_bytes())?;
    write_whole(&png_file, &png(&title, &panels))?;

    let mut figures = Vec::new();
    let grids = folder::grids(folder);
    if let Some((epoch, last)) = grids.last() {
        let last = Picture::read(last)?;
        figures.push(figure(
            format!("Samples of epoch {epoch}, from the latents of every grid"),
            Media::Png(last.to_png()),
        ));
        let frames = grids
            .iter()
            .map(|(epoch, path)| Ok((format!("epoch {epoch}"), Picture::read(path)?)));
        let frames: Vec<(String, Picture)> = frames.collect::<Result<_>>()?;
        let path = folder.join(folder::ANIMATION);
        let animation = gif(&frames, FRAME).map_err(|what| Error::run(&path, what))?;
        write_whole(&path, &animation)?;
        figures.push(figure("The same latents, epoch by epoch", Media::Gif(animation)));

        let real = folder::real_grid(folder);
        if real.is_file() {
            let both = comparison(&Picture::read(&real)?, &last).to_png();
            write_whole(&folder.join(folder::COMPARISON), &both)?;
            figures.push(figure("Real beside generated", Media::Png(both)));
        }
        if let Some(png) = draw_montage(&recipe, &grids)? {
            write_whole(&folder.join(folder::MONTAGE), &png)?;
            figures.push(figure("The epochs that the recipe names", Media::Png(png)));
        }
    }
    let page = report(&recipe, &steps, &epochs, &panels, figures);
    write_whole(&folder.join(folder::REPORT), page.as_bytes())
}

fn figure(caption: impl Into<String>, media: Media) -> Figure {
    let caption = caption.into();
    Figure {
        alt: caption.clone(),
        caption,
        media,
    }
}

/// The first images of the grids of the epochs that `recipe` names, as far as there are any.
fn draw_montage(recipe: &Recipe, grids: &[(u64, std::path::PathBuf)]) -> Result<Option<Vec<u8>>> {
    let named = |epoch: &u64| recipe.samples.epochs.contains(&(*epoch as usize));
    let cells = grids.iter().filter(|(epoch, _)| named(epoch));
    let cells = cells.map(|(epoch, path)| {
        let grid = Picture::read(path)?;
        let columns = columns_for(recipe.samples.count);
        Ok((format!("epoch {epoch}"), first_cells(&grid, columns, MONTAGE_CELLS)))
    });
    let cells: Vec<(String, Picture)> = cells.collect::<Result<_>>()?;
    let columns = cells.len().min(4);
    Ok((columns > 0).then(|| montage(&cells, columns).to_png()))
}
