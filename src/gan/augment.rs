//! Augmentation of all images that D sees, real and fake, so that it can't memorise a small set. It is differentiable:
//! G learns through it and doesn't make augmented images itself (Zhao, Liu, Lin, Zhu and Han, "Differentiable
//! augmentation for data-efficient GAN training", 2020). For each image, u is drawn uniformly from [0, 1):
//!
//! | | y |
//! |---|---|
//! | brightness | x + (u - ½) h, h half of the distance from black to white |
//! | saturation | m + 2u (x - m), m the mean over the pixel's channels |
//! | contrast | m + (u + ½) (x - m), m the mean over the image |
//! | translation | x moved down and right by whole pixels, uniformly from -s/8 to s/8 of its side s; grey where it leaves a gap |
//! | cutout | grey in a square of half the sides, whose centre is drawn uniformly from all pixels |
//!
//! With a target r (Karras, Aittala, Hellsten, Laine, Lehtinen and Aila, "Training generative adversarial networks with
//! limited data", 2020), each of the five is applied to an image with probability p. It starts at 0, rises while E sign
//! D(x) on real images is above r, and falls while it is below: if D is surer of real images than r, it is beginning to
//! memorise them. The paper changes p every four batches; here it changes in each of D's steps, by a quarter as much.

use crate::autograd::no_grad;
use crate::ops::{
    Transpose, abs, batched_matmul, clamp, greater, greater_equal, mean, mean_all, permute, random_uniform, relu,
    reshape, slice, sum,
};
use crate::random::Random;
use crate::recipe::AugmentSpec;
use crate::storage::Device;
use crate::tensor::Tensor;

/// The largest distance by which an image is moved, as a share of its side.
const REACH: f64 = 1.0 / 8.0;
/// The side of the square that is cut out, as a share of the image's side.
const CUT: f64 = 1.0 / 2.0;

/// The random numbers for an image: three for the colours, two for the move and two for the square's place. With a
/// target there is one more for each of the five transformations.
const DRAWN: usize = 7;
const CHANCES: usize = 5;

/// What is done to the images that D sees.
pub struct Augment {
    spec: AugmentSpec,
    /// The axis of rows, and that of columns.
    axes: [Axis; 2],
    /// The value in the middle between black and white, and their distance from it.
    grey: f64,
    half: f64,
    /// p, where there is a target.
    pub(super) chance: Option<Tensor>,
}

/// Constants for one axis of the images. They are put on the device beforehand, as a captured step can't bring them
/// there.
struct Axis {
    /// 0, 1, ... up to the last pixel.
    places: Tensor,
    /// The most pixels that an image is moved by.
    reach: f64,
    /// The side of the square.
    cut: f64,
    /// The [`shares`] for the number of moves, and for the number of centres.
    moves: Tensor,
    centres: Tensor,
}

impl Axis {
    fn new(side: usize, device: Device) -> Axis {
        let [reach, cut] = [REACH, CUT].map(|share| (share * side as f64 + 0.5).floor());
        let places: Vec<f64> = (0..side).map(|place| place as f64).collect();
        Axis {
            places: Tensor::new(&places, [side], device),
            reach,
            cut,
            moves: shares(2 * reach as usize + 1, device),
            centres: shares(side + 1 - cut as usize % 2, device),
        }
    }

    /// The number of pixels along it.
    fn side(&self) -> usize {
        self.places.numel()
    }
}

impl Augment {
    /// The current p, if it is adaptive.
    pub fn chance(&self) -> Option<f64> {
        self.chance.as_ref().map(|chance| chance.to_f64()[0])
    }

    /// The initial state, for images `[height, width, channels]` whose black and white are `range`. With a target, p is
    /// 0.
    pub(super) fn new(spec: AugmentSpec, image: &[usize], [low, high]: [f64; 2], device: Device) -> Augment {
        let axes = [0, 1].map(|axis| Axis::new(image[axis], device));
        let (grey, half) = ((low + high) / 2.0, (high - low) / 2.0);
        Augment { spec, axes, grey, half, chance: spec.target.map(|_| Tensor::zeros([1], device)) }
    }

    /// Takes over the numbers of `spec` for the next steps.
    pub(super) fn tune(&mut self, spec: AugmentSpec, device: Device) {
        self.spec = spec;
        self.chance = spec.target.map(|_| self.chance.take().unwrap_or_else(|| Tensor::zeros([1], device)));
    }

    /// `images` `[n, h, w, c]` as D is to see them, by the next numbers of `random`.
    pub(super) fn apply(&self, images: &Tensor, random: &mut Random) -> Tensor {
        let n = images.dims()[0];
        let count = DRAWN + if self.chance.is_some() { CHANCES } else { 0 };
        let drawn = random_uniform(random, [count, n], images.device());
        let number = |row: usize| reshape(&slice(&drawn, &[row..row + 1, 0..n]), [n, 1, 1, 1]);
        // 1 for an image to which transformation `index` is done, else 0.
        let done = |index: usize| self.chance.as_ref().map(|chance| greater(chance, &number(DRAWN + index)));
        let mixed = |factor: Tensor, index: usize| match done(index) {
            Some(done) => 1.0 + done * (factor - 1.0),
            None => factor,
        };
        let times = |x: Tensor, index: usize| match done(index) {
            Some(done) => done * x,
            None => x,
        };
        let mut x = images - self.grey;
        if self.spec.color {
            x = x + times(self.half * (number(0) - 0.5), 0);
            x = around(&x, &[3], &mixed(2.0 * number(1), 1));
            x = around(&x, &[1, 2, 3], &mixed(number(2) + 0.5, 2));
        }
        if self.spec.translation {
            let [down, right] = [0, 1].map(|at| {
                let axis = &self.axes[at];
                times(whole(&number(3 + at), &axis.moves) - axis.reach, 3)
            });
            x = self.moved(&x, &down, &right);
        }
        if self.spec.cutout {
            let inside = |at: usize| {
                let axis = &self.axes[at];
                let first = whole(&number(5 + at), &axis.centres) - (axis.cut / 2.0).floor();
                let mut shape = [1; 4];
                shape[1 + at] = axis.side();
                let places = reshape(&axis.places, shape);
                greater_equal(&places, &first) * greater(&(first + axis.cut), &places)
            };
            let square = times(inside(0) * inside(1), 4);
            x = x * (1.0 - square);
        }
        x + self.grey
    }

    /// `x` moved `down` and `right` by so many pixels, `[n, 1, 1, 1]`: along each axis a product with a matrix of ones
    /// and zeros.
    fn moved(&self, x: &Tensor, down: &Tensor, right: &Tensor) -> Tensor {
        let &[n, h, w, c] = x.dims() else { unreachable!("images have four axes") };
        let [along_rows, along_columns] = [0, 1].map(|at| &self.axes[at].places);
        let rows = batched_matmul(&moves(down, along_rows), &reshape(x, [n, h, w * c]), Transpose::NONE);
        let turned = permute(&reshape(&rows, [n, h, w, c]), &[0, 2, 1, 3]);
        let columns = batched_matmul(&moves(right, along_columns), &reshape(&turned, [n, w, h * c]), Transpose::NONE);
        permute(&reshape(&columns, [n, w, h, c]), &[0, 2, 1, 3])
    }

    /// Changes p according to D's output on `real` images, `[n, 1]`.
    pub(super) fn adapt(&mut self, real: &Tensor) {
        let AugmentSpec { target: Some(target), .. } = self.spec else {
            return;
        };
        let Some(chance) = &mut self.chance else { unreachable!("with a target there is a chance") };
        let moved = no_grad(|| {
            let sureness = mean_all(&sign(&real.detach()));
            let step = real.dims()[0] as f64 / self.spec.images();
            clamp(&(&*chance + step * &sign(&(sureness - target))), 0.0, 1.0)
        });
        chance.assign(moved);
    }
}

/// 1, 0 or -1.
fn sign(x: &Tensor) -> Tensor {
    let zero = Tensor::constant(0.0, x.device());
    greater(x, &zero) - greater(&zero, x)
}

/// m + factor · (x - m), m the mean over `axes`.
fn around(x: &Tensor, axes: &[usize], factor: &Tensor) -> Tensor {
    let kept: Vec<usize> =
        x.dims().iter().enumerate().map(|(axis, &length)| if axes.contains(&axis) { 1 } else { length }).collect();
    let m = reshape(&mean(x, axes), &kept[..]);
    &m + factor * (x - &m)
}

/// 1 / count, 2 / count, ... below 1, `[1, count - 1]`; 2 where there is none, which no u reaches.
fn shares(count: usize, device: Device) -> Tensor {
    let mut shares: Vec<f64> = (1..count).map(|share| share as f64 / count as f64).collect();
    if shares.is_empty() {
        shares.push(2.0);
    }
    Tensor::new(&shares, [1, shares.len()], device)
}

/// ⌊count · u⌋ for each u in [0, 1), as the number of the [`shares`] of count that u reaches.
fn whole(u: &Tensor, shares: &Tensor) -> Tensor {
    let n = u.numel();
    reshape(&sum(&greater_equal(&reshape(u, [n, 1]), shares), &[1]), [n, 1, 1, 1])
}

/// For each `shift` `[n, 1, 1, 1]` the matrix `[side, side]` with a one at (i, i - shift), where that is one of the
/// `places`.
fn moves(shift: &Tensor, places: &Tensor) -> Tensor {
    let (n, side) = (shift.numel(), places.numel());
    let apart = reshape(places, [1, side, 1]) - reshape(places, [1, 1, side]);
    // These are whole numbers: any that isn't 0 is at least 1 away from it.
    relu(&(1.0 - abs(&(apart - reshape(shift, [n, 1, 1])))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn spec(color: bool, translation: bool, cutout: bool) -> AugmentSpec {
        AugmentSpec { color, translation, cutout, target: None, images: None }
    }

    const RANGE: [f64; 2] = [-1.0, 1.0];

    fn random() -> Random {
        Random::new(3, Purpose::CHECK)
    }

    #[test]
    fn images_are_moved_by_whole_pixels_each_way() {
        let x = Tensor::new(&(1..=16).map(f64::from).collect::<Vec<_>>(), [1, 4, 4, 1], Device::Reference);
        let shift = |by: f64| Tensor::full(by, [1, 1, 1, 1], Device::Reference);
        let augment = Augment::new(spec(false, true, false), &[4, 4, 1], RANGE, Device::Reference);
        let y = augment.moved(&x, &shift(1.0), &shift(-2.0)).to_f64();
        assert_eq!(y, [0., 0., 0., 0., 3., 4., 0., 0., 7., 8., 0., 0., 11., 12., 0., 0.]);
    }

    #[test]
    fn places_are_drawn_evenly() {
        let u: Vec<f64> = (0..12).map(|i| f64::from(i) / 12.0).collect();
        let drawn = whole(&Tensor::new(&u, [12, 1, 1, 1], Device::Reference), &shares(3, Device::Reference)).to_f64();
        assert_eq!(drawn, [0., 0., 0., 0., 1., 1., 1., 1., 2., 2., 2., 2.]);
    }

    #[test]
    fn a_square_of_half_the_sides_is_put_out() {
        let x = Tensor::ones([500, 6, 8, 2], Device::Reference);
        let y = Augment::new(spec(false, false, true), &[6, 8, 2], RANGE, Device::Reference)
            .apply(&x, &mut random())
            .to_f64();
        let out = |image: &[f64]| image.iter().filter(|&&v| v == 0.0).count();
        let counts: Vec<usize> = y.chunks(96).map(out).collect();
        assert!(y.iter().all(|&v| v == 0.0 || v == 1.0));
        assert_eq!(counts.iter().max(), Some(&(3 * 4 * 2)), "3x4 pixels of two channels, where none is beyond an edge");
        assert_eq!(counts.iter().min(), Some(&(2 * 2 * 2)), "in a corner");
    }

    /// The mean over many images is what it was: brightness has a mean of 0, the factors one of 1.
    #[test]
    fn colours_are_changed_around_what_they_are() {
        let x = Tensor::new(&[0.2, 0.4, 0.9].repeat(4 * 4000), [4000, 2, 2, 3], Device::Reference);
        let y = Augment::new(spec(true, false, false), &[2, 2, 3], RANGE, Device::Reference).apply(&x, &mut random());
        let means = mean(&y, &[0, 1, 2]).to_f64();
        for (found, was) in means.iter().zip([0.2, 0.4, 0.9]) {
            assert!((found - was).abs() < 0.02, "{means:?}");
        }
    }

    #[test]
    fn the_chance_goes_up_while_real_images_are_told_too_surely() {
        let adaptive = AugmentSpec { target: Some(0.6), images: Some(40.0), ..spec(true, true, true) };
        let mut augment = Augment::new(adaptive, &[4, 4, 1], RANGE, Device::Reference);
        let x = Tensor::new(&(0..32).map(f64::from).collect::<Vec<_>>(), [2, 4, 4, 1], Device::Reference);
        assert_eq!(augment.apply(&x, &mut random()).to_f64(), x.to_f64(), "p is 0");
        let outputs = |values: &[f64]| Tensor::new(values, [4, 1], Device::Reference);
        let mut adapt = |values| {
            augment.adapt(&outputs(values));
            augment.chance.as_ref().unwrap().item()
        };
        assert_eq!(adapt(&[1.0, 2.0, 0.1, 3.0]), 0.1);
        assert_eq!(adapt(&[1.0, 2.0, 0.1, 3.0]), 0.2);
        assert!((adapt(&[1.0, 2.0, -0.1, 3.0]) - 0.1).abs() < 1e-12, "three of four is 0.5");
        let down: Vec<f64> = (0..5).map(|_| adapt(&[-1.0; 4])).collect();
        assert_eq!(down[4], 0.0, "{down:?}");
    }
}
