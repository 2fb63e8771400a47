//! Many small images as one PNG: rows of equal cells with a grey gap between them, each pixel drawn as
//! a square of pixels so that 28x28 digits can be seen without a magnifying glass.

use crate::{Error, Result, files};
use std::io;
use std::path::Path;

/// Pixels between cells and around them.
const GAP: usize = 2;
/// Tone of the gap: neither the black nor the white that images mostly end in.
const TONE: u8 = 112;
/// The side that a cell is enlarged to, at least, when the images are smaller and the grid has room.
const CELL: usize = 80;
/// The most bytes that the pixels of a grid may take.
const MAX_BYTES: usize = 1 << 28;

/// The columns of a grid of `count` images that is about as wide as high: √count, rounded up.
pub fn columns_for(count: usize) -> usize {
    (count as f64).sqrt().ceil() as usize
}

/// Writes `pixels`, `[n, height, width, channels]` bytes, as a grid of `columns` images a row, read
/// like text. `channels` is 1 (grey) or 3 (red, green, blue).
///
/// # Errors
/// [`Error::Data`] where so many images make a grid of more than 2²⁸ bytes even when none is
/// enlarged, [`Error::Io`] where `path` can't be written.
///
/// # Panics
/// When there is no image, a size is 0, `pixels` isn't whole images, or `channels` is not 1 or 3.
pub fn grid_png(
    path: &Path,
    pixels: &[u8],
    height: usize,
    width: usize,
    channels: usize,
    columns: usize,
) -> Result<()> {
    let size = height * width * channels;
    assert!(
        matches!(channels, 1 | 3)
            && columns > 0
            && !pixels.is_empty()
            && size > 0
            && pixels.len().is_multiple_of(size),
        "grid_png: {} bytes in {columns} columns of [{height}, {width}, {channels}]",
        pixels.len()
    );
    let count = pixels.len() / size;
    let columns = columns.min(count);
    let rows = count.div_ceil(columns);
    let (scale, [grid_height, grid_width]) = measure(rows, columns, [height, width, channels]);
    let bytes = grid_height * grid_width * channels;
    if bytes > MAX_BYTES {
        let what = format!(
            "a grid of {count} images of {height}x{width}x{channels} takes {bytes} bytes, \
             more than {MAX_BYTES}"
        );
        return Err(Error::data(path, what, "draw fewer images"));
    }

    let mut grid = vec![TONE; bytes];
    for (index, image) in pixels.chunks_exact(size).enumerate() {
        let top = GAP + index / columns * (height * scale + GAP);
        let left = GAP + index % columns * (width * scale + GAP);
        for y in 0..height * scale {
            let source = &image[y / scale * width * channels..][..width * channels];
            let start = ((top + y) * grid_width + left) * channels;
            let target = &mut grid[start..][..width * scale * channels];
            for (square, pixel) in target
                .chunks_exact_mut(scale * channels)
                .zip(source.chunks_exact(channels))
            {
                for copy in square.chunks_exact_mut(channels) {
                    copy.copy_from_slice(pixel);
                }
            }
        }
    }
    let file = encode(&grid, grid_height, grid_width, channels)
        .map_err(|error| Error::io(path)(io::Error::other(error)))?;
    files::write_whole(path, &file)
}

/// The enlargement of a grid's images, as large as there is room for but at least 1, and the grid's
/// height and width that it makes.
fn measure(rows: usize, columns: usize, image: [usize; 3]) -> (usize, [usize; 2]) {
    let [height, width, channels] = image;
    let sides = |scale: usize| {
        let side = |cells: usize, size: usize| GAP + cells * (size * scale + GAP);
        [side(rows, height), side(columns, width)]
    };
    let fits = |&scale: &usize| {
        let [height, width] = sides(scale);
        height * width * channels <= MAX_BYTES
    };
    let largest = CELL.div_ceil(height.max(width));
    let scale = (1..=largest).rev().find(fits).unwrap_or(1);
    (scale, sides(scale))
}

fn encode(
    pixels: &[u8],
    height: usize,
    width: usize,
    channels: usize,
) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(match channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> (png::OutputInfo, Vec<u8>) {
        let file = io::BufReader::new(std::fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info, pixels)
    }

    #[test]
    fn every_pixel_is_where_it_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        for channels in [1, 3] {
            let (height, width, count, columns) = (4, 5, 5, 3);
            let pixels: Vec<u8> = (0..count * height * width * channels)
                .map(|i| (i * 7) as u8)
                .collect();
            grid_png(&path, &pixels, height, width, channels, columns).unwrap();
            let (info, grid) = read(&path);
            let scale = 16; // 5 x 16 = 80
            let (w, h) = (2 + 3 * (width * scale + 2), 2 + 2 * (height * scale + 2));
            assert_eq!((info.width as usize, info.height as usize), (w, h));
            for y in 0..h {
                for x in 0..w {
                    let (row, in_y) = (y / (height * scale + 2), y % (height * scale + 2));
                    let (column, in_x) = (x / (width * scale + 2), x % (width * scale + 2));
                    let index = row * columns + column;
                    for c in 0..channels {
                        let expected = if in_y < 2 || in_x < 2 || index >= count {
                            TONE
                        } else {
                            let (i, j) = ((in_y - 2) / scale, (in_x - 2) / scale);
                            pixels[((index * height + i) * width + j) * channels + c]
                        };
                        assert_eq!(grid[(y * w + x) * channels + c], expected, "{y} {x} {c}");
                    }
                }
            }
        }
    }

    #[test]
    fn many_small_images_are_enlarged_less_and_too_many_refused() {
        // 2²⁸ bytes are 16,384 pixels each way, which 200 cells of 80 pixels and a gap just exceed.
        assert_eq!(measure(199, 199, [1, 1, 1]), (80, [16_320, 16_320]));
        assert_eq!(measure(200, 200, [1, 1, 1]), (79, [16_202, 16_202]));
        assert_eq!(measure(199, 199, [1, 1, 3]).0, 45);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        let count = 6000 * 6000;
        let error = grid_png(&path, &vec![7; count], 1, 1, 1, columns_for(count)).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("36000000 images of 1x1x1 takes 324072004 bytes")
                && error.ends_with("; draw fewer images"),
            "{error}"
        );
        assert!(!path.exists());
    }

    #[test]
    fn columns_make_a_grid_about_square() {
        let counts = [0, 1, 2, 4, 5, 9, 10, 100, 101];
        assert_eq!(counts.map(columns_for), [0, 1, 2, 2, 3, 3, 4, 10, 11]);
    }

    #[test]
    fn fewer_images_than_columns_make_one_short_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        grid_png(&path, &[9; 2 * 28 * 28], 28, 28, 1, 10).unwrap();
        let (info, _) = read(&path);
        assert_eq!((info.width, info.height), (2 + 2 * 86, 2 + 86));
    }
}
