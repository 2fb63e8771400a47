//! Many small images as one PNG: rows of equal cells with a grey gap between them. Each pixel becomes a square of
//! pixels, so that 28x28 digits can be seen without a magnifying glass.

use super::Picture;
use super::picture::MAX_BYTES;
use crate::{Error, Result, files};
use std::path::Path;

/// Pixels between cells and around them.
const GAP: usize = 2;
/// The tone of the gap, which is neither the black nor the white of most images' edges.
const TONE: u8 = 112;
/// The least side of a cell: smaller images are enlarged to it if the grid has room.
const CELL: usize = 80;

/// The columns of a grid of `count` images. If there are `classes`, each has a row, and the first ones have a second if
/// images are left; otherwise the grid is about square, with √count columns, rounded up.
pub fn columns_for(count: usize, classes: Option<usize>) -> usize {
    match classes {
        Some(classes) => (count / classes).max(1),
        None => (count as f64).sqrt().ceil() as usize,
    }
}

/// Writes the [`grid`] of `pixels` to `path` as PNG.
///
/// # Errors
/// [`Error::Data`] if the grid has more than 2²⁷ bytes even when no image is enlarged, [`Error::Io`] if `path` can't be
/// written.
///
/// # Panics
/// As [`grid`].
pub fn grid_png(
    path: &Path,
    pixels: &[u8],
    height: usize,
    width: usize,
    channels: usize,
    columns: usize,
) -> Result<()> {
    let picture = grid(pixels, height, width, channels, columns)
        .map_err(|what| Error::data(path, what, "ask for fewer images"))?;
    files::write_whole(path, &picture.to_png())
}

/// `pixels`, `[n, height, width, channels]` bytes, as a grid with `columns` images in a row, in reading order.
/// `channels` is 1 (grey) or 3 (red, green, blue).
///
/// # Errors
/// A message that says what is too large, if the grid has more than 2²⁷ bytes, three for each pixel, even when no image
/// is enlarged.
///
/// # Panics
/// If there is no image, a size is 0, `pixels` isn't whole images, or `channels` is not 1 or 3.
pub fn grid(
    pixels: &[u8],
    height: usize,
    width: usize,
    channels: usize,
    columns: usize,
) -> std::result::Result<Picture, String> {
    let size = height * width * channels;
    assert!(
        matches!(channels, 1 | 3) && columns > 0 && !pixels.is_empty() && size > 0 && pixels.len().is_multiple_of(size),
        "grid: {} bytes in {columns} columns of [{height}, {width}, {channels}]",
        pixels.len()
    );
    let count = pixels.len() / size;
    let columns = columns.min(count);
    let rows = count.div_ceil(columns);
    let (scale, [grid_height, grid_width]) = measure(rows, columns, [height, width]);
    let bytes = grid_height * grid_width * 3;
    if bytes > MAX_BYTES {
        return Err(format!(
            "a grid of {count} images of {height}x{width}x{channels} takes {bytes} bytes, \
             more than {MAX_BYTES}"
        ));
    }

    let mut picture = Picture::new(grid_width, grid_height, [TONE; 3]);
    for (index, image) in pixels.chunks_exact(size).enumerate() {
        let top = GAP + index / columns * (height * scale + GAP);
        let left = GAP + index % columns * (width * scale + GAP);
        let cell = Picture::from_pixels(image, height, width, channels);
        picture.paste(&cell.scaled(width * scale, height * scale), left, top);
    }
    Ok(picture)
}

/// The number of bytes of the pixels of a [`grid`] of `count` images of `[height, width]` in `columns`.
pub fn grid_bytes(count: usize, size: [usize; 2], columns: usize) -> usize {
    let columns = columns.clamp(1, count.max(1));
    let (_, [height, width]) = measure(count.div_ceil(columns), columns, size);
    3 * height * width
}

/// The upper left corner of a [`grid`] of `columns` images of `[height, width]`: `side` by `side` images, or as many as
/// it has.
pub fn grid_corner(grid: &Picture, [height, width]: [usize; 2], columns: usize, side: usize) -> Picture {
    let pitch = grid.width.saturating_sub(GAP) / columns.max(1);
    let scale = pitch.saturating_sub(GAP) / width.max(1);
    let columns = side.min(columns);
    let corner = [GAP + columns * pitch, GAP + side * (height * scale + GAP)];
    let mut picture = Picture::new(corner[0], corner[1].min(grid.height), [TONE; 3]);
    picture.paste(grid, 0, 0);
    picture
}

/// The factor by which a grid's images, `[height, width]`, are enlarged, as far as there is room but at least 1, and
/// the grid's height and width with it.
fn measure(rows: usize, columns: usize, [height, width]: [usize; 2]) -> (usize, [usize; 2]) {
    let sides = |scale: usize| {
        let side = |cells: usize, size: usize| GAP + cells * (size * scale + GAP);
        [side(rows, height), side(columns, width)]
    };
    let fits = |&scale: &usize| {
        let [height, width] = sides(scale);
        height * width * 3 <= MAX_BYTES
    };
    let largest = CELL.div_ceil(height.max(width));
    let scale = (1..=largest).rev().find(fits).unwrap_or(1);
    (scale, sides(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corner_of_a_grid_is_the_grid_of_its_first_images() {
        let size = 6 * 5;
        let pixels: Vec<u8> = (0..12 * size).map(|i| (i * 7) as u8).collect();
        let whole = grid(&pixels, 6, 5, 1, 4).unwrap();
        assert_eq!(grid_bytes(12, [6, 5], 4), whole.rgb.len());
        let picked = [0, 1, 4, 5].map(|index| &pixels[index * size..][..size]);
        let expected = grid(&picked.concat(), 6, 5, 1, 2).unwrap();
        assert_eq!(grid_corner(&whole, [6, 5], 4, 2), expected);
        assert_eq!(grid_corner(&whole, [6, 5], 4, 9), whole);
    }

    #[test]
    fn every_pixel_is_where_it_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        for channels in [1, 3] {
            let (height, width, count, columns) = (4, 5, 5, 3);
            let pixels: Vec<u8> = (0..count * height * width * channels).map(|i| (i * 7) as u8).collect();
            grid_png(&path, &pixels, height, width, channels, columns).unwrap();
            let grid = Picture::read(&path).unwrap();
            let scale = 16; // 5 x 16 = 80
            let (w, h) = (2 + 3 * (width * scale + 2), 2 + 2 * (height * scale + 2));
            assert_eq!((grid.width, grid.height), (w, h));
            for y in 0..h {
                for x in 0..w {
                    let (row, in_y) = (y / (height * scale + 2), y % (height * scale + 2));
                    let (column, in_x) = (x / (width * scale + 2), x % (width * scale + 2));
                    let index = row * columns + column;
                    for c in 0..3 {
                        let expected = if in_y < 2 || in_x < 2 || index >= count {
                            TONE
                        } else {
                            let (i, j) = ((in_y - 2) / scale, (in_x - 2) / scale);
                            pixels[((index * height + i) * width + j) * channels + c % channels]
                        };
                        assert_eq!(grid.rgb[(y * w + x) * 3 + c], expected, "{y} {x} {c}");
                    }
                }
            }
        }
    }

    #[test]
    fn many_small_images_are_enlarged_less_and_too_many_refused() {
        // 2²⁷ bytes are 6,688 pixels each way, which 82 cells of 80 pixels and a gap just exceed.
        assert_eq!(measure(81, 81, [1, 1]), (80, [6644, 6644]));
        assert_eq!(measure(82, 82, [1, 1]), (79, [6644, 6644]));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        let count = 6000 * 6000;
        let error = grid_png(&path, &vec![7; count], 1, 1, 1, columns_for(count, None)).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("36000000 images of 1x1x1 takes 972216012 bytes")
                && error.ends_with("; ask for fewer images"),
            "{error}"
        );
        assert!(!path.exists());
    }

    #[test]
    fn columns_make_a_grid_about_square() {
        let counts = [0, 1, 2, 4, 5, 9, 10, 100, 101];
        assert_eq!(counts.map(|count| columns_for(count, None)), [0, 1, 2, 2, 3, 3, 4, 10, 11]);
        assert_eq!(counts.map(|count| columns_for(count, Some(4))), [1, 1, 1, 1, 1, 2, 2, 25, 25]);
    }

    #[test]
    fn fewer_images_than_columns_make_one_short_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        grid_png(&path, &[9; 2 * 28 * 28], 28, 28, 1, 10).unwrap();
        let grid = Picture::read(&path).unwrap();
        assert_eq!((grid.width, grid.height), (2 + 2 * 86, 2 + 86));
    }
}
