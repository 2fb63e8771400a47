//! Turns a picture into the bytes of an image of a given size.
//!
//! Every picture is converted to 8 bits, in grey (Rec. 709 luma) or colour: 16 bits are rounded, a palette is looked
//! up, and transparent parts are laid over a plain background. The picture is then cropped around its centre to the
//! wanted proportions and resized by the triangle filter.

use crate::Result;
use crate::data::picture::{self, Picture};
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Pixel};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What was done to a picture to make it fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fitting {
    /// It was turned or mirrored, as its EXIF orientation says.
    pub turned: bool,
    /// It was cut around its centre.
    pub cut: bool,
    /// It was resized.
    pub resized: bool,
    /// It was stored in colour and is grey now, even if all its colours were greys.
    pub greyed: bool,
}

/// The picture in the file `bytes` as an image of `size` = [height, width, channels], where channels is 1 or 3.
/// Transparent parts are laid over `background`. `path` only names the picture in errors.
///
/// # Errors
/// As [`picture::decode`].
pub fn read_picture(path: &Path, bytes: &[u8], size: [usize; 3], background: [u8; 3]) -> Result<(Vec<u8>, Fitting)> {
    let Picture { image, turned } = picture::decode(path, bytes)?;
    let has_color = image.color().has_color();
    let image = picture::over(image, background);
    let [height, width, channels] = size;
    let (pixels, cut, resized) = if channels == 1 {
        cover(&image.into_luma8(), height, width)
    } else {
        cover(&image.into_rgb8(), height, width)
    };
    let fitting = Fitting { turned, cut, resized, greyed: has_color && channels == 1 };
    Ok((pixels, fitting))
}

/// How many pictures of a set had to be made to fit, counted from many threads.
#[derive(Default)]
pub(super) struct Fitted {
    turned: AtomicUsize,
    cut: AtomicUsize,
    resized: AtomicUsize,
    greyed: AtomicUsize,
}

impl Fitted {
    pub fn count(&self, fitting: Fitting) {
        for (counter, counts) in [
            (&self.turned, fitting.turned),
            (&self.cut, fitting.cut),
            (&self.resized, fitting.resized),
            (&self.greyed, fitting.greyed),
        ] {
            counter.fetch_add(usize::from(counts), Ordering::Relaxed);
        }
    }

    /// A line on what was done to how many of `total` pictures to make them `size`, if anything was.
    pub fn line(&self, total: usize, [height, width, _]: [usize; 3]) -> Option<String> {
        let parts = [
            (&self.turned, "turned upright (EXIF)".to_string()),
            (&self.cut, "cut around their centre".to_string()),
            (&self.resized, format!("resized to {height}x{width} (triangle filter)")),
            (&self.greyed, "turned grey (Rec. 709 luma)".to_string()),
        ];
        let parts: Vec<String> = parts
            .iter()
            .map(|(counter, what)| (counter.load(Ordering::Relaxed), what))
            .filter(|&(count, _)| count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        match parts.is_empty() {
            true => None,
            false => Some(format!("of {total} pictures: {}", parts.join(", "))),
        }
    }
}

/// The centre of `image`, as large as the proportions allow, resized; and whether it was cropped, and whether it was
/// resized. It is cropped first: a strip of one pixel, resized until it covers the wanted size, would be gigabytes
/// long.
fn cover<P>(image: &ImageBuffer<P, Vec<u8>>, height: usize, width: usize) -> (Vec<u8>, bool, bool)
where
    P: Pixel<Subpixel = u8> + 'static,
{
    let (has_width, has_height) = image.dimensions();
    // a · b / c, rounded, from 1 to `most`.
    let scaled = |a: u32, b: usize, c: usize, most: u32| {
        let (a, b, c) = (u64::from(a), b as u64, c as u64);
        ((a * b + c / 2) / c).clamp(1, u64::from(most)) as u32
    };
    let cut_width = scaled(has_height, width, height, has_width);
    let cut_height = scaled(has_width, height, width, has_height);
    let (left, top) = ((has_width - cut_width) / 2, (has_height - cut_height) / 2);
    let centre = imageops::crop_imm(image, left, top, cut_width, cut_height);
    let resized = imageops::resize(&*centre, width as u32, height as u32, FilterType::Triangle);
    let was_cut = (cut_width, cut_height) != (has_width, has_height);
    let was_resized = (cut_width, cut_height) != (width as u32, height as u32);
    (resized.into_raw(), was_cut, was_resized)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::picture::MOST_SIDE;
    use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

    pub fn png(width: u32, height: u32, colour: ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new(&mut bytes);
        encoder.write_image(pixels, width, height, colour).unwrap();
        bytes
    }

    /// A grey PNG of one value.
    pub fn grey(value: u8) -> Vec<u8> {
        png(2, 2, ExtendedColorType::L8, &[value; 4])
    }

    /// A PNG of indices of `bits` into a palette of `colours`.
    fn indexed(bits: png::BitDepth, colours: &[u8], alphas: &[u8], row: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let width = 8 * row.len() as u32 / bits as u32;
        let mut encoder = png::Encoder::new(&mut bytes, width, 1);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(bits);
        encoder.set_palette(colours);
        encoder.set_trns(alphas);
        encoder.write_header().unwrap().write_image_data(row).unwrap();
        bytes
    }

    fn read(bytes: &[u8], size: [usize; 3]) -> Result<Vec<u8>> {
        let read = read_picture(Path::new("some/image.png"), bytes, size, [0; 3]);
        read.map(|(pixels, _)| pixels)
    }

    #[test]
    fn every_kind_of_png_comes_out_in_grey_or_colour() {
        use ExtendedColorType::*;
        let words = |values: &[u16]| -> Vec<u8> { values.iter().flat_map(|value| value.to_ne_bytes()).collect() };
        let rgb16 = words(&[65535, 0, 0, 257, 514, 771]);
        let la16 = words(&[65535, 32896, 65535, 0]);
        for (name, bytes, colour, grey) in [
            ("L8", png(2, 1, L8, &[10, 20]), [10, 10, 10, 20, 20, 20], [10, 20]),
            ("L16", png(2, 1, L16, &words(&[257, 65535])), [1, 1, 1, 255, 255, 255], [1, 255]),
            ("Rgb8", png(2, 1, Rgb8, &[255, 0, 0, 1, 2, 3]), [255, 0, 0, 1, 2, 3], [54, 2]),
            ("Rgb16", png(2, 1, Rgb16, &rgb16), [255, 0, 0, 1, 2, 3], [54, 2]),
            // Half of white is grey, and none of it black.
            ("La8", png(2, 1, La8, &[255, 128, 255, 0]), [128, 128, 128, 0, 0, 0], [128, 0]),
            ("La16", png(2, 1, La16, &la16), [128, 128, 128, 0, 0, 0], [128, 0]),
            ("Rgba8", png(2, 1, Rgba8, &[255, 0, 0, 255, 9, 9, 9, 0]), [255, 0, 0, 0, 0, 0], [54, 0]),
        ] {
            assert_eq!(read(&bytes, [1, 2, 3]).unwrap(), colour, "{name}");
            assert_eq!(read(&bytes, [1, 2, 1]).unwrap(), grey, "{name}");
        }
        let colours = [255, 0, 0, 1, 2, 3];
        let palette = indexed(png::BitDepth::One, &colours, &[255, 255], &[0b0111_1110]);
        let pixels = read(&palette, [1, 8, 3]).unwrap();
        assert_eq!((&pixels[..6], &pixels[21..]), (&colours[..], &colours[..3]));
        let palette = indexed(png::BitDepth::Eight, &colours, &[0], &[0, 1]);
        assert_eq!(read(&palette, [1, 2, 3]).unwrap(), [0, 0, 0, 1, 2, 3]);
    }

    /// Found by fuzzing: the decoder panics at a palette that ends within a colour.
    #[test]
    fn a_palette_of_a_colour_and_a_third_is_refused() {
        let image = indexed(png::BitDepth::One, &[1, 2, 3, 4], &[], &[0]);
        let error = read(&image, [1, 8, 3]).unwrap_err().to_string();
        assert!(error.contains("a palette of 4 bytes"), "{error}");
    }

    #[test]
    fn images_are_cut_around_their_centre_and_resized() {
        // Bars: the outer ones are cut off, whichever way the image lies.
        let bars = [9, 9, 50, 50, 90, 90, 9, 9];
        let wide = png(8, 4, ExtendedColorType::L8, &bars.repeat(4));
        assert_eq!(read(&wide, [4, 4, 1]).unwrap(), [50, 50, 90, 90].repeat(4));
        let lines: Vec<u8> = bars.iter().flat_map(|&value| [value; 4]).collect();
        let tall = png(4, 8, ExtendedColorType::L8, &lines);
        assert_eq!(read(&tall, [4, 4, 1]).unwrap(), lines[8..24]);
        assert_eq!(read(&tall, [4, 2, 1]).unwrap().len(), 8);

        // A filter that is as wide as what it shrinks: every pixel counts, and the mean stays.
        let dots: Vec<u8> = (0..64 * 64).map(|at| if at % 8 == 3 { 240 } else { 0 }).collect();
        let small = read(&png(64, 64, ExtendedColorType::L8, &dots), [2, 2, 1]).unwrap();
        assert!(small.iter().all(|value| (26..=34).contains(value)), "{small:?}");
        let large = read(&grey(77), [5, 9, 3]).unwrap();
        assert_eq!(large, [77; 135]);
        // The longest strip takes no more than it must.
        let strip = png(MOST_SIDE, 1, ExtendedColorType::L8, &vec![5; MOST_SIDE as usize]);
        assert_eq!(read(&strip, [64, 64, 1]).unwrap(), [5; 4096]);
    }
}
