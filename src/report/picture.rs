//! A picture in memory, and the few things that reports do with one: paste, enlarge, write text on it, and read and
//! write it as PNG.

use super::text;
use crate::Result;
use crate::data::picture;
use std::path::Path;

/// The most bytes that the pixels of a picture read from a file, or of a grid, may take.
pub(super) const MAX_BYTES: usize = 1 << 27;

/// The program that made a picture, as its file says near its beginning.
pub(super) const SOFTWARE: &str = "minimax";

/// Whether a PNG or GIF that begins with `start` says that this program made it.
pub fn is_own_picture(start: &[u8]) -> bool {
    let mut words = start.windows(SOFTWARE.len());
    words.any(|word| word == SOFTWARE.as_bytes())
}

/// A picture: red, green and blue, one byte each.
///
/// ```
/// use minimax::report::Picture;
///
/// let mut picture = Picture::new(60, 20, [255; 3]);
/// picture.text(4.0, 15.0, 14.0, [0; 3], "digits");
/// assert!(picture.to_png().starts_with(b"\x89PNG"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The number of columns.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// `[height, width, 3]`, row-major.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    pub fn new(width: usize, height: usize, colour: [u8; 3]) -> Picture {
        Picture { width, height, rgb: colour.repeat(width * height) }
    }

    /// The picture of `pixels`, `[height, width, channels]`, where `channels` is 1 (grey) or 3 (red,
    /// green, blue).
    ///
    /// # Panics
    /// If the sizes don't fit, or `channels` is another number.
    pub fn from_pixels(pixels: &[u8], height: usize, width: usize, channels: usize) -> Picture {
        assert!(
            matches!(channels, 1 | 3) && pixels.len() == height * width * channels,
            "Picture::from_pixels: {} bytes as [{height}, {width}, {channels}]",
            pixels.len()
        );
        let rgb = match channels {
            1 => pixels.iter().flat_map(|&tone| [tone; 3]).collect(),
            _ => pixels.to_vec(),
        };
        Picture { width, height, rgb }
    }

    /// The picture in the bytes of a PNG file; transparent parts are laid over white. `path` only names it in errors.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) if they aren't a whole picture, or it has more than 2²⁷ bytes.
    pub fn from_png(path: &Path, bytes: &[u8]) -> Result<Picture> {
        let picture = picture::decode(path, bytes)?;
        let image = picture::over(picture.image, [255; 3]).into_rgb8();
        let (width, height) = image.dimensions();
        Ok(Picture { width: width as usize, height: height as usize, rgb: image.into_raw() })
    }

    /// The picture in the PNG file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if it can't be read, and those of [`Picture::from_png`].
    pub fn read(path: &Path) -> Result<Picture> {
        Picture::from_png(path, &picture::read_file(path)?)
    }

    /// Whether it has no colour.
    pub(super) fn is_grey(&self) -> bool {
        let mut pixels = self.rgb.chunks_exact(3);
        pixels.all(|p| p[0] == p[1] && p[1] == p[2])
    }

    /// The bytes of a PNG file, grey if every pixel is.
    ///
    /// # Panics
    /// If the picture has no pixels.
    pub fn to_png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.add_text_chunk("Software".into(), SOFTWARE.into()).expect("a short word in Latin letters");
        let written = if self.is_grey() {
            let tones: Vec<u8> = self.rgb.iter().step_by(3).copied().collect();
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header().and_then(|mut writer| writer.write_image_data(&tones))
        } else {
            encoder.set_color(png::ColorType::Rgb);
            encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.rgb))
        };
        written.expect("a picture that has pixels can be written to memory");
        file
    }

    /// Lays `other` over this picture, with its upper left corner at column `x` and row `y`; what is beyond the edges
    /// is cut off.
    pub fn paste(&mut self, other: &Picture, x: usize, y: usize) {
        let columns = other.width.min(self.width.saturating_sub(x)) * 3;
        let rows = other.height.min(self.height.saturating_sub(y));
        if columns == 0 {
            return;
        }
        for row in 0..rows {
            let source = &other.rgb[row * other.width * 3..][..columns];
            self.rgb[((y + row) * self.width + x) * 3..][..columns].copy_from_slice(source);
        }
    }

    /// Writes `text` at `size` pixels per em; (`x`, `y`) is the left end of its baseline, from the upper
    /// left corner. What lies outside the picture is cut off.
    pub fn text(&mut self, x: f32, y: f32, size: f32, colour: [u8; 3], text: &str) {
        text::render(self, (x, y), size, colour, text);
    }

    /// The picture with another width and height, where each pixel is the nearest of this one's: enlarged by a whole
    /// number, every pixel becomes a square.
    ///
    /// # Panics
    /// If this picture has no pixels.
    pub fn scaled(&self, width: usize, height: usize) -> Picture {
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            let row = &self.rgb[y * self.height / height * self.width * 3..][..self.width * 3];
            for x in 0..width {
                let at = x * self.width / width * 3;
                rgb.extend_from_slice(&row[at..at + 3]);
            }
        }
        Picture { width, height, rgb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(png: &[u8]) -> Result<Picture> {
        Picture::from_png(Path::new("grid.png"), png)
    }
    use proptest::prelude::*;

    fn gradient(width: usize, height: usize) -> Picture {
        let rgb = (0..width * height * 3).map(|i| (i * 5) as u8).collect();
        Picture { width, height, rgb }
    }

    fn encoded(colour: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 2, 1);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        drop(writer);
        file
    }

    #[test]
    fn png_gives_back_the_same_pixels_in_colour_and_in_grey() {
        let colour = gradient(7, 5);
        assert_eq!(read_back(&colour.to_png()).unwrap(), colour);
        let grey = Picture::from_pixels(&[0, 50, 100, 150, 200, 255], 2, 3, 1);
        let bytes = grey.to_png();
        assert_eq!(bytes[25], 0, "the header's colour type is grey");
        assert_eq!(read_back(&bytes).unwrap(), grey);
    }

    #[test]
    fn every_kind_of_png_is_read_and_the_transparent_lies_on_white() {
        use png::{BitDepth, ColorType};
        for (bytes, expected) in [
            (encoded(ColorType::Grayscale, BitDepth::One, &[0b0100_0000]), [0, 0, 0, 255, 255, 255]),
            (encoded(ColorType::GrayscaleAlpha, BitDepth::Eight, &[9, 255, 9, 0]), [9, 9, 9, 255, 255, 255]),
            (encoded(ColorType::Rgba, BitDepth::Eight, &[1, 2, 3, 255, 0, 0, 0, 51]), [1, 2, 3, 204, 204, 204]),
            (encoded(ColorType::Rgb, BitDepth::Sixteen, &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]), [1, 2, 3, 4, 5, 6]),
        ] {
            assert_eq!(read_back(&bytes).unwrap().rgb, expected);
        }
    }

    #[test]
    fn what_is_no_picture_or_too_large_a_one_is_said_so() {
        let good = gradient(7, 5).to_png();
        for bytes in [&b""[..], b"<html>", &good[..20], &good[..good.len() - 20]] {
            let error = read_back(bytes).unwrap_err().to_string();
            assert!(error.starts_with("grid.png: "), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        let mut huge = Vec::new();
        let encoder = png::Encoder::new(&mut huge, 1 << 20, 1 << 20);
        let mut writer = encoder.write_header().unwrap();
        writer.write_chunk(png::chunk::IDAT, &[0x78]).unwrap();
        drop(writer);
        let error = read_back(&huge).unwrap_err().to_string();
        assert!(error.contains("1048576x1048576"), "{error}");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epoch-0001.png");
        std::fs::write(&path, &good[..20]).unwrap();
        let error = Picture::read(&path).unwrap_err().to_string();
        assert!(error.contains("epoch-0001.png: not a whole PNG"), "{error}");
    }

    #[test]
    fn pasting_replaces_what_is_covered_and_nothing_else() {
        let mut picture = Picture::new(4, 3, [7; 3]);
        picture.paste(&Picture::new(9, 1, [1, 2, 3]), 2, 1);
        for y in 0..3 {
            for x in 0..4 {
                let pixel = &picture.rgb[(y * 4 + x) * 3..][..3];
                let covered = y == 1 && x >= 2;
                assert_eq!(pixel, if covered { [1, 2, 3] } else { [7; 3] }, "{x} {y}");
            }
        }
        let before = picture.clone();
        picture.paste(&gradient(2, 2), 4, 0);
        picture.paste(&gradient(2, 2), 0, 3);
        assert_eq!(picture, before);
    }

    #[test]
    fn scaling_by_a_whole_number_makes_squares_and_back_undoes_it() {
        let small = gradient(3, 2);
        let large = small.scaled(9, 6);
        for y in 0..6 {
            for x in 0..9 {
                let expected = &small.rgb[(y / 3 * 3 + x / 3) * 3..][..3];
                assert_eq!(&large.rgb[(y * 9 + x) * 3..][..3], expected, "{x} {y}");
            }
        }
        assert_eq!(large.scaled(3, 2), small);
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = gradient(7, 5).to_png();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            bytes.truncate(end.index(bytes.len() + 1));
            let _ = read_back(&bytes);
        }
    }
}
