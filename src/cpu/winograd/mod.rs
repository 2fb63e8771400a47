//! Convolutions with fewer multiplications, after Winograd, F(m × m, k × k).
//!
//! An output tile of m × m and a kernel of k × k meet P × P inputs, P = m + k - 1. Transformed (see [`matrices`]), they
//! are multiplied value by value:
//!
//! ```text
//! Y = Aᵀ [ Σ_c  (G g_c Gᵀ) ⊙ (Bᵀ d_c B) ] A
//! ```
//!
//! which for k = 5 and m = 4 takes 64 products per tile and channel instead of 400. Over all tiles and channels, each
//! of the P × P places is a matrix product `[tiles, c_in]` · `[c_in, c_out]`. A kernel's gradient is of the same
//! kind, with the output's gradient in the place of the kernel: m × m taps, k × k results, and tiles as the inner
//! length. With a stride there are phases (see [`axis`]), whose channels are side by side.
//!
//! Each output of a tile depends on all of its places, so an infinite or NaN input reaches all outputs of its tile, not
//! only those to which the kernel joins it.
//!
//! A task computes one row of the places from beginning to end, in the cache: it transforms the tiles, multiplies, and
//! transforms back along that row. Only then are the rows combined. Each task writes memory of its own.

pub mod axis;
mod convolve;
pub mod matrices;
mod stack;
mod tiles;
mod weight_grad;

use super::batch::size_to_choose_by;
use super::taps::taps;
use crate::shape::Conv2dGeometry;
pub use axis::Direction;
use axis::{Axis, Part};
pub use convolve::convolve;
use stack::Stack;
use tiles::{Side, VECTOR};
pub use weight_grad::weight_grad;

/// The numbers of channels of a group for which Winograd's form is used: with fewer, the transforms outweigh the
/// savings; with more, sums over them would lose digits that the transforms leave.
const CHANNELS: std::ops::RangeInclusive<usize> = 32..=512;

/// The least number of tiles in a batch for which transforming the weights pays.
const TILES: usize = 64;

/// Tiles of an image at most: images are never divided among groups.
const IMAGE_TILES: usize = 256;

/// Both axes of a convolution.
struct Axes {
    rows: Axis,
    columns: Axis,
}

impl Axes {
    fn new(g: &Conv2dGeometry, direction: Direction) -> Option<Axes> {
        Some(Axes {
            rows: Axis::new(direction, [g.h, g.out_h], g.kh, g.stride[0], g.padding.top)?,
            columns: Axis::new(direction, [g.w, g.out_w], g.kw, g.stride[1], g.padding.left)?,
        })
    }

    fn tiles(&self) -> usize {
        self.rows.tiles * self.columns.tiles
    }

    fn products(&self) -> usize {
        self.rows.products() * self.columns.products()
    }

    /// The convolution's inputs.
    fn inputs(&self, g: &Conv2dGeometry, part: Part) -> Side {
        Side { rows: self.rows.inputs(g.h, part), columns: self.columns.inputs(g.w, part), channels: g.c_in }
    }

    /// Its outputs.
    fn outputs(&self, g: &Conv2dGeometry, part: Part) -> Side {
        Side { rows: self.rows.outputs(g.out_h, part), columns: self.columns.outputs(g.out_w, part), channels: g.c_out }
    }

    /// Its kernel, an image of `c_in / groups · c_out` channels.
    fn kernel(&self, g: &Conv2dGeometry, part: Part) -> Side {
        let channels = g.c_in / g.groups * g.c_out;
        Side { rows: self.rows.kernel(g.kh, part), columns: self.columns.kernel(g.kw, part), channels }
    }

    /// The phases in row `row` of the places.
    fn stack(&self, row: usize) -> Stack {
        Stack::of_phases([&self.rows, &self.columns], row)
    }
}

/// Products tap by tap, for each pair of channels of an image; those with the padding's zeros are left out.
fn products_by_taps(g: &Conv2dGeometry) -> usize {
    taps(g).iter().map(|tap| tap.size[0] * tap.size[1]).sum()
}

/// Whether a convolution should use Winograd's form: if that takes at most two thirds of the products.
pub fn applies(g: &Conv2dGeometry, direction: Direction) -> bool {
    let fits = |channels: usize| CHANNELS.contains(&(channels / g.groups)) && channels.is_multiple_of(VECTOR);
    let Some(axes) = Axes::new(g, direction).filter(|_| fits(g.c_in) && fits(g.c_out)) else {
        return false;
    };
    let tiles = axes.tiles();
    let saves = 2 * products_by_taps(g) >= 3 * axes.products();
    tiles <= IMAGE_TILES && size_to_choose_by(g.n) * tiles >= TILES && saves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use crate::shape::Padding;

    fn geometry(image: [usize; 4], kernel: usize, c_out: usize, groups: usize, stride: usize) -> Conv2dGeometry {
        let weight = [kernel, kernel, image[3] / groups, c_out].into();
        let padding = Padding::same([image[1], image[2]], [kernel; 2], [stride; 2]);
        Conv2dGeometry::grouped("test", image.into(), weight, groups, [stride; 2], padding)
    }

    #[test]
    fn it_applies_where_it_saves_products() {
        let applies = |image, kernel, c_out, stride| {
            let g = geometry(image, kernel, c_out, 1, stride);
            let [forward, transposed] = [Direction::Forward, Direction::Transposed].map(|d| applies(&g, d));
            assert_eq!(forward, transposed);
            forward
        };
        assert!(applies([64, 7, 7, 128], 5, 256, 1));
        assert!(applies([64, 14, 14, 64], 3, 64, 1));
        assert!(applies([64, 14, 14, 64], 5, 128, 2));
        assert!(applies([64, 7, 7, 128], 5, 256, 2));
        assert!(applies([64, 16, 16, 128], 4, 256, 2));
        assert!(!applies([8, 7, 7, 128], 5, 256, 1), "few tiles");
        assert!(!applies([64, 14, 14, 16], 5, 64, 1), "few channels");
        assert!(!applies([64, 14, 14, 72], 5, 64, 1), "no whole vectors");
        assert!(!applies([64, 14, 14, 64], 5, 1024, 1), "too long sums");
        assert!(!applies([64, 128, 128, 64], 5, 64, 1), "large images");
        assert!(!applies([64, 14, 14, 64], 1, 64, 1), "a tap");
        assert!(!applies([64, 28, 28, 64], 9, 64, 1), "more taps than points");
        assert!(!applies([64, 14, 14, 64], 2, 64, 3), "inputs that no tap meets");
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
        // As many channels, then as many tiles (of several groups, the last short) as sums run over; strides; groups.
        for (image, kernel, c_out, groups, stride) in [
            ([16, 7, 7, 256], 5, 32, 1, 1),
            ([131, 14, 14, 16], 3, 16, 1, 1),
            ([37, 8, 7, 16], 5, 32, 1, 1),
            ([5, 14, 14, 64], 5, 128, 1, 2),
            ([6, 28, 28, 16], 5, 32, 1, 2),
            ([9, 7, 7, 128], 5, 32, 1, 2),
            ([9, 7, 8, 32], 5, 16, 1, 2),
            ([9, 16, 16, 128], 4, 32, 1, 2),
            ([70, 8, 8, 16], 4, 32, 1, 2),
            ([9, 16, 16, 128], 3, 32, 1, 1),
            ([9, 12, 12, 64], 3, 32, 1, 1),
            ([3, 16, 17, 32], 3, 16, 1, 2),
            ([3, 12, 9, 16], 6, 16, 1, 2),
            ([3, 19, 23, 16], 7, 16, 1, 3),
            ([5, 9, 14, 64], 3, 96, 2, 1),
            ([2, 15, 12, 48], 5, 96, 3, 2),
        ] {
            let g = geometry(image, kernel, c_out, groups, stride);
            let weight = [kernel, kernel, image[3] / groups, c_out];
            let mut random = Random::new(9, Purpose::CHECK);
            let mut draw = |count: usize| -> Vec<f32> {
                let values = random.normal(count);
                values.into_iter().map(|v| v as f32).collect()
            };
            let (x, w) = (draw(image.iter().product()), draw(weight.iter().product()));
            let grad = draw(g.n * g.out_h * g.out_w * c_out);
            let width = g.c_in / groups;
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
                        let (group, of_group) = (i / width, i % width);
                        let weights = (tap * width + of_group) * c_out;
                        for o in group * c_out / groups..(group + 1) * c_out / groups {
                            let (x, w) = (f64::from(x[pixel + i]), f64::from(w[weights + o]));
                            let grad = f64::from(grad[at * c_out + o]);
                            want_y[at * c_out + o] += x * w;
                            want_x[pixel + i] += grad * w;
                            want_w[weights + o] += grad * x;
                        }
                    }
                }
            }
            let y = convolve(&x, &w, &g, Direction::Forward, &|_, _| {});
            let x_grad = convolve(&grad, &w, &g, Direction::Transposed, &|_, _| {});
            let errors = [
                relative_error(&y, &want_y),
                relative_error(&x_grad, &want_x),
                relative_error(&weight_grad(&x, &grad, &g), &want_w),
            ];
            let [y, x, w] = errors;
            let axes = Axes::new(&g, Direction::Forward).unwrap();
            println!(
                "{image:?} by {weight:?}, stride {stride}: {} products, {} by {} x {} points; errors of y {y:.1e}, \
                 gradients of x {x:.1e} and w {w:.1e}",
                products_by_taps(&g),
                axes.products(),
                axes.rows.points,
                axes.columns.points,
            );
            assert!(errors.iter().all(|&error| error < 1e-5));
        }
    }
}
