//! Text in pictures: a free font is built into the program, so that a picture looks the same on every machine.

use super::Picture;
use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use std::sync::LazyLock;

static FONT: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).expect("the font is whole"));

/// The share of the background that shows through the strokes of a light typeface is raised to this power, so that they
/// stay readable at label sizes.
const WEIGHT: f32 = 1.6;

/// The width in pixels of `text` at `size` pixels per em.
pub(super) fn width(text: &str, size: f32) -> f32 {
    layout(text, size, 0.0, 0.0).1
}

/// Renders `text` on `picture` at `size` pixels per em; (`x`, `y`) is the left end of its baseline. What
/// lies outside the picture is cut off.
pub(super) fn render(picture: &mut Picture, (x, y): (f32, f32), size: f32, colour: [u8; 3], text: &str) {
    let (width, height) = (picture.width as i32, picture.height as i32);
    for glyph in layout(text, size, x, y).0 {
        let Some(outline) = FONT.outline_glyph(glyph) else {
            continue;
        };
        let origin = outline.px_bounds().min;
        outline.draw(|dx, dy, coverage| {
            let (x, y) = (origin.x as i32 + dx as i32, origin.y as i32 + dy as i32);
            if (0..width).contains(&x) && (0..height).contains(&y) {
                let through = libm::powf(1.0 - coverage.clamp(0.0, 1.0), WEIGHT);
                let at = (y * width + x) as usize * 3;
                for (old, new) in picture.rgb[at..at + 3].iter_mut().zip(colour) {
                    let mixed = f32::from(*old) * through + f32::from(new) * (1.0 - through);
                    *old = mixed.round() as u8;
                }
            }
        });
    }
}

/// The glyphs of `text` from (`x`, `y`) on, and its width. A character that the font lacks is shown as a box.
fn layout(text: &str, size: f32, x: f32, y: f32) -> (Vec<Glyph>, f32) {
    // A scale is the height from descender to ascender; people measure type in ems.
    let em = FONT.units_per_em().expect("the font says its size");
    let scale = PxScale::from(size * FONT.height_unscaled() / em);
    let font = FONT.as_scaled(scale);
    let (mut glyphs, mut pen, mut last) = (Vec::new(), x, None);
    for id in text.chars().map(|c| FONT.glyph_id(c)) {
        pen += last.map_or(0.0, |last| font.kern(last, id));
        glyphs.push(id.with_scale_and_position(scale, point(pen, y)));
        pen += font.h_advance(id);
        last = Some(id);
    }
    (glyphs, pen - x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_that_of_the_ink_and_grows_with_the_size() {
        let mut picture = Picture::new(200, 40, [255; 3]);
        render(&mut picture, (0.0, 30.0), 20.0, [0; 3], "epoch 12");
        let dark = |x: usize| (0..40).any(|y| picture.rgb[(y * 200 + x) * 3] < 128);
        let last = (0..200).rev().find(|&x| dark(x)).unwrap() as f32;
        let width_20 = width("epoch 12", 20.0);
        assert!((last - width_20).abs() < 4.0, "{last} {width_20}");
        assert!((width("epoch 12", 40.0) / width_20 - 2.0).abs() < 0.01);
        assert_eq!(width("", 20.0), 0.0);
    }

    #[test]
    fn letters_stand_on_the_baseline_and_are_cut_off_at_the_edges() {
        let mut picture = Picture::new(12, 40, [255; 3]);
        render(&mut picture, (-5.0, 30.0), 20.0, [0; 3], "HHHHHH");
        let rows: Vec<usize> = (0..40).filter(|y| picture.rgb[y * 36..][..36].iter().any(|&v| v < 128)).collect();
        assert_eq!(*rows.last().unwrap(), 29);
        assert!((13..=15).contains(&rows.len()), "{rows:?}");
        for (x, y) in [(500.0, 20.0), (0.0, -90.0), (0.0, 900.0)] {
            let before = picture.clone();
            render(&mut picture, (x, y), 20.0, [0; 3], "outside");
            assert_eq!(picture, before);
        }
    }
}
