//! Digits that the program renders itself, so that a first run needs no download: pen strokes as people make them,
//! bent, slanted, turned and stretched at random. They are then sized and centred as MNIST's digits are: in a box of
//! about 20x20 pixels, with the centre of mass in the middle of 28x28.
//!
//! Image i is a pure function of (seed, i). Every ten images have each class once, in random order.

mod pen;
// Tables are easier to read as rows than with one pair of numbers on a line.
#[rustfmt::skip]
mod strokes;

use super::Images;
use crate::random::{Purpose, Random};
use rayon::prelude::*;
use std::f32::consts::TAU;
use strokes::{Point, Stroke, WAYS};

/// The random numbers that digits are rendered with.
const PURPOSE: Purpose = Purpose::new(6);
/// Pixels on a side.
const SIDE: usize = 28;
/// Random words reserved for one image, which takes fewer than half of them.
const WORDS: usize = 512;
/// Those of them that are used only for the order of classes.
const ORDER_WORDS: usize = 16;
/// Standard deviation of a single point of a stroke, in heights of the digit.
const WOBBLE: f32 = 0.018;

/// The hash, in a checkpoint, of the 10,000 digits as earlier versions rendered them, with the system's sines and
/// exponentials. These differ from system to system in their last bits, and so may pixels.
pub const EARLIER: u64 = 15_524_780_817_614_526_910;

/// `count` digits, white on black, 28x28, labelled 0 to 9, that depend on `seed`. With a larger `count` the first
/// digits are the same.
///
/// ```
/// use minimax::data::digits;
///
/// let set = digits::render(20, 1);
/// assert_eq!((set.len(), set.size(), set.classes()), (20, [28, 28, 1], 10));
/// ```
pub fn render(count: usize, seed: u64) -> Images {
    render_from(0, count, seed)
}

/// As [`render`], from digit number `first` on, which is a multiple of 10.
pub(super) fn render_from(first: usize, count: usize, seed: u64) -> Images {
    let mut pixels = vec![0; count * SIDE * SIDE];
    let mut labels = vec![0; count];
    pixels.par_chunks_exact_mut(SIDE * SIDE).zip(&mut labels).enumerate().for_each(|(index, (image, label))| {
        let index = first + index;
        let class = class(seed, index);
        *label = u16::from(class);
        let mut random = words_of(seed, index);
        random.reserve(ORDER_WORDS);
        render_one(class, &mut random, image);
    });
    Images { height: SIDE, width: SIDE, channels: 1, pixels, labels }
}

/// The random words of image `index`.
fn words_of(seed: u64, index: usize) -> Random {
    let mut random = Random::new(seed, PURPOSE);
    random.reserve(index * WORDS);
    random
}

fn class(seed: u64, index: usize) -> u8 {
    words_of(seed, index - index % 10).permutation(10)[index % 10] as u8
}

fn render_one(class: u8, random: &mut Random, image: &mut [u8]) {
    let ways = WAYS[usize::from(class)];
    let way = ways[random.below(ways.len() as u32) as usize];
    let hand = Hand::new(random);
    let mut lines: Vec<Vec<Point>> = way.iter().map(|stroke| pen::curve(&hand.lead(stroke, random))).collect();

    let thickness = random.range(2.0, 3.3) as f32;
    place(&mut lines, thickness, random);
    let mut canvas = [0.0; SIDE * SIDE];
    for line in &lines {
        // The hand presses a little more at one end than at the other.
        let press = 1.0 + random.range(-0.15, 0.15) as f32;
        let radius = thickness / 2.0;
        pen::ink(&mut canvas, SIDE, line, (radius * press, radius / press));
    }
    for (pixel, ink) in image.iter_mut().zip(canvas) {
        *pixel = (ink * 255.0).round() as u8;
    }
}

/// How one digit departs from its pattern.
struct Hand {
    /// How much wider the bottom is than the top.
    taper: f32,
    /// Above 1 the upper half takes more of the height, below 1 the lower half.
    rise: f32,
    /// Where the linear map (stretch, slant and turn) takes a unit of x and a unit of y.
    across: Point,
    down: Point,
    /// What bends the whole digit: sideways along y, and up and down along x.
    sideways: Wave,
    upright: Wave,
}

/// A slow sine: how high, how many periods in a digit's height, and where in its period it starts.
struct Wave {
    height: f32,
    frequency: f32,
    phase: f32,
}

impl Wave {
    fn at(&self, along: f32) -> f32 {
        self.height * libm::sinf(TAU * (self.frequency * along + self.phase))
    }
}

impl Hand {
    fn new(random: &mut Random) -> Hand {
        let n: Vec<f32> = random.normal(7).into_iter().map(|v| v as f32).collect();
        let stretch = libm::expf(0.05 + 0.15 * n[0]).clamp(0.75, 1.5);
        // People slant to the right more than to the left.
        let slant = (0.12 + 0.18 * n[1]).clamp(-0.2, 0.45);
        let turn = (0.06 * n[2]).clamp(-0.15, 0.15);
        let (sin, cos) = libm::sincosf(turn);
        let mut wave = |height: f32| Wave {
            height: 0.035 * height,
            frequency: random.range(0.4, 1.0) as f32,
            phase: random.range(0.0, 1.0) as f32,
        };
        Hand {
            taper: (0.15 * n[5]).clamp(-0.3, 0.3),
            rise: libm::expf(0.10 * n[6]).clamp(0.8, 1.25),
            across: (stretch * cos, stretch * sin),
            down: (-slant * cos - sin, cos - slant * sin),
            sideways: wave(n[3]),
            upright: wave(n[4]),
        }
    }

    /// The points of `stroke` as this hand leads the pen. A corner stays one.
    fn lead(&self, stroke: Stroke, random: &mut Random) -> Vec<Point> {
        let wobble = random.normal(2 * stroke.len());
        let mut led: Vec<Point> = Vec::with_capacity(stroke.len());
        for (i, &(x, y)) in stroke.iter().enumerate() {
            if i > 0 && stroke[i - 1] == (x, y) {
                led.push(led[i - 1]);
                continue;
            }
            let x = x * (1.0 + self.taper * (y - 0.5));
            let y = libm::powf(y, 1.0 / self.rise);
            let x = x + self.sideways.at(y) + WOBBLE * wobble[2 * i] as f32;
            let y = y + self.upright.at(x) + WOBBLE * wobble[2 * i + 1] as f32;
            led.push((self.across.0 * x + self.down.0 * y, self.across.1 * x + self.down.1 * y));
        }
        led
    }
}

/// Scales `lines` to about 20 pixels with the pen's width, and moves their centre of mass to about the
/// middle of the image.
fn place(lines: &mut [Vec<Point>], thickness: f32, random: &mut Random) {
    let (left, right) = extent(lines, |p| p.0);
    let (top, bottom) = extent(lines, |p| p.1);
    let scale = (random.range(18.5, 20.5) as f32 - thickness) / (right - left).max(bottom - top);
    let (x, y) = centre_of_mass(lines);

    let mut shift = |centre: f32, low: f32, high: f32| {
        let last = (SIDE - 1) as f32;
        let middle = last / 2.0 + random.range(-0.5, 0.5) as f32;
        // The heavy top of a 7 must not push its foot out of the image.
        let margin = thickness / 2.0 + 1.0;
        (middle - scale * centre).clamp(margin - scale * low, last - margin - scale * high)
    };
    let (across, down) = (shift(x, left, right), shift(y, top, bottom));
    for point in lines.iter_mut().flatten() {
        *point = (scale * point.0 + across, scale * point.1 + down);
    }
}

/// The least and the greatest of one coordinate.
fn extent(lines: &[Vec<Point>], of: fn(&Point) -> f32) -> (f32, f32) {
    let infinity = f32::INFINITY;
    let values = lines.iter().flatten().map(of);
    values.fold((infinity, -infinity), |(low, high), value| (low.min(value), high.max(value)))
}

fn centre_of_mass(lines: &[Vec<Point>]) -> Point {
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for ends in lines.iter().flat_map(|line| line.windows(2)) {
        let (a, b) = (ends[0], ends[1]);
        let length = libm::hypotf(b.0 - a.0, b.1 - a.1);
        mass += length;
        x += length * (a.0 + b.0) / 2.0;
        y += length * (a.1 + b.1) / 2.0;
    }
    (x / mass, y / mass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_depends_on_seed_and_index_alone() {
        let many = render(200, 3);
        let few = render(37, 3);
        assert_eq!(few.pixels, many.pixels[..37 * 784]);
        assert_eq!(few.labels, many.labels[..37]);
        assert_eq!(render(200, 3), many);
        assert_ne!(render(37, 4).pixels, few.pixels);
        assert!(render(0, 3).is_empty());
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(alone.install(|| render(100, 8)), render(100, 8));
    }

    #[test]
    fn no_image_takes_more_words_than_it_has() {
        for index in 0..300 {
            let mut random = words_of(0, index);
            let start = random.reserve(ORDER_WORDS).block;
            render_one(class(0, index), &mut random, &mut [0; SIDE * SIDE]);
            // Four words a block.
            let used = 4 * (random.reserve(0).block - start) as usize;
            assert!(used < WORDS / 2, "image {index} took {used}");
        }
    }

    /// Size, weight and place as MNIST has them, image by image and on average.
    #[test]
    fn they_are_sized_and_placed_like_mnist() {
        let digits = render(1000, 1);
        let mut total = 0.0;
        for index in 0..digits.len() {
            let image = digits.image(index);
            let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
            let (mut low, mut high) = (SIDE, 0);
            for (at, &pixel) in image.iter().enumerate() {
                let ink = f64::from(pixel) / 255.0;
                mass += ink;
                x += ink * (at % SIDE) as f64;
                y += ink * (at / SIDE) as f64;
                if pixel > 127 {
                    low = low.min(at / SIDE).min(at % SIDE);
                    high = high.max(at / SIDE).max(at % SIDE);
                }
            }
            let off = (x / mass - 13.5).abs().max((y / mass - 13.5).abs());
            assert!(off < 2.0, "image {index}: centre of mass is {off} off");
            assert!(low >= 1 && high <= 26, "image {index}: from {low} to {high}");
            assert_eq!(image.iter().max(), Some(&255));
            total += mass / image.len() as f64;
        }
        let mean = total / digits.len() as f64;
        assert!((0.11..0.16).contains(&mean), "mean ink {mean}, MNIST's is 0.13");
    }

    /// Each new digit is nearest to one of its own class, and no two are alike.
    #[test]
    fn classes_can_be_told_apart_and_images_vary() {
        let (known, new) = (render(2000, 1), render(200, 2));
        let distance = |a: &[u8], b: &[u8]| -> i64 {
            let squares = a.iter().zip(b).map(|(&a, &b)| (i64::from(a) - i64::from(b)).pow(2));
            squares.sum()
        };
        let mut right = 0;
        for index in 0..new.len() {
            let of = |other: usize| distance(new.image(index), known.image(other));
            let nearest = (0..known.len()).min_by_key(|&other| of(other)).unwrap();
            assert!(of(nearest) > 255 * 255, "{index} looks as {nearest} does");
            right += usize::from(new.labels[index] == known.labels[nearest]);
        }
        assert!(right >= 196, "{right} of 200 are nearest to their own class");
    }
}
