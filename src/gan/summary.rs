//! The pictures of a whole run, drawn from what is in its folder: the animation, the montage, real
//! beside generated, the curves, and `report.html` with all of them.

use super::curves;
use super::folder;
use super::recipe::Recipe;
use super::table::Columns;
use crate::Result;
use crate::files::write_whole;
use crate::report::{Picture, chart, columns_for, comparison, gif, grid_corner, montage};
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
    let Some((_, last)) = grids.last() else {
        return Ok(());
    };
    let animation = gif(grids.len(), FRAME, |index| {
        let (epoch, path) = &grids[index];
        Ok((format!("epoch {epoch}"), Picture::read(path)?))
    })?;
    write_whole(&folder.join(folder::ANIMATION), &animation)?;

    let real = folder::real_grid(folder);
    if real.is_file() {
        let both = comparison(&Picture::read(&real)?, &Picture::read(last)?);
        write_whole(&folder.join(folder::COMPARISON), &both.to_png())?;
    }
    if let Some(montage) = draw_montage(&recipe, &grids)? {
        write_whole(&folder.join(folder::MONTAGE), &montage.to_png())?;
    }
    Ok(())
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
