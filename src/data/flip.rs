//! Horizontal flips of training images: in each epoch every image is mirrored left to right with a probability of one
//! half.

use crate::random::{Position, Purpose, Random};

/// The stream that says which images are mirrored.
const FLIPS: Purpose = Purpose::new(17);

/// Which images of an epoch are mirrored.
#[derive(Clone, Copy)]
pub(super) struct Flips(Position);

impl Flips {
    /// The mirrored images of `epoch`, which shows `count` images; each epoch has its own stretch of the stream.
    pub fn of_epoch(seed: u64, epoch: u64, count: usize) -> Flips {
        let mut random = Random::new(seed, FLIPS);
        random.skip(epoch.wrapping_mul(count.div_ceil(4) as u64));
        Flips(random.position())
    }

    /// Whether the image that the epoch shows at `place` is mirrored.
    pub fn at(self, place: usize) -> bool {
        self.0.word(place as u64) >> 31 == 1
    }
}

/// Adds `image`, `[height, width, channels]`, to `pixels`, mirrored.
pub(super) fn push_mirrored(image: &[u8], [width, channels]: [usize; 2], pixels: &mut Vec<u8>) {
    for row in image.chunks_exact(width * channels) {
        row.rchunks_exact(channels).for_each(|pixel| pixels.extend(pixel));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Batches, Images, LastBatch};
    use super::*;
    use std::sync::Arc;

    const COUNT: usize = 50;

    /// Images of 2x3x3 without symmetry, the first byte of each row its number.
    fn images() -> Arc<Images> {
        let image = |i: usize| (0..18).map(move |at| if at % 9 == 0 { i as u8 } else { 100 + at as u8 });
        let (pixels, labels) = ((0..COUNT).flat_map(image).collect(), (0..COUNT).map(|i| i as u16).collect());
        Arc::new(Images { height: 2, width: 3, channels: 3, pixels, labels })
    }

    fn batches(seed: u64, last: LastBatch) -> Batches {
        Batches::new(images(), 8, seed, last).flipped(true)
    }

    #[test]
    fn rows_are_mirrored_pixel_by_pixel() {
        let mut pixels = vec![9];
        push_mirrored(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 2], &mut pixels);
        assert_eq!(pixels, [9, 5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8]);
    }

    /// The images come as they would without flips, about half of them mirrored, each in about half of the epochs.
    #[test]
    fn each_image_is_mirrored_in_about_half_of_the_epochs() {
        let (mut flipped, mut plain) = (batches(1, LastBatch::Keep), Batches::new(images(), 8, 1, LastBatch::Keep));
        let epochs = 200;
        let (mut counts, mut patterns) = ([0; COUNT], Vec::new());
        for epoch in 0..epochs {
            let mut pattern = Vec::new();
            for step in epoch * 7..(epoch + 1) * 7 {
                let [a, b] = [&mut flipped, &mut plain].map(|batches| batches.batch(step).unwrap());
                assert_eq!(a.labels, b.labels);
                for ((a, b), &label) in a.pixels.chunks(18).zip(b.pixels.chunks(18)).zip(a.labels) {
                    let mut mirrored = Vec::new();
                    push_mirrored(b, [3, 3], &mut mirrored);
                    assert!(a == b || a == mirrored);
                    counts[usize::from(label)] += usize::from(a == mirrored);
                    pattern.push(a == mirrored);
                }
            }
            patterns.push(pattern);
        }
        // Of 200 throws of a coin the deviation is 7.1; of all 10,000 it is 50.
        assert!(counts.iter().all(|count| (70..=130).contains(count)), "{counts:?}");
        assert!(counts.iter().sum::<usize>().abs_diff(5000) < 200, "{counts:?}");
        patterns.sort();
        patterns.dedup();
        assert_eq!(patterns.len(), epochs as usize);
    }

    #[test]
    fn batches_of_a_run_that_is_resumed_are_the_same() {
        for (last, balanced) in [(LastBatch::Drop, false), (LastBatch::Keep, false), (LastBatch::Keep, true)] {
            let mut whole = batches(3, last).balanced(balanced);
            let all: Vec<Vec<u8>> = (0..30).map(|step| whole.batch(step).unwrap().pixels.to_vec()).collect();
            let mut resumed = batches(3, last).balanced(balanced);
            for step in 17..30 {
                assert_eq!(resumed.batch(step).unwrap().pixels, all[step as usize], "step {step}");
            }
            assert_ne!(batches(4, last).balanced(balanced).batch(0).unwrap().pixels, all[0]);
        }
    }

    /// What a run with a given seed is trained on must not change under it.
    #[test]
    fn the_flips_are_these() {
        let flips = Flips::of_epoch(1, 2, 9);
        let mirrored: Vec<usize> = (0..9).filter(|&place| flips.at(place)).collect();
        assert_eq!(mirrored, [4, 5, 6, 7, 8]);
    }
}
