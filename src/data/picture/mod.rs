//! The only decoder of picture files: PNG, JPEG, WebP, BMP and GIF (the first frame), recognised by their first bytes,
//! whatever a file is called.
//!
//! Nothing that a file says is trusted: sizes are checked before memory of that size is taken, and a panic of a decoder
//! becomes an error. A picture is turned upright according to its EXIF orientation, as Pillow's `exif_transpose` does.

use super::damage;
use crate::terminal::brief;
use crate::{Error, Result};
use image::error::LimitErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Pixel};
use std::borrow::Cow;
use std::cell::Cell;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

/// The endings of the files that count as pictures, for messages and for [`has_ending`].
pub const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "jfif", "webp", "bmp", "gif"];

/// The longest side of a picture in pixels, and the most bytes that it may take once decoded: colour
/// photographs of 44 million pixels.
pub const MOST_SIDE: u32 = 1 << 14;
/// See [`MOST_SIDE`].
pub const MOST_BYTES: u64 = 128 << 20;

/// The most bytes that a file may have.
const MOST_FILE: u64 = 2 * MOST_BYTES;

/// The most bytes that a PNG's decoder may hold beside the picture: rows, colour profile.
const MOST_METADATA: u64 = 8 << 20;

/// What to do about a file that isn't a whole picture.
const REMOVE: &str = "remove it or save it again";

/// A picture from a file.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The pixels, upright.
    pub image: DynamicImage,
    /// Whether the pixels had to be turned or mirrored for that.
    pub turned: bool,
}

/// Whether a file counts as a picture, judged by its name.
pub fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|e| ending.eq_ignore_ascii_case(e)))
}

/// The bytes of the picture file at `path`.
///
/// # Errors
/// [`Error::Data`] if it has more than 256 MiB, and [`Error::Io`] if the system refuses.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let file = crate::files::open(path)?;
    read_bytes(path, file)
}

/// The bytes of a picture file that `source` gives; `path` only names it in errors.
///
/// # Errors
/// As [`read_file`], and [`Error::Data`] if compressed data is damaged.
pub fn read_bytes(path: &Path, source: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = source.take(MOST_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| damage(path, error))?;
    if bytes.len() as u64 > MOST_FILE {
        let what = format!("larger than {MOST_FILE} bytes, too much for a picture");
        return Err(Error::data(path, what, "make it smaller"));
    }
    Ok(bytes)
}

/// The picture in the file `bytes`; `path` only names it in errors.
///
/// # Errors
/// [`Error::Data`] if it is in none of the formats, is damaged or cut short, has a side of more than 16,384 pixels, or
/// has more than 128 MiB once decoded.
pub fn decode(path: &Path, bytes: &[u8]) -> Result<Picture> {
    let format = format(path, bytes)?;
    guarded(path, format, || {
        let bytes = tidied(path, format, bytes)?;
        let mut decoder = decoder(path, format, &bytes)?;
        let orientation = orientation(&mut decoder);
        let image = DynamicImage::from_decoder(decoder);
        let mut image = image.map_err(|error| broken(path, format, &error))?;
        image.apply_orientation(orientation);
        Ok(Picture { image, turned: orientation != Orientation::NoTransforms })
    })
}

/// The [height, width, channels] that the picture in the file `bytes` has once upright; channels are 1
/// (grey) or 3 (colour).
///
/// # Errors
/// As [`decode`], but only as far as the head of the file shows it.
pub fn size(path: &Path, bytes: &[u8]) -> Result<[usize; 3]> {
    let format = format(path, bytes)?;
    guarded(path, format, || {
        let bytes = tidied(path, format, bytes)?;
        let mut decoder = decoder(path, format, &bytes)?;
        let (width, height) = decoder.dimensions();
        let has_color = decoder.color_type().has_color();
        let channels = if has_color { 3 } else { 1 };
        let [width, height] = [width as usize, height as usize];
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        Ok(match orientation(&mut decoder) {
            Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => [width, height, channels],
            _ => [height, width, channels],
        })
    })
}

/// `image` over a plain `background` of [red, green, blue], where it is transparent.
pub fn over(image: DynamicImage, background: [u8; 3]) -> DynamicImage {
    if !image.color().has_alpha() {
        return image;
    }
    let mut image = image.into_rgba8();
    for pixel in image.pixels_mut() {
        let alpha = u16::from(pixel[3]);
        let mut channel = 0;
        pixel.apply_without_alpha(|value| {
            let below = u16::from(background[channel]) * (255 - alpha);
            channel += 1;
            ((u16::from(value) * alpha + below + 127) / 255) as u8
        });
    }
    image.into()
}

fn format(path: &Path, bytes: &[u8]) -> Result<ImageFormat> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    let what = match image::guess_format(bytes) {
        Ok(format @ (Bmp | Gif | Jpeg | Png | WebP)) if format.reading_enabled() => return Ok(format),
        Ok(format @ (Bmp | Gif | WebP)) => {
            let what = format!("{}, which is read only with the feature `gan`", name(format));
            return Err(Error::data(path, what, "build with it, or save it as PNG"));
        }
        _ if bytes.is_empty() => "the file is empty",
        _ => "not a whole picture (neither PNG, JPEG, WebP, BMP nor GIF by its first bytes)",
    };
    Err(Error::data(path, what, REMOVE))
}

/// A decoder that has read the head of a file and found that there is enough memory for its picture.
fn decoder<'a>(path: &Path, format: ImageFormat, bytes: &'a [u8]) -> Result<impl ImageDecoder + use<'a>> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    // Of a PNG the pixels don't count among these, of the others they do.
    limits.max_alloc = Some(match format {
        ImageFormat::Png => MOST_METADATA,
        _ => MOST_BYTES,
    });
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder();
    let decoder = decoder.map_err(|error| broken(path, format, &error))?;
    let (width, height) = decoder.dimensions();
    let (needed, length) = (decoder.total_bytes(), bytes.len() as u64);
    if width == 0 || height == 0 {
        let what = format!("a picture of {width}x{height} pixels");
        return Err(Error::data(path, what, REMOVE));
    }
    if needed > MOST_BYTES {
        let what = format!("{width}x{height} pixels, which take {needed} bytes");
        let fix = format!("make it smaller, {MOST_BYTES} bytes are allowed");
        return Err(Error::data(path, what, fix));
    }
    if needed > length.saturating_mul(most_expansion(format)) {
        let what = format!("cut short: {length} bytes can't hold {width}x{height} pixels");
        return Err(Error::data(path, what, REMOVE));
    }
    Ok(decoder)
}

/// The most decoded bytes that one byte of a file can become.
fn most_expansion(format: ImageFormat) -> u64 {
    match format {
        // Deflate makes 1032 of one, and looking a bit up in a palette of colours with alpha 32.
        ImageFormat::Png => 1032 * 32,
        // At least a bit for each block of 8 by 8 in the largest of up to four channels.
        ImageFormat::Jpeg => 8 * 64 * 4,
        // A code of 12 bits or so stands for up to 4096 pixels, and the screen may be larger than the
        // frame that is drawn on it; what is left out of a BMP and a plain WebP take no bytes at all.
        _ => u64::MAX,
    }
}

/// The orientation that a file's EXIF data gives; what can't be read there is no reason to refuse it.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

/// The bytes that a decoder is given for those of the file.
fn tidied<'a>(path: &Path, format: ImageFormat, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    if format == ImageFormat::WebP && 3 * webp_frame(bytes) > MOST_BYTES {
        let what = format!("a frame that takes more memory than the {MOST_BYTES} bytes allowed");
        return Err(Error::data(path, what, "make it smaller"));
    }
    let cut_short = match format {
        ImageFormat::Png => return tidied_png(path, bytes).map(Cow::Owned),
        ImageFormat::Jpeg => is_jpeg_cut_short(bytes),
        // "RIFF", then how many bytes follow.
        ImageFormat::WebP => match bytes[4..] {
            [a, b, c, d, ..] => (bytes.len() as u64) < 8 + u64::from(u32::from_le_bytes([a, b, c, d])),
            _ => true,
        },
        _ => false,
    };
    // Some decoders make grey of what isn't there.
    match cut_short {
        true => Err(Error::data(path, format!("a {} cut short", name(format)), REMOVE)),
        false => Ok(Cow::Borrowed(bytes)),
    }
}

/// The pixels of the largest lossy frame in a WebP: its decoder takes memory for one before it finds that the picture's
/// head says another size. A frame is "VP8 ", its length, a tag of 3 bytes, a start code, and 14 bits each of width and
/// height.
fn webp_frame(bytes: &[u8]) -> u64 {
    let frames = bytes.windows(18).filter(|frame| frame.starts_with(b"VP8 ") && frame[11..14] == [0x9d, 1, 0x2a]);
    let side = |low, high| u64::from(u16::from_le_bytes([low, high]) & 0x3fff);
    frames.map(|frame| side(frame[14], frame[15]) * side(frame[16], frame[17])).max().unwrap_or(0)
}

/// A PNG without its text, of which a decoder may not be able to hold as much as there is, and with the
/// end that Pillow doesn't miss either where all pixels are there. A palette with a part of a colour at
/// its end, over which the decoder panics (image-png's issue 694), is refused, and so is a size that
/// can't be afforded. What else may be wrong is left to the decoder to say.
fn tidied_png(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    // A signature of 8 bytes, then chunks: length, kind, as many bytes as the length says, checksum.
    const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";
    let mut tidied = Vec::with_capacity(bytes.len() + END.len());
    let (signature, mut rest) = bytes.split_at(8.min(bytes.len()));
    tidied.extend_from_slice(signature);
    let mut pixels = false;
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *head;
        let length = u32::from_be_bytes([a, b, c, d]);
        let whole = (length as usize).checked_add(4);
        let Some((body, next)) = whole.and_then(|whole| after.split_at_checked(whole)) else {
            // Cut within a chunk: the decoder says whether that matters.
            tidied.extend_from_slice(rest);
            return Ok(tidied);
        };
        match (&kind, body) {
            (b"IHDR", &[a, b, c, d, e, f, g, h, ..]) => {
                let width = u32::from_be_bytes([a, b, c, d]);
                let height = u32::from_be_bytes([e, f, g, h]);
                if width.max(height) > MOST_SIDE {
                    let what = format!("{width}x{height} pixels, more than {MOST_SIDE} a side");
                    return Err(Error::data(path, what, "make it smaller"));
                }
            }
            (b"PLTE", _) if length % 3 != 0 => {
                let what = format!("a palette of {length} bytes, which isn't a multiple of 3");
                return Err(Error::data(path, what, REMOVE));
            }
            (b"IDAT", _) => pixels = true,
            _ => {}
        }
        if !matches!(&kind, b"tEXt" | b"zTXt" | b"iTXt") {
            tidied.extend_from_slice(head);
            tidied.extend_from_slice(body);
        }
        if &kind == b"IEND" {
            return Ok(tidied);
        }
        rest = next;
    }
    if pixels && rest.is_empty() {
        tidied.extend_from_slice(END);
    } else {
        tidied.extend_from_slice(rest);
    }
    Ok(tidied)
}

/// Whether a JPEG has no end-of-image marker behind the head of its first scan (ITU-T T.81, annex B).
fn is_jpeg_cut_short(bytes: &[u8]) -> bool {
    let mut rest = &bytes[2.min(bytes.len())..];
    loop {
        match *rest {
            // Any number of these may stand before a marker.
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, 0xda, ..] => return !rest.windows(2).any(|pair| pair == [0xff, 0xd9]),
            [0xff, _, a, b, ..] => {
                let length = usize::from(u16::from_be_bytes([a, b]));
                rest = rest.get(2 + length..).unwrap_or_default();
            }
            // Not a marker: for the decoder to say.
            [_, _, ..] => return false,
            _ => return true,
        }
    }
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => "GIF",
    }
}

fn broken(path: &Path, format: ImageFormat, error: &ImageError) -> Error {
    if let ImageError::Limits(error) = error {
        let what = match error.kind() {
            LimitErrorKind::DimensionError => format!("more than {MOST_SIDE} pixels a side"),
            _ => format!("takes more memory than the {MOST_BYTES} bytes allowed"),
        };
        return Error::data(path, what, "make it smaller");
    }
    // Whatever the decoder says, errors are one line.
    let said = brief(&error.to_string());
    let what = format!("not a whole {} ({said})", name(format)).replace('\n', " ");
    Error::data(path, what, REMOVE)
}

thread_local! {
    /// Whether a panic on this thread is one that is caught and told in another way.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `decode` gives, or an error in place of a decoder's panic.
fn guarded<T>(path: &Path, format: ImageFormat, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    // What a decoder leaves half-changed is dropped.
    let result = catch_unwind(AssertUnwindSafe(decode));
    QUIET.set(false);
    result.unwrap_or_else(|_| {
        let what = format!("a damaged {} (its decoder fails)", name(format));
        Err(Error::data(path, what, REMOVE))
    })
}

#[cfg(test)]
mod tests;
