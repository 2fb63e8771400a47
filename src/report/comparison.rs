//! Pictures beside one another, each with its label above.

use super::{Picture, text};

/// Pixels between the cells of a montage and around them.
const GAP: usize = 16;
const PAPER: [u8; 3] = [255; 3];
const INK: [u8; 3] = [34; 3];

/// Two grids side by side, labelled "real" and "generated".
pub fn comparison(real: &Picture, generated: &Picture) -> Picture {
    let cells = [("real", real), ("generated", generated)];
    montage(&cells.map(|(label, picture)| (label.into(), picture.clone())), 2)
}

/// `cells`, each of which is a label and a picture, in rows of `columns`, in reading order. All get the room of the
/// largest.
///
/// # Panics
/// If there are no cells or no columns.
pub fn montage(cells: &[(String, Picture)], columns: usize) -> Picture {
    assert!(!cells.is_empty() && columns > 0, "montage: {} cells in {columns} columns", cells.len());
    let columns = columns.min(cells.len());
    let (width, height) = room(cells);
    let rows = cells.len().div_ceil(columns);
    let side = |count: usize, size: usize| GAP + count * (size + GAP);
    let mut sheet = Picture::new(side(columns, width), side(rows, height), PAPER);
    for (index, (label, picture)) in cells.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        let cell = labelled(label, picture, (width, height));
        sheet.paste(&cell, side(column, width), side(row, height));
    }
    sheet
}

/// The width and height that have room for each of `cells` under its label.
pub(super) fn room(cells: &[(String, Picture)]) -> (usize, usize) {
    let width = cells.iter().map(|(_, picture)| picture.width).max();
    let height = cells.iter().map(|(_, picture)| picture.height).max();
    let width = width.unwrap_or(0);
    (width, strip(width) + height.unwrap_or(0))
}

/// `picture` in the [`room`] that it is given, under a strip with its label.
pub(super) fn labelled(label: &str, picture: &Picture, room: (usize, usize)) -> Picture {
    let mut cell = Picture::new(room.0, room.1, PAPER);
    let size = letter_size(room.0);
    // A label that is too long is made smaller rather than cut.
    let fitting = size.min(size * room.0 as f32 / text::width(label, size).max(1.0));
    let strip = strip(room.0);
    cell.text(0.0, strip as f32 - size * 0.45, fitting, INK, label);
    cell.paste(picture, 0, strip);
    cell
}

/// The size of labels over a picture `width` pixels wide. They stay readable if the picture is reduced to the width of
/// a telephone.
fn letter_size(width: usize) -> f32 {
    (width as f32 / 18.0).clamp(14.0, 48.0)
}

/// The height of the strip with the label.
pub(super) fn strip(width: usize) -> usize {
    (letter_size(width) * 1.5).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of `picture` from `y` on that are as wide as it, cut out at `x`.
    fn cut(sheet: &Picture, x: usize, y: usize, width: usize, height: usize) -> Vec<u8> {
        let row = |y: usize| &sheet.rgb[(y * sheet.width + x) * 3..][..width * 3];
        (y..y + height).flat_map(row).copied().collect()
    }

    #[test]
    fn every_picture_is_in_its_place_under_its_label() {
        let tones = [10, 60, 110, 160, 210];
        let cells = tones.map(|tone| (format!("epoch {tone}"), Picture::new(90, 40, [tone; 3])));
        let sheet = montage(&cells, 3);
        let strip = strip(90);
        let (width, height) = (90 + GAP, 40 + strip + GAP);
        assert_eq!((sheet.width, sheet.height), (GAP + 3 * width, GAP + 2 * height));
        for (index, (_, picture)) in cells.iter().enumerate() {
            let (x, y) = (GAP + index % 3 * width, GAP + index / 3 * height);
            assert_eq!(cut(&sheet, x, y + strip, 90, 40), picture.rgb);
            let label = cut(&sheet, x, y, 90, strip);
            assert!(label.iter().any(|&v| v < 100), "label {index}");
        }
        let free = cut(&sheet, GAP + 2 * width, GAP + height, 90, 40 + strip);
        assert!(free.iter().all(|&v| v == 255));
    }

    #[test]
    fn the_comparison_has_the_real_ones_at_the_left() {
        let (real, generated) = (Picture::new(50, 30, [1; 3]), Picture::new(40, 30, [2; 3]));
        let sheet = comparison(&real, &generated);
        let top = GAP + strip(50);
        assert_eq!((sheet.width, sheet.height), (3 * GAP + 100, top + 30 + GAP));
        assert_eq!(cut(&sheet, GAP, top, 50, 30), real.rgb);
        assert_eq!(cut(&sheet, 2 * GAP + 50, top, 40, 30), generated.rgb);
    }

    #[test]
    fn a_long_label_is_made_to_fit() {
        let cell = labelled(&"wide ".repeat(20), &Picture::new(60, 9, [0; 3]), (60, 30));
        let dark_in = |x: usize| (0..20).any(|y| cell.rgb[(y * 60 + x) * 3] < 200);
        assert!((45..60).any(dark_in), "it reaches the end");
        assert!(!dark_in(59), "and is not cut there");
    }
}
