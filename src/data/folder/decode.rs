//! From a PNG to the bytes of an image of a given size.
//!
//! Whatever a PNG may be is brought to 8 bits, grey (Rec. 709 luma) or colour: 16 bits are rounded, a
//! palette is looked up, and what is transparent lies over black, the background of the digits. Then it
//! is cut around its centre to the wanted proportions and resized.

use crate::terminal::brief;
use crate::{Error, Result};
use image::codecs::png::PngDecoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, ImageDecoder, Limits, Pixel};
use std::io::{BufRead, Read, Seek, SeekFrom};
use std::path::Path;

/// The longest side of an image in pixels, and the most bytes that it may take once decoded: colour
/// photographs of 44 million pixels.
const MOST_SIDE: u32 = 1 << 14;
const MOST_BYTES: u64 = 128 << 20;

/// The most bytes that the decoder may hold beside the image: rows, colour profile, text.
const MOST_METADATA: u64 = 8 << 20;

/// The most decoded bytes that one byte of a PNG can become: deflate makes 1032 of one, and looking a
/// bit up in a palette of colours with alpha makes 32 of one.
const MOST_EXPANSION: u64 = 1032 * 32;

/// One PNG as `size`, [height, width, channels] of at least 1, the last being 1 or 3; `path` only names
/// it in errors.
///
/// # Errors
/// [`Error::Data`] where it isn't a PNG, is damaged, or is larger than 128 MiB once decoded.
pub fn read_png(path: &Path, source: impl BufRead + Seek, size: [usize; 3]) -> Result<Vec<u8>> {
    let decoder = decoder(path, source)?;
    let image = DynamicImage::from_decoder(decoder).map_err(|error| broken(path, &error))?;
    let image = over_black(image);
    let [height, width, channels] = size;
    Ok(if channels == 1 {
        cover(&image.into_luma8(), height, width)
    } else {
        cover(&image.into_rgb8(), height, width)
    })
}

/// The [height, width, channels] that one PNG itself has.
pub(super) fn own_size(path: &Path, source: impl BufRead + Seek) -> Result<[usize; 3]> {
    let decoder = decoder(path, source)?;
    let (width, height) = decoder.dimensions();
    let channels = if decoder.color_type().has_color() {
        3
    } else {
        1
    };
    Ok([height as usize, width as usize, channels])
}

/// A decoder that has read the head of a PNG, whose image can be afforded.
fn decoder<R: BufRead + Seek>(path: &Path, mut source: R) -> Result<PngDecoder<R>> {
    let length = source.seek(SeekFrom::End(0)).map_err(Error::io(path))?;
    check_palette(path, &mut source)?;
    source.rewind().map_err(Error::io(path))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_METADATA);
    let decoder = PngDecoder::with_limits(source, limits).map_err(|error| broken(path, &error))?;
    let (width, height) = decoder.dimensions();
    let bytes = decoder.total_bytes();
    if bytes > MOST_BYTES {
        let what = format!("{height}x{width} pixels, which take {bytes} bytes");
        let mend = format!("make it smaller, {MOST_BYTES} bytes are allowed");
        return Err(Error::data(path, what, mend));
    }
    if bytes > length.saturating_mul(MOST_EXPANSION) {
        let what = format!("cut short: {length} bytes can't hold {height}x{width} pixels");
        return Err(Error::data(path, what, "remove it or save it again"));
    }
    Ok(decoder)
}

/// Refuses a palette with a part of a colour at its end, over which the decoder panics (image-png's
/// issue 694). What else may be wrong with the file is left to the decoder to say.
fn check_palette(path: &Path, source: &mut (impl Read + Seek)) -> Result<()> {
    // A signature of 8 bytes, then chunks: length, kind, as many bytes as the length says, checksum.
    let mut chunk = [0; 8];
    source.seek(SeekFrom::Start(8)).map_err(Error::io(path))?;
    while source.read_exact(&mut chunk).is_ok() {
        let [a, b, c, d, kind @ ..] = chunk;
        let length = u32::from_be_bytes([a, b, c, d]);
        match &kind {
            b"PLTE" if length % 3 != 0 => {
                let what = format!("a palette of {length} bytes, which isn't a multiple of 3");
                return Err(Error::data(path, what, "remove it or save it again"));
            }
            b"IEND" => break,
            _ => {
                let skipped = source.seek_relative(i64::from(length) + 4);
                skipped.map_err(Error::io(path))?;
            }
        }
    }
    Ok(())
}

fn broken(path: &Path, error: &image::ImageError) -> Error {
    // Whatever the decoder says, errors are one line.
    let what = format!("not a whole PNG ({})", brief(&error.to_string())).replace('\n', " ");
    Error::data(path, what, "remove it or save it again")
}

fn over_black(image: DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image;
    }
    let mut image = image.into_rgba8();
    for pixel in image.pixels_mut() {
        let alpha = u16::from(pixel[3]);
        pixel.apply_without_alpha(|value| ((u16::from(value) * alpha + 127) / 255) as u8);
    }
    image.into()
}

/// The centre of `image`, as large as the proportions allow, resized. Cutting comes first: resized
/// until it covers the wanted size, a strip of one pixel would be gigabytes long.
fn cover<P>(image: &ImageBuffer<P, Vec<u8>>, height: usize, width: usize) -> Vec<u8>
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
    resized.into_raw()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
    use std::io::Cursor;

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
        encoder
            .write_header()
            .unwrap()
            .write_image_data(row)
            .unwrap();
        bytes
    }

    fn read(bytes: &[u8], size: [usize; 3]) -> Result<Vec<u8>> {
        read_png(Path::new("some/image.png"), Cursor::new(bytes), size)
    }

    #[test]
    fn every_kind_of_png_comes_out_in_grey_or_colour() {
        use ExtendedColorType::*;
        let words = |values: &[u16]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_ne_bytes())
                .collect()
        };
        let rgb16 = words(&[65535, 0, 0, 257, 514, 771]);
        let la16 = words(&[65535, 32896, 65535, 0]);
        for (name, bytes, colour, grey) in [
            (
                "L8",
                png(2, 1, L8, &[10, 20]),
                [10, 10, 10, 20, 20, 20],
                [10, 20],
            ),
            (
                "L16",
                png(2, 1, L16, &words(&[257, 65535])),
                [1, 1, 1, 255, 255, 255],
                [1, 255],
            ),
            (
                "Rgb8",
                png(2, 1, Rgb8, &[255, 0, 0, 1, 2, 3]),
                [255, 0, 0, 1, 2, 3],
                [54, 2],
            ),
            (
                "Rgb16",
                png(2, 1, Rgb16, &rgb16),
                [255, 0, 0, 1, 2, 3],
                [54, 2],
            ),
            // Half of white is grey, and none of it black.
            (
                "La8",
                png(2, 1, La8, &[255, 128, 255, 0]),
                [128, 128, 128, 0, 0, 0],
                [128, 0],
            ),
            (
                "La16",
                png(2, 1, La16, &la16),
                [128, 128, 128, 0, 0, 0],
                [128, 0],
            ),
            (
                "Rgba8",
                png(2, 1, Rgba8, &[255, 0, 0, 255, 9, 9, 9, 0]),
                [255, 0, 0, 0, 0, 0],
                [54, 0],
            ),
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
        let dots: Vec<u8> = (0..64 * 64)
            .map(|at| if at % 8 == 3 { 240 } else { 0 })
            .collect();
        let small = read(&png(64, 64, ExtendedColorType::L8, &dots), [2, 2, 1]).unwrap();
        assert!(
            small.iter().all(|value| (26..=34).contains(value)),
            "{small:?}"
        );
        let large = read(&grey(77), [5, 9, 3]).unwrap();
        assert_eq!(large, [77; 135]);
        // The longest strip takes no more than it must.
        let strip = png(
            MOST_SIDE,
            1,
            ExtendedColorType::L8,
            &vec![5; MOST_SIDE as usize],
        );
        assert_eq!(read(&strip, [64, 64, 1]).unwrap(), [5; 4096]);
    }

    /// A head that promises much is refused before anything of that size is made.
    #[test]
    fn sizes_are_checked_before_anything_is_held() {
        let head = |width: u32, height: u32| {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, width, height);
            encoder.set_color(png::ColorType::Rgba);
            drop(encoder.write_header().unwrap());
            // An empty IDAT chunk: the head is then known to be whole.
            bytes.truncate(33);
            bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
            bytes
        };
        for (bytes, what) in [
            (head(20_000, 20_000), "not a whole PNG"),
            (
                head(16_000, 16_000),
                "16000x16000 pixels, which take 1024000000 bytes",
            ),
            (
                head(5_000, 5_000),
                "cut short: 45 bytes can't hold 5000x5000 pixels",
            ),
        ] {
            let error = read(&bytes, [4, 4, 1]).expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
