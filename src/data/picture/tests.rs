//! Files of every format, whole, turned, cut, damaged and absurd.

use super::*;
use flate2::Crc;
use image::{GrayImage, RgbImage};
use proptest::prelude::*;
use std::sync::OnceLock;

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Rows of 1, 2, 3 and of 4, 5, 6.
fn numbers() -> DynamicImage {
    GrayImage::from_raw(3, 2, vec![1, 2, 3, 4, 5, 6]).unwrap().into()
}

fn decoded(bytes: &[u8]) -> Result<Picture> {
    decode(Path::new("some/picture"), bytes)
}

fn refusal(bytes: &[u8]) -> String {
    let error = decoded(bytes).expect_err("damaged").to_string();
    assert!(error.starts_with("some/picture: "), "{error}");
    assert!(error.contains("; ") && !error.contains('\n'), "{error}");
    error
}

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(body);
    let length = (body.len() as u32).to_be_bytes();
    [&length, &kind[..], body, &sum.sum().to_be_bytes()].concat()
}

/// A PNG with one more chunk behind its head of 33 bytes.
fn with_chunk(png: &[u8], kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(kind, body), &png[33..]].concat()
}

/// EXIF data whose only entry is an orientation: a TIFF head, one entry of a 16-bit word, no more.
fn exif(orientation: u8) -> Vec<u8> {
    [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0], &[0; 4]].concat()
}

/// Those that are compiled in.
fn formats() -> impl Iterator<Item = ImageFormat> {
    let all = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif];
    all.into_iter().filter(ImageFormat::reading_enabled)
}

#[test]
fn every_format_is_read_whatever_the_file_is_called() {
    let red = RgbImage::from_pixel(16, 8, image::Rgb([255, 0, 0])).into();
    for format in formats() {
        let bytes = encoded(&red, format);
        assert_eq!(size(Path::new("a.png"), &bytes).unwrap(), [8, 16, 3], "{format:?}");
        let picture = decoded(&bytes).unwrap();
        assert!(!picture.turned);
        // JPEG gives colours nearly.
        let near = |pixel: &image::Rgb<u8>| pixel[0] > 250 && pixel[1] < 5 && pixel[2] < 5;
        assert!(over(picture.image, [0; 3]).into_rgb8().pixels().all(near), "{format:?}");
    }
    let grey = encoded(&numbers(), ImageFormat::Jpeg);
    assert_eq!(size(Path::new("a.jpg"), &grey).unwrap(), [2, 3, 1]);
    for name in ["a.PNG", "b.jpg", "c.JPEG", "d.gif", "e.webp", "f.bmp"] {
        assert!(has_ending(Path::new(name)), "{name}");
    }
    assert!(!has_ending(Path::new("png")) && !has_ending(Path::new("a.tif")));
}

#[test]
fn what_is_transparent_lies_over_the_background() {
    let pixels = vec![255, 0, 0, 255, 255, 255, 255, 0, 255, 255, 255, 128];
    let image = image::RgbaImage::from_raw(3, 1, pixels).unwrap();
    let laid = |background| over(image.clone().into(), background).into_rgb8().into_raw();
    assert_eq!(laid([0; 3]), [255, 0, 0, 0, 0, 0, 128, 128, 128]);
    assert_eq!(laid([0, 100, 255]), [255, 0, 0, 0, 100, 255, 128, 178, 255]);
}

/// The eight orientations, as Pillow's ImageOps.exif_transpose turns them.
#[test]
fn pictures_are_upright() {
    let png = encoded(&numbers(), ImageFormat::Png);
    for (orientation, width, expected) in [
        (1, 3, [1, 2, 3, 4, 5, 6]),
        (2, 3, [3, 2, 1, 6, 5, 4]),
        (3, 3, [6, 5, 4, 3, 2, 1]),
        (4, 3, [4, 5, 6, 1, 2, 3]),
        (5, 2, [1, 4, 2, 5, 3, 6]),
        (6, 2, [4, 1, 5, 2, 6, 3]),
        (7, 2, [6, 3, 5, 2, 4, 1]),
        (8, 2, [3, 6, 2, 5, 1, 4]),
        // What isn't one is none.
        (9, 3, [1, 2, 3, 4, 5, 6]),
    ] {
        let bytes = with_chunk(&png, b"eXIf", &exif(orientation));
        let picture = decoded(&bytes).unwrap();
        assert_eq!(picture.turned, (2..=8).contains(&orientation));
        assert_eq!(picture.image.width(), width, "{orientation}");
        assert_eq!(picture.image.into_luma8().into_raw(), expected, "{orientation}");
        let size = size(Path::new("a.png"), &bytes).unwrap();
        assert_eq!(size, [6 / width as usize, width as usize, 1]);
    }
    let jpeg = encoded(&numbers(), ImageFormat::Jpeg);
    let body = [&b"Exif\0\0"[..], &exif(6)].concat();
    let length = (body.len() as u16 + 2).to_be_bytes();
    let turned = [&jpeg[..2], b"\xff\xe1", &length, &body, &jpeg[2..]].concat();
    let picture = decoded(&turned).unwrap();
    assert!(picture.turned);
    assert_eq!((picture.image.width(), picture.image.height()), (2, 3));
}

/// Three faults that used to have one message: one is an absurd size, and two leave all pixels whole.
#[test]
fn text_of_any_length_and_a_missing_end_are_no_loss_and_a_huge_size_is_named() {
    let png = encoded(&numbers(), ImageFormat::Png);
    let text = with_chunk(&png, b"tEXt", &vec![b'x'; 18_000_000]);
    let no_end = &png[..png.len() - 12];
    // Compressed text that isn't.
    let packed = with_chunk(&png, b"zTXt", b"Comment\0\0words");
    for bytes in [&text[..], no_end, &packed] {
        let picture = decoded(bytes).unwrap();
        assert_eq!(picture.image.into_luma8().into_raw(), [1, 2, 3, 4, 5, 6]);
    }
    let huge = [&png[..8], &chunk(b"IHDR", b"\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0"), &png[33..]].concat();
    assert_eq!(refusal(&huge), "some/picture: 60000x60000 pixels, more than 16384 a side; make it smaller");
    assert!(refusal(&png[..png.len() - 20]).contains("not a whole PNG"));
    #[cfg(not(feature = "gan"))]
    assert!(refusal(b"GIF89a").contains("GIF, which is read only with the feature `gan`"));
    assert!(refusal(b"II*\0 a TIFF").contains("neither PNG, JPEG, WebP, BMP nor GIF"));
}

#[test]
fn a_picture_of_which_a_part_is_missing_is_refused() {
    let noise = RgbImage::from_fn(40, 40, |x, y| image::Rgb([x * y, x + y, x ^ y].map(|v| (v * 7) as u8)));
    let noise = noise.into();
    for format in formats() {
        let bytes = encoded(&noise, format);
        assert!(decoded(&bytes).is_ok(), "{format:?}");
        for part in [4, 2] {
            refusal(&bytes[..bytes.len() - bytes.len() / part]);
        }
    }
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
        (head(20_000, 10), "20000x10 pixels, more than 16384 a side"),
        (head(16_000, 16_000), "16000x16000 pixels, which take 1024000000 bytes"),
        (head(5_000, 5_000), "bytes can't hold 5000x5000 pixels"),
    ] {
        let error = refusal(&bytes);
        assert!(error.contains(what), "{error}");
    }
    // A grey JPEG says its size behind the marker of its frame: length, precision, height, width.
    let mut jpeg = encoded(&numbers(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x3f, 0xff, 0x20, 0]);
    let error = refusal(&jpeg);
    assert!(error.contains("can't hold 8192x16383 pixels"), "{error}");
}

/// Its head says 9 by 7 pixels.
#[cfg(feature = "gan")]
#[test]
fn a_webp_whose_frame_is_larger_than_its_head_says_takes_no_memory_for_it() {
    let mut webp = b"RIFF\x48\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x08\0\0\x06\0\0".to_vec();
    webp.extend(b"VP8 \x2a\0\0\0\xd0\x01\0\x9d\x01\x2a\xff\x3f\xff\x3f");
    webp.extend([0; 32]);
    let said = refusal(&webp);
    assert!(said.contains("a frame that takes more memory than the 134217728 bytes allowed"), "{said}");
}

#[test]
fn a_decoder_that_panics_is_an_error() {
    let path = Path::new("some/picture");
    let error = guarded::<()>(path, ImageFormat::Gif, || panic!("of a decoder")).unwrap_err();
    assert_eq!(error.to_string(), "some/picture: a damaged GIF (its decoder fails); remove it or save it again");
}

/// A small file of each format.
fn small() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let image = RgbImage::from_fn(9, 7, |x, y| image::Rgb([x, y, x * y].map(|v| v as u8 * 4)));
        let image = image.into();
        formats().map(|format| encoded(&image, format)).collect::<Vec<_>>()
    })
}

proptest! {
    #[test]
    fn a_mutated_file_never_panics(
        which in 0..formats().count(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = small()[which].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        let path = Path::new("mutated");
        if let Ok(picture) = decode(path, &bytes) {
            let [height, width, _] = size(path, &bytes).unwrap();
            let found = (picture.image.height() as usize, picture.image.width() as usize);
            prop_assert_eq!(found, (height, width));
        }
    }
}
