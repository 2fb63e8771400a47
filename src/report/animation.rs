//! Pictures one after another as an animated GIF, each with its label on a strip above it.

use super::Picture;
use super::comparison::{labelled, strip};
use super::picture::SOFTWARE;
use crate::{Error, Result};
use rayon::prelude::*;

/// The most frames that are shown; if there are more, evenly spaced ones are.
const MAX_FRAMES: usize = 100;
/// The most pixels of all frames together, so that the file is small enough for a page.
const MAX_PIXELS: usize = 40_000_000;
/// The last frame is shown this many times as long as the others.
const LAST_HOLD: u32 = 6;
/// How much the quantiser of frames with more than 256 colours may hurry, from 1 to 30.
const QUANTISER_SPEED: i32 = 10;

/// The bytes of a GIF of `count` frames, each of which is shown for `delay_ms` milliseconds (GIF counts in hundredths
/// of a second) and the last one longer, in an endless loop. `frame` gives the label and the picture of each, counted
/// from 0. It is called only for frames that are shown, one at a time on each thread, so that a long run need not be in
/// memory. If there are more frames than can be shown, the first, the last and evenly spaced ones in between are.
///
/// Colours are exact in grey frames and in those with up to 256 colours; in others they are fitted frame by frame. All
/// frames get the size of the last one, to which larger ones are cut.
///
/// # Errors
/// Those of `frame`, or [`Error::Usage`] if there is no frame or one is larger than the format's 65,535 pixels a side.
pub fn gif(count: usize, delay_ms: u32, frame: impl Fn(usize) -> Result<(String, Picture)> + Sync) -> Result<Vec<u8>> {
    let Some(last) = count.checked_sub(1) else {
        return Err(Error::Usage("there is no picture to animate".into()));
    };
    let (_, largest) = frame(last)?;
    let (width, height) = (largest.width, largest.height + strip(largest.width));
    let side = |pixels: usize| {
        let refusal = || format!("frames of {width}x{height} pixels, where GIF has 65535 a side");
        u16::try_from(pixels).map_err(|_| Error::Usage(refusal()))
    };
    let (gif_width, gif_height) = (side(width)?, side(height)?);

    let chosen = spaced(count, MAX_FRAMES.min(MAX_PIXELS / (width * height)));
    let encoded: Vec<gif::Frame> = chosen
        .par_iter()
        .map(|&index| {
            let (label, picture) = frame(index)?;
            let page = labelled(&label, &picture, (width, height));
            let hold = if index == last { LAST_HOLD } else { 1 };
            Ok(gif::Frame {
                delay: u16::try_from(delay_ms.saturating_mul(hold) / 10).unwrap_or(u16::MAX),
                ..indexed(gif_width, gif_height, &page)
            })
        })
        .collect::<Result<_>>()?;
    let written = write(gif_width, gif_height, &encoded);
    Ok(written.expect("frames of a checked size can be written to memory"))
}

/// At most `most` (but at least 2) of the indices below `count`, evenly spaced and with the first and the last.
pub fn spaced(count: usize, most: usize) -> Vec<usize> {
    let most = most.max(2);
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|i| i * (count - 1) / (most - 1)).collect()
}

/// `page` as indices into a palette: the file's palette of all greys if it is grey, else one of its own.
fn indexed(width: u16, height: u16, page: &Picture) -> gif::Frame<'static> {
    if page.is_grey() {
        let tones: Vec<u8> = page.rgb.iter().step_by(3).copied().collect();
        gif::Frame::from_indexed_pixels(width, height, tones, None)
    } else {
        gif::Frame::from_rgb_speed(width, height, &page.rgb, QUANTISER_SPEED)
    }
}

fn write(width: u16, height: u16, frames: &[gif::Frame]) -> std::result::Result<Vec<u8>, gif::EncodingError> {
    let greys: Vec<u8> = (0..=255).flat_map(|tone| [tone; 3]).collect();
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &greys)?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    encoder.write_raw_extension(gif::Extension::Comment.into(), &[SOFTWARE.as_bytes()])?;
    for frame in frames {
        encoder.write_frame(frame)?;
    }
    encoder.into_inner()
}

#[cfg(test)]
mod tests {
    use super::super::comparison::strip;
    use super::*;

    /// The frames of a GIF as RGB, their delays in hundredths of a second, and how often it repeats.
    fn decode(bytes: &[u8]) -> (Vec<(u16, Vec<u8>)>, gif::Repeat) {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let rgb = frame.buffer.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]);
            frames.push((frame.delay, rgb.collect()));
        }
        (frames, decoder.repeat())
    }

    fn animate(frames: &[(String, Picture)], delay_ms: u32) -> Result<Vec<u8>> {
        gif(frames.len(), delay_ms, |index| Ok(frames[index].clone()))
    }

    fn grey(width: usize, height: usize, offset: usize) -> Picture {
        let tones: Vec<u8> = (0..width * height).map(|i| (i * 3 + offset) as u8).collect();
        Picture::from_pixels(&tones, height, width, 1)
    }

    #[test]
    fn grey_frames_come_back_exactly_and_the_last_is_held() {
        let frames: Vec<_> = (0..3).map(|i| (format!("epoch {i}"), grey(90, 40, i * 50))).collect();
        let (shown, repeat) = decode(&animate(&frames, 250).unwrap());
        assert_eq!(repeat, gif::Repeat::Infinite);
        let delays: Vec<u16> = shown.iter().map(|frame| frame.0).collect();
        assert_eq!(delays, [25, 25, 150]);
        for ((_, rgb), (_, picture)) in shown.iter().zip(&frames) {
            let (strip, rest) = rgb.split_at(strip(90) * 90 * 3);
            assert!(rest == picture.rgb, "the picture itself is as it was");
            assert!(strip.iter().any(|&v| v < 100), "the label is written");
        }
        assert!(shown[0].1[..strip(90) * 270] != shown[1].1[..strip(90) * 270]);
    }

    #[test]
    fn many_colours_are_fitted_closely() {
        let rgb = (0..64 * 64).flat_map(|i| [i % 64 * 4, i / 64 * 4, 128].map(|v| v as u8));
        let picture = Picture { width: 64, height: 64, rgb: rgb.collect() };
        let (shown, _) = decode(&animate(&[(String::new(), picture.clone())], 100).unwrap());
        let pairs = shown[0].1[strip(64) * 64 * 3..].iter().zip(&picture.rgb);
        let error: u32 = pairs.map(|(&a, &b)| u32::from(a.abs_diff(b))).sum();
        assert!(error < 8 * 64 * 64 * 3, "{error}");
    }

    #[test]
    fn long_runs_are_shown_in_evenly_spaced_frames() {
        assert_eq!(spaced(5, 100), [0, 1, 2, 3, 4]);
        assert_eq!(spaced(9, 5), [0, 2, 4, 6, 8]);
        assert_eq!(spaced(1000, 0), [0, 999]);
        assert_eq!(spaced(1, 0), [0]);
        let frames: Vec<_> = (0..250).map(|i| (i.to_string(), grey(8, 8, i))).collect();
        let (shown, _) = decode(&animate(&frames, 50).unwrap());
        assert_eq!(shown.len(), 100);
        assert!(shown[99].1[strip(8) * 24..] == frames[249].1.rgb);
    }

    #[test]
    fn frames_are_as_large_as_the_last_and_impossible_ones_are_refused() {
        let frames = [("a".into(), grey(4, 6, 0)), ("b".into(), grey(9, 3, 0))];
        let (shown, _) = decode(&animate(&frames, 100).unwrap());
        assert_eq!(shown[0].1.len(), 9 * (3 + strip(9)) * 3);
        let complaint = |frames: &[(String, Picture)]| animate(frames, 100).unwrap_err().to_string();
        assert!(complaint(&[]).contains("no picture"));
        assert!(complaint(&[(String::new(), grey(65_536, 1, 0))]).contains("65536x73 pixels"));
    }
}
