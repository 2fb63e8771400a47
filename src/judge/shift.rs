//! Moves training images a little at random each time they are seen, so that a judge learns that the place of something
//! in the picture says nothing about its class.

use crate::random::{Purpose, Random};

/// The random numbers that say how far images are moved.
pub(super) const SHIFT: Purpose = Purpose::new(15);

/// The images `pixels`, each `[h, w, c]`, moved by at most `most` pixels up or down and to either side. All distances
/// are equally likely; pixels that come into view are black.
///
/// # Panics
/// If `most` is not below h and w.
pub(super) fn shifted(pixels: &[u8], [h, w, c]: [usize; 3], most: usize, random: &mut Random) -> Vec<u8> {
    let size = h * w * c;
    let mut moved = vec![0; pixels.len()];
    for (to, from) in moved.chunks_exact_mut(size).zip(pixels.chunks_exact(size)) {
        let mut distance = || random.below(2 * most as u32 + 1) as usize;
        // Where the part that stays in view begins in each of the two images: one of the two is 0.
        let begin = |distance: usize| [distance.saturating_sub(most), most.saturating_sub(distance)];
        let ([to_y, from_y], [to_x, from_x]) = (begin(distance()), begin(distance()));
        let (rows, length) = (h - to_y - from_y, (w - to_x - from_x) * c);
        for y in 0..rows {
            let row = &from[((from_y + y) * w + from_x) * c..][..length];
            to[((to_y + y) * w + to_x) * c..][..length].copy_from_slice(row);
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_distance_each_way_comes_and_nothing_else_changes() {
        let (image, size) = ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2]);
        let mut random = Random::new(0, Purpose::CHECK);
        let moved = shifted(&image.repeat(200), size, 1, &mut random);
        // Pixel (y, x) of the image in place (y + down, x + right) of another.
        let by = |down: isize, right: isize| -> Vec<u8> {
            let pixel = |y: isize, x: isize| match (0..2).contains(&y) && (0..3).contains(&x) {
                true => image[(y * 3 + x) as usize * 2..][..2].to_vec(),
                false => vec![0, 0],
            };
            (0..6).flat_map(|place| pixel(place / 3 - down, place % 3 - right)).collect()
        };
        let all = (-1..=1).flat_map(|down| (-1..=1).map(move |right| by(down, right)));
        let found: BTreeSet<Vec<u8>> = moved.chunks(12).map(<[u8]>::to_vec).collect();
        assert_eq!(found, all.collect());
        assert_eq!(shifted(&image, size, 0, &mut random), image);
    }
}
