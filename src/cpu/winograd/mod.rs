//! Convolutions of stride 1 with fewer multiplications, after Winograd, F(m × m, k × k).
//!
//! An output tile of m × m and a kernel of k × k, m + k = 9, meet 8 × 8 inputs. Transformed (see
//! [`matrices`]), they are multiplied value by value:
//!
//! ```text
//! Y = Aᵀ [ Σ_c  (G g_c Gᵀ) ⊙ (Bᵀ d_c B) ] A
//! ```
//!
//! which for k = 5 takes 64 products a tile and channel instead of 400. Over all tiles and channels, each
//! of the 64 places is a matrix product `[tiles, c_in]` · `[c_in, c_out]`. A kernel's gradient is of the same
//! kind, with the output's gradient in the kernel's place: m × m taps, k × k results, and tiles as the inner
//! length.
//!
//! Each output of a tile is made from all 64 places, so an infinite or undefined input reaches all of its tile's
//! outputs, beyond those that the kernel joins it to.
//!
//! A task makes one row of the 8 × 8 places from beginning to end, in the cache: it transforms the tiles,
//! multiplies, and goes back along that row; only then do the rows come together. What it writes is its own.

pub mod matrices;
mod tiles;

use super::batch::size_to_choose_by;
use super::columns::add_assign;
use super::gemm::blocks::{Packed, multiply};
use super::gemm::walk::Walk;
use super::gemm::{Matrix, Start};
use super::pool::Buffer;
use super::simd::widest;
use super::taps::taps;
use crate::shape::Conv2dGeometry;
use matrices::{POINTS, Transform};
use rayon::prelude::*;
use tiles::{Tiled, VECTOR};

/// Kernel sizes that leave tiles of a use.
const KERNELS: std::ops::RangeInclusive<usize> = 3..=6;

/// Channels from which on the products outweigh the transforms, and those up to which the sums over them
/// keep the digits that the transforms leave.
const CHANNELS: std::ops::RangeInclusive<usize> = 64..=512;

/// Tiles in the batch from which on transforming the weights pays.
const TILES: usize = 64;

/// Tiles that are transformed together: of up to 128 channels their row of places stays in the L2 cache.
const GROUP_TILES: usize = 128;

/// Tiles of an image at most: images are never divided among groups.
const IMAGE_TILES: usize = 2 * GROUP_TILES;

/// Groups whose products are summed up in one go. For a gradient these sums run over all tiles of a batch, and
/// their error grows with their length.
const GROUPS_OF_A_SUM: usize = 2;

/// Whether a convolution is better made here.
pub fn applies(g: &Conv2dGeometry) -> bool {
    let padding = [g.padding.top < g.kh, g.padding.left < g.kw];
    let fits = |channels: usize| CHANNELS.contains(&channels) && channels.is_multiple_of(VECTOR);
    if g.stride != [1, 1]
        || !KERNELS.contains(&g.kh)
        || !KERNELS.contains(&g.kw)
        || !fits(g.c_in)
        || !fits(g.c_out)
        || padding != [true, true]
    {
        return false;
    }
    // By outputs, or by inputs for the transposed convolution: the larger image has more tiles.
    let tiles = |h: usize, w: usize| h.div_ceil(POINTS + 1 - g.kh) * w.div_ceil(POINTS + 1 - g.kw);
    let tiles = tiles(g.out_h, g.out_w).max(tiles(g.h, g.w));
    let by_taps: usize = taps(g).iter().map(|tap| tap.size[0] * tap.size[1]).sum();
    tiles <= IMAGE_TILES && size_to_choose_by(g.n) * tiles >= TILES && by_taps >= 2 * tiles * POINTS * POINTS
}

/// Which of the two convolutions that a geometry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The convolution.
    Forward,
    /// The transposed one: its taps run backwards and its weights are read across.
    Transposed,
}

/// The output of the convolution `g` from its input `x`, or its input from its output.
///
/// # Panics
/// If [`applies`] doesn't hold.
pub fn convolve(x: &[f32], w: &[f32], g: &Conv2dGeometry, direction: Direction) -> Buffer {
    let (inputs, outputs) = ([g.h, g.w, g.c_in], [g.out_h, g.out_w, g.c_out]);
    let transposed = direction == Direction::Transposed;
    let (from, to, before) = match direction {
        Direction::Forward => (inputs, outputs, [g.padding.top, g.padding.left]),
        Direction::Transposed => {
            let before = [g.kh - 1 - g.padding.top, g.kw - 1 - g.padding.left];
            (outputs, inputs, before)
        }
    };
    let filter = |taps| match direction {
        Direction::Forward => Transform::filter(taps),
        Direction::Transposed => Transform::filter(taps).reversed(taps),
    };
    let [mh, mw] = [POINTS + 1 - g.kh, POINTS + 1 - g.kw];
    let to = Tiled::outputs(to, [mh, mw]);
    let from = Tiled::inputs(from, &to, before);
    let (signal, filters) = (Transform::signal(), [&filter(g.kh), &filter(g.kw)]);
    let results = [Transform::outputs(mh), Transform::outputs(mw)];

    let kernel = Tiled::kernel([g.kh, g.kw], g.c_in * g.c_out);
    let rows = (0..POINTS).into_par_iter().map(|row| {
        let mut places = Buffer::unspecified(POINTS * kernel.channels());
        kernel.spread(w, filters, row, &mut places);
        let pack = |place| {
            let weight = Matrix::new(place, g.c_in, g.c_out);
            let weight = if transposed { weight.transposed() } else { weight };
            Packed::new(weight, Walk::straight(from.channels(), 1))
        };
        places.chunks_exact(kernel.channels()).map(pack).collect()
    });
    let weights: Vec<Vec<Packed>> = rows.collect();

    let group = (GROUP_TILES / to.tiles()).max(1);
    let mut y = Buffer::unspecified(g.n * to.values());
    let x = x.par_chunks(group * from.values());
    y.par_chunks_mut(group * to.values()).zip(x).for_each(|(y, x)| {
        let tiles = y.len() / to.values() * to.tiles();
        let pixels = |c: usize| -> Vec<usize> { (0..tiles).map(|tile| tile * c).collect() };
        let (x_rows, y_rows) = (pixels(from.channels()), pixels(to.channels()));
        let row = tiles * mw * to.channels();
        let mut columns = Buffer::unspecified(POINTS * row);
        let rows = columns.par_chunks_exact_mut(row).zip(&weights);
        rows.enumerate().for_each(|(row, (columns, weights))| {
            let mut signals = Buffer::unspecified(POINTS * tiles * from.channels());
            from.spread(x, [&signal, &signal], row, &mut signals);
            let mut places = Buffer::unspecified(POINTS * tiles * to.channels());
            let signals = signals.chunks_exact(tiles * from.channels());
            let products = places.chunks_exact_mut(tiles * to.channels());
            for ((signal, weight), product) in signals.zip(weights).zip(products) {
                multiply(signal, &x_rows, weight, product, &y_rows, Start::Zero);
            }
            to.gather_columns(&places, &results[1], columns);
        });
        to.gather_rows(&columns, &results[0], y);
    });
    y
}

/// The gradient `[kh, kw, c_in, c_out]` of the weights of the convolution `g` from its input `x` and the
/// gradient of its output.
///
/// # Panics
/// If [`applies`] doesn't hold.
pub fn weight_grad(x: &[f32], grad: &[f32], g: &Conv2dGeometry) -> Buffer {
    let [mh, mw] = [POINTS + 1 - g.kh, POINTS + 1 - g.kw];
    let outputs = Tiled::outputs([g.out_h, g.out_w, g.c_out], [mh, mw]);
    let before = [g.padding.top, g.padding.left];
    let inputs = Tiled::inputs([g.h, g.w, g.c_in], &outputs, before);
    let kernel = Tiled::kernel([g.kh, g.kw], g.c_in * g.c_out);
    let (signal, filters) = (Transform::signal(), [&Transform::filter(mh), &Transform::filter(mw)]);
    let results = [Transform::outputs(g.kh), Transform::outputs(g.kw)];

    let group = (GROUP_TILES / outputs.tiles()).max(1);
    let row = g.kw * kernel.channels();
    let values: Vec<usize> = (0..g.c_in).collect();
    let kernel_rows: Vec<usize> = (0..g.c_in).map(|c| c * g.c_out).collect();
    let mut columns = Buffer::unspecified(POINTS * row);
    let rows = columns.par_chunks_exact_mut(row).enumerate();
    rows.for_each(|(row, columns)| {
        let mut sums = Buffer::zeros(POINTS * kernel.channels());
        let mut places = Buffer::unspecified(sums.len());
        let grad = grad.chunks(group * outputs.values());
        let groups = x.chunks(group * inputs.values()).zip(grad);
        let count = groups.len();
        for (i, (x, grad)) in groups.enumerate() {
            let tiles = grad.len() / outputs.values() * outputs.tiles();
            let mut signals = Buffer::unspecified(POINTS * tiles * g.c_in);
            inputs.spread(x, [&signal, &signal], row, &mut signals);
            let mut grads = Buffer::unspecified(POINTS * tiles * g.c_out);
            outputs.spread(grad, filters, row, &mut grads);
            let start = match i % GROUPS_OF_A_SUM {
                0 => Start::Zero,
                _ => Start::Sum,
            };
            let signals = signals.chunks_exact(tiles * g.c_in);
            let grads = grads.chunks_exact(tiles * g.c_out);
            let products = places.chunks_exact_mut(kernel.channels());
            for ((signal, grad), product) in signals.zip(grads).zip(products) {
                let walk = Walk::straight(tiles, g.c_in);
                let grad = Packed::new(Matrix::new(grad, tiles, g.c_out), walk);
                multiply(signal, &values, &grad, product, &kernel_rows, start);
            }
            if (i + 1) % GROUPS_OF_A_SUM == 0 || i + 1 == count {
                let (sums, places) = (&mut sums[..], &places[..]);
                widest(
                    #[inline(always)]
                    move || add_assign(sums, places),
                );
            }
        }
        kernel.gather_columns(&sums, &results[1], columns);
    });
    let mut w = Buffer::unspecified(kernel.values());
    kernel.gather_rows(&columns, &results[0], &mut w);
    w
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use crate::shape::Padding;

    #[test]
    fn it_applies_where_it_saves_half_of_the_products() {
        let applies = |image: [usize; 4], kernel: usize, c_out, stride| {
            let weight = [kernel, kernel, image[3], c_out].into();
            let padding = Padding::same([image[1], image[2]], [kernel; 2], [stride; 2]);
            let g = Conv2dGeometry::new("test", image.into(), weight, [stride; 2], padding);
            applies(&g)
        };
        assert!(applies([64, 7, 7, 128], 5, 256, 1));
        assert!(applies([64, 14, 14, 64], 3, 64, 1));
        assert!(!applies([64, 14, 14, 64], 5, 128, 2), "stride 2");
        assert!(!applies([8, 7, 7, 128], 5, 256, 1), "few tiles");
        assert!(!applies([64, 7, 7, 128], 3, 256, 1), "tiles hang over far");
        assert!(!applies([64, 14, 14, 32], 5, 64, 1), "few channels");
        assert!(!applies([64, 14, 14, 72], 5, 64, 1), "no whole vectors");
        assert!(!applies([64, 14, 14, 64], 5, 1024, 1), "too long sums");
        assert!(!applies([64, 128, 128, 64], 5, 64, 1), "large images");
        assert!(!applies([64, 14, 14, 64], 7, 64, 1), "no kernel of these");
    }
    /// The root mean square of found - want over that of want.
    fn relative_error(found: &[f32], want: &[f64]) -> f64 {
        assert_eq!(found.len(), want.len());
        let squares: f64 = want.iter().map(|v| v * v).sum();
        let pairs = found.iter().zip(want);
        let errors: f64 = pairs.map(|(&v, w)| (f64::from(v) - w).powi(2)).sum();
        (errors / squares).sqrt()
    }

    /// `cargo test --release error_of_winograd -- --nocapture` prints the figures of docs/performance.md.
    #[test]
    fn the_error_of_winograd_stays_below_a_hundred_thousandth() {
        // As many channels, then as many tiles (of several groups, the last short) as sums run over.
        for (image, kernel, c_out) in [([16, 7, 7, 256], 5, 32), ([131, 14, 14, 16], 3, 16), ([37, 8, 7, 16], 5, 32)] {
            let weight = [kernel, kernel, image[3], c_out];
            let padding = Padding::symmetric(kernel / 2);
            let g = Conv2dGeometry::new("test", image.into(), weight.into(), [1, 1], padding);
            let mut random = Random::new(9, Purpose::CHECK);
            let mut draw = |count: usize| -> Vec<f32> {
                let values = random.normal(count);
                values.into_iter().map(|v| v as f32).collect()
            };
            let (x, w) = (draw(image.iter().product()), draw(weight.iter().product()));
            let grad = draw(g.n * g.out_h * g.out_w * c_out);
            let mut want_y = vec![0.0; grad.len()];
            let mut want_x = vec![0.0; x.len()];
            let mut want_w = vec![0.0; w.len()];
            for at in 0..g.n * g.out_h * g.out_w {
                let (n, row, column) = (at / (g.out_h * g.out_w), at / g.out_w % g.out_h, at % g.out_w);
                for tap in 0..kernel * kernel {
                    let inside = (g.input_row(row, tap / kernel), g.input_column(column, tap % kernel));
                    let (Some(row), Some(column)) = inside else {
                        continue;
                    };
                    let pixel = ((n * g.h + row) * g.w + column) * g.c_in;
                    for i in 0..g.c_in {
                        let weights = (tap * g.c_in + i) * c_out;
                        for o in 0..c_out {
                            let (x, w) = (f64::from(x[pixel + i]), f64::from(w[weights + o]));
                            let grad = f64::from(grad[at * c_out + o]);
                            want_y[at * c_out + o] += x * w;
                            want_x[pixel + i] += grad * w;
                            want_w[weights + o] += grad * x;
                        }
                    }
                }
            }
            let y = convolve(&x, &w, &g, Direction::Forward);
            let x_grad = convolve(&grad, &w, &g, Direction::Transposed);
            let errors = [
                relative_error(&y, &want_y),
                relative_error(&x_grad, &want_x),
                relative_error(&weight_grad(&x, &grad, &g), &want_w),
            ];
            let [y, x, w] = errors;
            println!("{image:?}: y {y:.1e}, gradients of x {x:.1e} and w {w:.1e}");
            assert!(errors.iter().all(|&error| error < 1e-5));
        }
    }
}
