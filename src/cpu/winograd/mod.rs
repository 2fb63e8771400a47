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

use super::columns::add_assign;
use super::gemm::blocks::{Packed, multiply};
use super::gemm::walk::Walk;
use super::gemm::{Matrix, Start, microkernel::microkernels};
use super::pool::Buffer;
use super::simd::widest;
use super::taps::taps;
use crate::shape::Conv2dGeometry;
use matrices::{POINTS, Transform};
use rayon::prelude::*;

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

/// Values whose sums stay in registers.
const CHUNK: usize = 64;

/// A vector, of those that fill no such chunk.
const VECTOR: usize = 16;

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
        || microkernels().is_portable()
    {
        return false;
    }
    // By outputs, or by inputs for the transposed convolution: the larger image has more tiles.
    let tiles = |h: usize, w: usize| h.div_ceil(POINTS + 1 - g.kh) * w.div_ceil(POINTS + 1 - g.kw);
    let tiles = tiles(g.out_h, g.out_w).max(tiles(g.h, g.w));
    let by_taps: usize = taps(g).iter().map(|tap| tap.size[0] * tap.size[1]).sum();
    tiles <= IMAGE_TILES && g.n * tiles >= TILES && by_taps >= 2 * tiles * POINTS * POINTS
}

/// Images `[n, h, w, c]` and the tiles that cover them.
#[derive(Clone, Copy, Debug)]
struct Tiled {
    image: [usize; 3],
    /// Tiles down and across.
    count: [usize; 2],
    /// From a tile to the next, in pixels.
    spacing: [usize; 2],
    /// How far the first tile begins before the image.
    before: [usize; 2],
    /// A tile's pixels, some of which may lie outside of the image.
    patch: [usize; 2],
}

impl Tiled {
    /// An image that is a single tile: a kernel `[kh, kw, c]`.
    fn kernel(size: [usize; 2], c: usize) -> Tiled {
        Tiled {
            image: [size[0], size[1], c],
            count: [1, 1],
            spacing: size,
            before: [0, 0],
            patch: size,
        }
    }

    /// Outputs, cut into tiles of `patch`.
    fn outputs(image: [usize; 3], patch: [usize; 2]) -> Tiled {
        Tiled {
            image,
            count: [image[0].div_ceil(patch[0]), image[1].div_ceil(patch[1])],
            spacing: patch,
            before: [0, 0],
            patch,
        }
    }

    /// The inputs that the tiles of `outputs` meet.
    fn inputs(image: [usize; 3], outputs: &Tiled, before: [usize; 2]) -> Tiled {
        Tiled {
            image,
            before,
            patch: [POINTS, POINTS],
            ..*outputs
        }
    }

    /// Values of an image.
    fn values(&self) -> usize {
        self.image.iter().product()
    }

    /// Tiles of an image.
    fn tiles(&self) -> usize {
        self.count[0] * self.count[1]
    }

    fn channels(&self) -> usize {
        self.image[2]
    }

    /// The channels of pixel (i, j) of a tile, counted through `images`, unless it lies outside.
    fn pixel<'a>(&self, images: &'a [f32], tile: usize, i: usize, j: usize) -> Option<&'a [f32]> {
        let [h, w, c] = self.image;
        let (image, tile) = (tile / self.tiles(), tile % self.tiles());
        let [down, across] = [tile / self.count[1], tile % self.count[1]];
        let y = (down * self.spacing[0] + i).checked_sub(self.before[0])?;
        let x = (across * self.spacing[1] + j).checked_sub(self.before[1])?;
        (y < h && x < w).then(|| &images[((image * h + y) * w + x) * c..][..c])
    }

    /// Row `row` of the transformed tiles of `images`, `[8, tiles, c]`: L d Rᵀ for a tile d.
    fn spread(&self, images: &[f32], [l, r]: [&Transform; 2], row: usize, to: &mut [f32]) {
        let c = self.channels();
        let tiles = images.len() / self.values() * self.tiles();
        let mut columns = Buffer::unspecified(self.patch[1] * c);
        for tile in 0..tiles {
            for (j, column) in columns.chunks_exact_mut(c).enumerate() {
                let pixel = |i| self.pixel(images, tile, i, j);
                combine(&l.0[row], (0..self.patch[0]).map(pixel), column);
            }
            for (place, coefficients) in r.0.iter().enumerate() {
                let to = &mut to[(place * tiles + tile) * c..][..c];
                combine(coefficients, columns.chunks_exact(c).map(Some), to);
            }
        }
    }

    /// Back along a row: the `patch[1]` columns `[tiles, columns, c]` of a row of places `[8, tiles, c]`.
    fn gather_columns(&self, places: &[f32], r: &Transform, to: &mut [f32]) {
        let c = self.channels();
        let plane = places.len() / POINTS;
        for (tile, to) in to.chunks_exact_mut(self.patch[1] * c).enumerate() {
            for (coefficients, to) in r.0.iter().zip(to.chunks_exact_mut(c)) {
                let place = |place| Some(&places[place * plane + tile * c..][..c]);
                combine(coefficients, (0..POINTS).map(place), to);
            }
        }
    }

    /// Brings the rows together: `images` from `columns` `[8, tiles, columns, c]`.
    fn gather_rows(&self, columns: &[f32], l: &Transform, images: &mut [f32]) {
        let [h, w, c] = self.image;
        let row = columns.len() / POINTS;
        images
            .par_chunks_mut(w * c)
            .enumerate()
            .for_each(|(y, to)| {
                let (image, y) = (y / h, y % h);
                let down = image * self.count[0] + y / self.patch[0];
                for (x, to) in to.chunks_exact_mut(c).enumerate() {
                    let tile = down * self.count[1] + x / self.patch[1];
                    let at = (tile * self.patch[1] + x % self.patch[1]) * c;
                    let place = |place| Some(&columns[place * row + at..][..c]);
                    combine(&l.0[y % self.patch[0]], (0..POINTS).map(place), to);
                }
            });
    }
}

/// to = Σ_i coefficient_i · source_i, where a source that is absent is zeros, for whole vectors.
fn combine<'a>(
    coefficients: &[f32; POINTS],
    sources: impl Iterator<Item = Option<&'a [f32]>>,
    to: &mut [f32],
) {
    let mut terms: [(f32, &[f32]); POINTS] = [(0.0, &[]); POINTS];
    let mut count = 0;
    for (&coefficient, source) in coefficients.iter().zip(sources) {
        if let (true, Some(source)) = (coefficient != 0.0, source) {
            terms[count] = (coefficient, &source[..to.len()]);
            count += 1;
        }
    }
    let terms = &terms[..count];
    widest(
        #[inline(always)]
        move || {
            let done = add_up::<CHUNK>(terms, to, 0);
            add_up::<VECTOR>(terms, to, done);
        },
    );
}

/// [`combine`] for as many whole chunks of `N` values as there are from `start` on; where they end.
#[inline(always)]
fn add_up<const N: usize>(terms: &[(f32, &[f32])], to: &mut [f32], start: usize) -> usize {
    let (chunks, _) = to[start..].as_chunks_mut::<N>();
    let end = start + chunks.len() * N;
    for (i, to) in chunks.iter_mut().enumerate() {
        let mut sum = [0.0; N];
        for (coefficient, source) in terms {
            let source = &source[start + i * N..][..N];
            for (sum, value) in sum.iter_mut().zip(source) {
                *sum = value.mul_add(*coefficient, *sum);
            }
        }
        *to = sum;
    }
    end
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
            let weight = if transposed {
                weight.transposed()
            } else {
                weight
            };
            Packed::new(weight, Walk::straight(from.channels(), 1))
        };
        places.chunks_exact(kernel.channels()).map(pack).collect()
    });
    let weights: Vec<Vec<Packed>> = rows.collect();

    let group = (GROUP_TILES / to.tiles()).max(1);
    let mut y = Buffer::unspecified(g.n * to.values());
    let x = x.par_chunks(group * from.values());
    y.par_chunks_mut(group * to.values())
        .zip(x)
        .for_each(|(y, x)| {
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
    let (signal, filters) = (
        Transform::signal(),
        [&Transform::filter(mh), &Transform::filter(mw)],
    );
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
                add_assign(&mut sums, &places);
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
        let has_vectors = !microkernels().is_portable();
        assert_eq!(applies([64, 7, 7, 128], 5, 256, 1), has_vectors);
        assert_eq!(applies([64, 14, 14, 64], 3, 64, 1), has_vectors);
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
        if microkernels().is_portable() {
            return;
        }
        // As many channels, then as many tiles (of several groups, the last short) as sums run over.
        for (image, kernel, c_out) in [
            ([16, 7, 7, 256], 5, 32),
            ([131, 14, 14, 16], 3, 16),
            ([37, 8, 7, 16], 5, 32),
        ] {
            let weight = [kernel, kernel, image[3], c_out];
            let padding = Padding::symmetric(kernel / 2);
            let g = Conv2dGeometry::new("test", image.into(), weight.into(), [1, 1], padding);
            let mut random = Random::new(9, Purpose::Check);
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
                let (n, row, column) = (
                    at / (g.out_h * g.out_w),
                    at / g.out_w % g.out_h,
                    at % g.out_w,
                );
                for tap in 0..kernel * kernel {
                    let inside = (
                        g.input_row(row, tap / kernel),
                        g.input_column(column, tap % kernel),
                    );
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
